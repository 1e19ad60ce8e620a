"""On Data quality, for directors and administrators: a whole import taken back, after its counts were looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.errors import SupervisionError
from dashboard.ui.words import day
from dashboard.undoing import UndoReport, undo

ASKED = "_undo_asked"
SAID = "_undo_said"


def undo_block(viewer: Viewer, imports: Sequence[tuple[int, datetime]]) -> None:
    """``imports``: number and time of those listed that stand. Nothing is changed before the second step.

    Counts only: an administrator sees no client data here either.
    """
    for line in st.session_state.pop(SAID, []):
        st.text(line)
    if not imports:
        return
    names = {number: f"Number {number}, {day(at.date())} at {at:%H:%M}" for number, at in imports}
    with st.expander("Undo an import"):
        st.markdown(
            "It will be as if the import had never been; what other imports said stays. What people wrote stays too, "
            "hidden where its episode is gone. Looking at the counts changes nothing."
        )
        with st.form("undo-count", border=False):
            chosen = st.selectbox("Which import", list(names), format_func=lambda one: names[one])
            counted = st.form_submit_button("Count what would change")
        if counted and chosen is not None:
            st.session_state.pop(ASKED, None)
            report = _run(viewer, chosen, dry_run=True)
            if report is not None:
                st.session_state[ASKED] = (chosen, report.count_lines)
        asked = st.session_state.get(ASKED)
        if asked is None or asked[0] not in names:
            return
        number, lines = asked
        st.text(f"Undoing import number {number} would give:")
        for line in lines:
            st.text(line)
        undone, left = st.columns(2)
        if left.button("Leave it as it is"):
            del st.session_state[ASKED]
            st.rerun()
        if undone.button(f"Undo import number {number}", type="primary"):
            _undo(viewer, number)


def _undo(viewer: Viewer, number: int) -> None:
    report = _run(viewer, number, dry_run=False)
    if report is not None:
        del st.session_state[ASKED]
        st.session_state[SAID] = [f"Import number {number} was undone.", *report.count_lines]
        st.rerun()


def _run(viewer: Viewer, number: int, *, dry_run: bool) -> UndoReport | None:
    settings = runtime.settings()
    try:
        return undo(runtime.engine(), settings, number, viewer=viewer, dry_run=dry_run, now=settings.now())
    except SupervisionError as error:
        st.text(str(error))
        return None
