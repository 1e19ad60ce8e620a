"""What every page shares: who is looking, and the permanent line about urgent risk."""

from __future__ import annotations

import streamlit as st

from dashboard.access import Viewer
from dashboard.errors import NotAllowed
from dashboard.harmless import escape

CRISIS = "Do not wait for supervision if someone may be at risk: follow your practice's crisis procedure."
PURPOSE = "This dashboard suggests conversations; it does not score people."
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


def footer(freshness: str = "") -> None:
    """The permanent line about urgent risk, how fresh the data is, and where the signals are explained."""
    st.html(
        f'<div class="sv"><p class="quiet" style="border-top: 1px solid var(--sv-rule); padding-top: .8rem; '
        f'margin-top: 1.5rem">{CRISIS}<br>{PURPOSE} {escape(freshness)} '
        '<a href="about-signals" target="_self">About the signals</a></p></div>'
    )
