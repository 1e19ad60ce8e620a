"""The clinician's form for their growth goal: set one, share it or not, close it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import streamlit as st

from dashboard.analytics.growth_signs import SIGNS
from dashboard.errors import SupervisionError
from dashboard.growth_goals import LATEST_DAYS, LONGEST, SOONEST_DAYS
from dashboard.ui.say import refused

OFFERED_DAYS = 90
Set = Callable[[str, str, date | None, bool], None]
Close = Callable[[str], None]
Share = Callable[[bool], None]
HELP = (
    "Something you do, which the records show anyway. How clients turn out is mostly beyond one person, and few cases move by "
    "chance."
)


def goal_form(
    standing: bool, shared: bool, today: date, *, set_goal: Set, close_goal: Close, share_goal: Share
) -> None:
    """Sets a goal where none stands; else shares or closes it. Every action raises SupervisionError in words."""
    if standing:
        _change(shared, close_goal, share_goal)
        return
    with st.expander("Set a growth goal"), st.form("growth-goal", border=False):
        text = st.text_input("What would you like to do differently?", max_chars=LONGEST)
        sign = st.selectbox(
            "By which sign will you look at it?", list(SIGNS), format_func=lambda key: SIGNS[key].words, help=HELP
        )
        look_again = st.date_input(
            "Look again on", value=today + timedelta(days=OFFERED_DAYS), min_value=today + timedelta(days=SOONEST_DAYS),
            max_value=today + timedelta(days=LATEST_DAYS), format="YYYY-MM-DD",
        )  # fmt: skip
        share = st.checkbox(
            "Share it with whoever supervises me", help="They and the clinical director can then read it."
        )
        sent = st.form_submit_button("Set this goal")
    if sent:
        _done(lambda: set_goal(text or "", sign or "", look_again if isinstance(look_again, date) else None, share))


def _change(shared: bool, close_goal: Close, share_goal: Share) -> None:
    # what is stored decides: the page may have been left open while it was changed elsewhere
    st.session_state["growth-shared"] = shared

    def chosen() -> None:
        try:
            share_goal(bool(st.session_state["growth-shared"]))
        except SupervisionError as error:
            st.session_state["_growth_said"] = str(error)

    st.toggle("Share my goal with whoever supervises me", key="growth-shared", on_change=chosen)
    if said := st.session_state.pop("_growth_said", None):
        refused(said)
    with st.expander("Close this goal"), st.form("growth-close", border=False, clear_on_submit=True):
        note = st.text_input("How did it go? (optional)", max_chars=LONGEST)
        sent = st.form_submit_button("Close it")
    if sent:
        _done(lambda: close_goal(note or ""))


def _done(act: Callable[[], None]) -> None:
    try:
        act()
    except SupervisionError as error:
        refused(error)
        return
    st.rerun()
