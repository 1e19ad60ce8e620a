"""Recording that risk answers were followed up: on the caseload and in a meeting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import polars as pl
import streamlit as st

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.errors import SupervisionError
from dashboard.safety import LONGEST_NOTE, record_check
from dashboard.ui.say import noted, refused
from dashboard.ui.words import plural

Check = Callable[[Sequence[str], date, str], int]


def checking(viewer: Viewer) -> Check:
    """Records a check of this viewer's; gives how many episodes it concerned."""

    def act(chosen: Sequence[str], when: date, note: str) -> int:
        settings = runtime.settings()
        return record_check(runtime.engine(), settings, viewer, chosen, checked_on=when, note=note, now=settings.now())

    return act


def check_form(safety: pl.DataFrame, today: date, act: Check) -> None:
    """``safety``: public_id, client_code, since of what waits. ``act`` raises SupervisionError in words."""
    codes = {
        row["public_id"]: row["client_code"]
        for row in safety.sort("since", descending=True).select("public_id", "client_code").to_dicts()
    }
    with st.expander("Record a check"), st.form("safety", border=False, clear_on_submit=True):
        chosen = st.multiselect("Episodes", list(codes), format_func=lambda one: codes[one], placeholder="Choose")
        when = st.date_input("Checked on", value=today, max_value=today, format="YYYY-MM-DD")
        note = st.text_input("What was agreed (optional)", max_chars=LONGEST_NOTE)
        sent = st.form_submit_button("Record that it was checked")
    if not sent:
        return
    try:
        if not chosen:
            raise SupervisionError("Choose the episodes that were checked.")
        if not isinstance(when, date):
            raise SupervisionError("Choose the day of the check.")
        done = act(chosen, when, note or "")
    except SupervisionError as error:
        refused(error)
        return
    noted(f"Recorded for {plural(done, 'episode')}.")
    st.rerun()
