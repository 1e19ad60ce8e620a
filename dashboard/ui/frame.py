"""What every page shares: who is looking, the scope in words, the question, and the footer."""

from __future__ import annotations

import streamlit as st

from dashboard.access import Viewer
from dashboard.errors import NotAllowed

CRISIS = (
    "Do not wait for supervision if someone may be at risk: follow your practice's crisis procedure. "
    "This dashboard suggests conversations; it does not score people."
)
VIEWER = "_viewer"


def remember(viewer: Viewer) -> None:
    """Hands the viewer of this rerun to the page; read from the database moments ago."""
    st.session_state[VIEWER] = viewer


def current_viewer() -> Viewer:
    """The viewer of this rerun. Raises NotAllowed where a page is run without the gate."""
    viewer = st.session_state.get(VIEWER)
    if not isinstance(viewer, Viewer):
        raise NotAllowed("Sign in first.")
    return viewer


def page_header(title: str, question: str, scope_line: str = "") -> None:
    """The first lines of a page: scope and as-of, title, question."""
    if scope_line:
        st.caption(scope_line)
    st.title(title, anchor=False)
    st.markdown(f":gray[{question}]")


def footer() -> None:
    """The permanent line about urgent risk."""
    st.divider()
    st.caption(CRISIS)
