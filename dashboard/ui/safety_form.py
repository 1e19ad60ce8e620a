"""Recording that risk answers were checked."""

from __future__ import annotations

from datetime import date

import polars as pl
import streamlit as st

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.errors import SupervisionError
from dashboard.safety import LONGEST_NOTE, record_check
from dashboard.ui.words import plural


def safety_form(viewer: Viewer, safety: pl.DataFrame) -> None:
    """The form; ``safety`` holds the risk answers in the viewer's scope that wait for a check."""
    settings = runtime.settings()
    codes = {
        row["public_id"]: row["client_code"]
        for row in safety.sort("since", descending=True).select("public_id", "client_code").to_dicts()
    }
    with st.expander("Record a check"), st.form("safety", border=False, clear_on_submit=True):
        chosen = st.multiselect("Episodes", list(codes), format_func=lambda one: codes[one], placeholder="Choose")
        when = st.date_input("Checked on", value=settings.today(), max_value=settings.today(), format="YYYY-MM-DD")
        note = st.text_input("What was agreed (optional)", max_chars=LONGEST_NOTE)
        sent = st.form_submit_button("Record that it was checked")
    if not sent:
        return
    try:
        if not chosen:
            raise SupervisionError("Choose the episodes that were checked.")
        if not isinstance(when, date):
            raise SupervisionError("Choose the day of the check.")
        done = record_check(
            runtime.engine(), settings, viewer, chosen, checked_on=when, note=note or "", now=settings.now()
        )
    except SupervisionError as error:
        st.error(str(error))
        return
    st.toast(f"Recorded by {viewer.username} for {plural(done, 'episode')}.")
    st.rerun()
