"""The clinician's form under the signals: answer one, or put it off until a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import streamlit as st

from dashboard.errors import SupervisionError
from dashboard.ui.say import refused

KINDS = {"answered": "Answer it", "snoozed": "Put it off until a day"}
LONGEST_REASON = 200
DAYS_OFFERED = 14
USUAL = ("holiday", "reads the scale backwards", "ending planned", "talked about together")

Reply = Callable[[str, str, str, date | None], None]


def reply_form(titles: Mapping[str, str], today: date, act: Reply) -> None:
    """``titles``: key to title of the signals that stand. ``act`` writes the reply and raises SupervisionError in words."""
    with st.expander("Answer a signal, or put it off"), st.form("reply", border=False):
        signal = st.selectbox("Signal", list(titles), format_func=lambda key: titles[key])
        kind = st.radio("What to do", list(KINDS), format_func=lambda one: KINDS[one], horizontal=True)
        usual = st.pills("In short", USUAL, help="One of these, your own words below, or both.")
        own = st.text_input(
            "Why, in a few words", max_chars=LONGEST_REASON, help="Whoever talks with you about it reads this first."
        )
        reason = ": ".join(part for part in (usual or "", (own or "").strip()) if part)
        until = st.date_input(
            "Until (for putting off)", value=today + timedelta(days=DAYS_OFFERED), min_value=today, format="YYYY-MM-DD"
        )
        sent = st.form_submit_button("Save")
    if not sent:
        return
    try:
        act(signal or "", kind or "", reason, until if isinstance(until, date) else None)
    except SupervisionError as error:
        refused(error)
        return
    st.rerun()
