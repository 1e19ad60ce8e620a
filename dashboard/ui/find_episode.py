"""Choosing the episode to enter something into, by typing its code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import streamlit as st

from dashboard.entry.sheet import when_words
from dashboard.ui.entry_reading import Choosable

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "supervision.find",
    html='<div class="find"></div>',
    css=(_HERE / "find.css").read_text("utf-8"),
    js=(_HERE / "find.js").read_text("utf-8"),
)


def find_episode(choices: Sequence[Choosable], *, several_clinicians: bool) -> None:
    """A search box over the open episodes; typing part of a code and Enter opens its form."""
    rows = []
    for one in choices:
        waiting = f"booked {when_words(one.waiting)}: what became of it?" if one.waiting else ""
        note = " · ".join(part for part in (one.clinician if several_clinicians else "", waiting) if part)
        rows.append({"code": one.code, "note": note, "href": f"enter?episode={quote(one.public_id)}"})
    _component(key="find-episode", data={"label": "Client code", "rows": rows})
