"""Clinicians, leave and supervision on the page People: what is there, and forms for a practice without files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
import streamlit as st
from sqlalchemy import Connection

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.errors import SupervisionError, UnusableInput
from dashboard.harmless import escape
from dashboard.staffing import (
    LONGEST_NAME,
    add_clinician,
    add_leave,
    add_link,
    change_clinician,
    end_link,
    suggested_id,
)
from dashboard.ui.say import refused
from dashboard.ui.view import Block, Cell, Heading, Para, Slot, Table
from dashboard.ui.words import MISSING, day
from queries import staff
from queries.keys import BY_HAND

EARLIEST = date(1950, 1, 1)
YEARS_AHEAD = 5


@dataclass(frozen=True)
class Staff:
    """Who works here, who is away from today on, who supervises whom."""

    clinicians: pl.DataFrame
    leave: pl.DataFrame
    links: pl.DataFrame

    @property
    def names(self) -> dict[int, str]:
        """Names by internal id, in their order."""
        return {row["clinician_id"]: str(row["name"]) for row in self.clinicians.to_dicts()}


def read_staff(connection: Connection, viewer: Viewer, today: date) -> Staff:
    """The practice's staff; whoever may manage it may read it."""
    return Staff(
        staff.clinicians(connection, viewer.practice_id),
        staff.leave(connection, viewer.practice_id, today),
        staff.supervision(connection, viewer.practice_id, today),
    )


def staff_blocks(data: Staff) -> list[Block]:
    """Tables with the forms between them."""
    blocks: list[Block] = [
        Heading("Who works here", "Entered here, or brought by clinicians.csv, leave.csv and supervision.csv.")
    ]
    names = data.names
    if data.clinicians.is_empty():
        blocks.append(Para("No clinician is here yet."))
    else:
        rows: list[list[str | Cell]] = [
            [
                str(row["name"]), str(row["source_id"]), _span(row["started_on"], row["ended_on"]),
                "in training" if row["is_trainee"] else "", _where_from(row["source"]),
            ]
            for row in data.clinicians.to_dicts()
        ]  # fmt: skip
        blocks.append(Table("Clinicians", ("Clinician", "Id", "Works here", "Training", "Where from"), rows))
    if data.leave.height:
        rows = [
            [names[row["clinician_id"]], _span(row["from_day"], row["to_day"]), names.get(row["cover_id"], MISSING)]
            for row in data.leave.to_dicts()
        ]
        blocks.append(Heading("Who is away"))
        blocks.append(Table("Leave from today on", ("Away", "Days", "Covered by"), rows))
    if data.links.height:
        rows = [
            [row["supervisor"], row["supervisee"], _span(row["from_day"], row["to_day"])]
            for row in data.links.to_dicts()
        ]
        blocks.append(Heading("Who supervises whom"))
        blocks.append(Table("Supervision", ("Supervisor", "Supervisee", "Days"), rows))
    return [*blocks, Slot("staff")]


def _where_from(source: str) -> str:
    return "entered here" if source == BY_HAND else f"from {source}"


def _span(first: date | None, last: date | None) -> str:
    if first is None and last is None:
        return MISSING
    return (
        f"from {day(first)}"
        if last is None
        else f"until {day(last)}"
        if first is None
        else f"{day(first)} to {day(last)}"
    )


def _done(act: Callable[[], None], said: str) -> None:
    try:
        act()
    except SupervisionError as error:
        refused(error)
        return
    st.session_state["_staff_said"] = said
    st.rerun()


def _day(label: str, value: date | None, today: date) -> date | None:
    latest = today.replace(year=today.year + YEARS_AHEAD, day=1)
    chosen = st.date_input(label, value=value, min_value=EARLIEST, max_value=latest, format="YYYY-MM-DD")
    return chosen if isinstance(chosen, date) else None


def _given(value: date | None, what: str) -> date:
    if value is None:
        raise UnusableInput(f"Choose {what}.")
    return value


def staff_forms(viewer: Viewer, data: Staff) -> None:
    """Add and correct clinicians, leave and supervision."""
    if said := st.session_state.pop("_staff_said", None):
        st.html(f'<div class="sv"><p class="notice" role="status">{escape(said)}</p></div>')
    today = runtime.settings().today()
    _add_clinician(viewer, data, today)
    by_hand = {row["clinician_id"]: row for row in data.clinicians.filter(pl.col("source") == BY_HAND).to_dicts()}
    if by_hand:
        _change_clinician(viewer, by_hand, today)
    if data.clinicians.height:
        _add_leave(viewer, data, today)
    if data.clinicians.height > 1:
        _add_link(viewer, data, today)
    if data.links.height:
        _end_link(viewer, data, today)


