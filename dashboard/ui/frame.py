"""What every page shares: who is looking, and the permanent line about urgent risk."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard import runtime
from dashboard.access import Viewer, screen_scope
from dashboard.errors import NotAllowed
from dashboard.harmless import escape
from dashboard.viewing import check_still_so
from queries.acting import Acting, Door, said_of

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


def acting_for_the_session() -> Acting | None:
    """For whom a button or a fragment acts, which run without the gate: whom it let in last; before that, the door.

    Null outside a session of the pages. Raises NotAllowed where what the viewer may see can have changed since: after midnight,
    or when a caseload that was opened with a reason has closed again.
    """
    if get_script_run_ctx(suppress_warning=True) is None:
        return None
    viewer = st.session_state.get(VIEWER)
    if not isinstance(viewer, Viewer):
        return said_of(Door.SIGN_IN)
    check_still_so(viewer, runtime.settings().now())
    return said_of(screen_scope(viewer), viewer.username)


def footer(freshness: str = "") -> None:
    """The permanent line about urgent risk, how fresh the data is, and where the signals are explained."""
    st.html(
        f'<div class="sv"><p class="quiet" style="border-top: 1px solid var(--sv-rule); padding-top: .8rem; '
        f'margin-top: 1.5rem">{CRISIS}<br>{PURPOSE} {escape(freshness)} '
        '<a href="about-signals" target="_self">About the signals</a></p></div>'
    )
