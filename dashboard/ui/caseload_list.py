"""The caseload table in the browser: HTML made in Python, in a shadow root that only sorts, filters and opens."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from dashboard.ui.caseload_table import CaseloadRow, table_html

_HERE = Path(__file__).parent
_SHELL = (
    '<div class="wrap"><div class="cl"><div class="tools"><div><label for="q">Find</label>'
    '<input id="q" type="search" autocomplete="off"></div><p class="count" role="status"></p></div>'
    '<div class="slot"></div></div></div>'
)
_component = st.components.v2.component(
    "supervision.caseload",
    html=_SHELL,
    css=(_HERE / "caseload.css").read_text("utf-8"),
    js=(_HERE / "caseload.js").read_text("utf-8"),
)


def caseload_list(rows: Sequence[CaseloadRow], *, key: str) -> None:
    """Draws the table."""
    body = table_html(rows)
    _component(key=key, data={"html": body, "version": hashlib.sha256(body.encode()).hexdigest()[:16]})
