"""A clinician's own choice: whether their endings are followed one by one over time."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard.errors import SupervisionError
from dashboard.ui.say import refused

Choose = Callable[[bool], None]


def monitoring_form(wanted: bool, act: Choose) -> None:
    """The switch. ``act`` writes the choice and raises SupervisionError in words."""
    # what is stored decides: the page may have been left open while the choice was made elsewhere
    st.session_state["follow-endings"] = wanted

    def chosen() -> None:
        try:
            act(bool(st.session_state["follow-endings"]))
        except SupervisionError as error:
            st.session_state["_follow_said"] = str(error)

    st.toggle(
        "Follow my endings over time",
        key="follow-endings",
        on_change=chosen,
        help="Draws your endings one by one against what was to be expected. You and your supervisor see it. Off unless you "
        "switch it on, and you can switch it off again.",
    )
    if said := st.session_state.pop("_follow_said", None):
        refused(said)