def _add_clinician(viewer: Viewer, data: Staff, today: date) -> None:
    with st.expander("Add a clinician"), st.form("add-clinician", border=False):
        name = st.text_input("Name", max_chars=LONGEST_NAME)
        key = st.text_input(
            "Id, as in files and exports", value=suggested_id(data.clinicians["source_id"].to_list()), max_chars=40
        )
        started = _day("Works here since (optional)", None, today)
        trainee = st.checkbox("In training")
        sent = st.form_submit_button("Add the clinician")
    if sent:
        settings = runtime.settings()
        _done(
            lambda: add_clinician(
                runtime.engine(), settings, viewer, key=(key or "").strip(), name=name or "", started_on=started,
                is_trainee=trainee, now=settings.now(),
            ),
            "The clinician is added. An administrator links whoever signs in to them.",
        )  # fmt: skip


def _change_clinician(viewer: Viewer, known: Mapping[int, Mapping[str, object]], today: date) -> None:
    with st.expander("Correct a clinician"):
        who = st.selectbox("Who", list(known), format_func=lambda one: str(known[one]["name"]), key="staff-who")
        if who is None:
            return
        now = known[who]
        with st.form(f"change-clinician-{who}", border=False):
            name = st.text_input("Name", value=str(now["name"]), max_chars=LONGEST_NAME)
            started = _day("Works here since", now["started_on"], today)  # type: ignore[arg-type]
            ended = _day("Last day here (empty: stays)", now["ended_on"], today)  # type: ignore[arg-type]
            trainee = st.checkbox("In training", value=bool(now["is_trainee"]))
            sent = st.form_submit_button("Save the correction")
    if sent:
        settings = runtime.settings()
        _done(
            lambda: change_clinician(
                runtime.engine(), settings, viewer, who, name=name or "", started_on=started, ended_on=ended,
                is_trainee=trainee, now=settings.now(),
            ),
            "Saved.",
        )  # fmt: skip


def _add_leave(viewer: Viewer, data: Staff, today: date) -> None:
    names = data.names
    with st.expander("Enter leave"), st.form("add-leave", border=False):
        who = st.selectbox("Who is away", list(names), format_func=lambda one: names[one])
        first = _day("First day", today, today)
        last = _day("Last day", today + timedelta(days=7), today)
        cover = st.selectbox("Who covers", [None, *names], format_func=lambda one: names.get(one, "Nobody"))
        sent = st.form_submit_button("Enter the leave")
    if sent and who is not None:
        settings = runtime.settings()
        _done(
            lambda: add_leave(
                runtime.engine(), settings, viewer, who, first=_given(first, "the first day"),
                last=_given(last, "the last day"), cover_id=cover, now=settings.now(),
            ),
            "The leave is entered.",
        )  # fmt: skip


def _add_link(viewer: Viewer, data: Staff, today: date) -> None:
    names = data.names
    with st.expander("Enter who supervises whom"), st.form("add-link", border=False):
        above = st.selectbox("Supervisor", list(names), format_func=lambda one: names[one])
        below = st.selectbox("Supervisee", list(names), index=1, format_func=lambda one: names[one])
        first = _day("From", today, today)
        st.caption("From that day the supervisor can read the supervisee's episodes.")
        sent = st.form_submit_button("Enter the supervision")
    if sent and above is not None and below is not None:
        settings = runtime.settings()
        _done(
            lambda: add_link(runtime.engine(), settings, viewer, above, below, first=first, now=settings.now()),
            "The supervision is entered.",
        )


def _end_link(viewer: Viewer, data: Staff, today: date) -> None:
    links = {row["link_id"]: f"{row['supervisor']} supervises {row['supervisee']}" for row in data.links.to_dicts()}
    with st.expander("End a supervision"), st.form("end-link", border=False):
        which = st.selectbox("Which", list(links), format_func=lambda one: links[one])
        last = _day("Last day", today, today)
        st.caption("After that day the supervisor can no longer read the supervisee's episodes.")
        sent = st.form_submit_button("End it")
    if sent and which is not None:
        settings = runtime.settings()
        _done(
            lambda: end_link(
                runtime.engine(), settings, viewer, which, last=_given(last, "the last day"), now=settings.now()
            ),
            "The supervision ends on that day.",
        )
