"""Two marks of the episode's own clinician: bring it to supervision, or it went well."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard.errors import SupervisionError
from dashboard.meetings.words import MARKS
from dashboard.ui.say import refused

Mark = Callable[[str, bool], None]


def mark_form(standing: set[str], act: Mark) -> None:
    """``standing``: marks that are set. ``act`` writes one and raises SupervisionError in words."""
    with st.container(horizontal=True):
        for kind, words in MARKS.items():
            name = f"mark-{kind}"
            st.session_state[name] = kind in standing

            def changed(kind: str = kind, name: str = name) -> None:
                try:
                    act(kind, bool(st.session_state[name]))
                except SupervisionError as error:
                    st.session_state["_mark_said"] = str(error)

            st.toggle(words, key=name, on_change=changed, width="content")
    if said := st.session_state.pop("_mark_said", None):
        refused(said)
