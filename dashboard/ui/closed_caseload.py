"""Caseloads that are open only for a while or for a reason: what a cover, a director and the clinician see of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl
import streamlit as st
from sqlalchemy import Connection

from dashboard import runtime
from dashboard.access import Scope, Viewer, covering_words
from dashboard.errors import SupervisionError
from dashboard.opened_caseloads import open_with_reason
from dashboard.reach import LONGEST_REASON, can_open_caseload, staff_scope
from dashboard.ui.say import refused
from dashboard.ui.view import Block, Cell, Notice, Table
from dashboard.ui.words import day, plural
from queries import caseload, opened_caseloads
from queries.acting import within
from queries.engine import reading
from queries.frames import read_frame


def cover_blocks(viewer: Viewer, people: list[dict[str, Any]]) -> list[Block]:
    """For whom the viewer covers today, until when, and the way to their caseloads; nothing for anybody else."""
    if not viewer.covers:
        return []
    public = {row["clinician_id"]: row["public_id"] for row in people}
    rows: list[list[str | Cell]] = [
        [Cell(one.name, href=f"./?clinician={public[one.clinician_id]}"), day(one.until)]
        for one in viewer.covers
        if one.clinician_id in public
    ]
    return [
        Notice(
            f"You are {covering_words(viewer)}, the last day included. You can read those episodes and record that a risk "
            "answer was checked; answers to signals wait for the colleague."
        ),
        Table("Caseloads that you cover", ("Clinician", "Until"), rows),
    ]


def told_blocks(connection: Connection, own: Scope, today: date) -> list[Block]:
    """Who opened this caseload with a reason lately: for the page of the clinician whose it is."""
    with within(connection, staff_scope(own)):
        rows = read_frame(connection, opened_caseloads.told(own, today)).to_dicts()
    return [Notice(_told(row)) for row in rows]


def _told(row: Mapping[str, Any]) -> str:
    minutes = round((row["until"] - row["opened_at"]).total_seconds() / 60)
    when = f"{day(row['opened_at'].date())} at {row['opened_at']:%H:%M}"
    return f"{row['name']} opened your caseload on {when} for {plural(minutes, 'minute')}: {row['reason']}"


def rows_apart(safety: pl.DataFrame, scope: Scope) -> tuple[pl.DataFrame, list[Block]]:
    """Waiting risk answers (as ``caseload.waiting_safety``) in scope; of closed caseloads only in how many episodes they wait."""
    open_ones = safety.filter(pl.col("clinician_id").is_in(list(scope.clinician_ids or ())))
    closed = safety.join(open_ones, on="episode_id", how="anti")["episode_id"].n_unique()
    if not closed:
        return open_ones, []
    words = f"In {plural(closed, 'episode')} of caseloads that are closed to you a risk answer waits for a check."
    return open_ones, [Notice(f"{words} Choose a caseload to open it with a reason.", "orange")]


def opened_words(viewer: Viewer, clinician_id: int) -> str:
    """Why somebody else's caseload shows, for the line above it; empty where it is a usual one."""
    for one in viewer.covers:
        if one.clinician_id == clinician_id:
            return f"you cover for {one.name} until {day(one.until)}"
    return "opened with a reason, for a while" if clinician_id in viewer.opened_ids else ""


def closed_to(viewer: Viewer, *, clinician: str | None = None, episode: str | None = None) -> dict[str, Any] | None:
    """The clinician behind an opaque id, of themselves or of an episode, whose caseload a director may open with a reason.

    Null where there is none in the practice, it is open already, or the viewer is no such director.
    """
    if not viewer.gives_reasons or not (clinician or episode):
        return None
    everyone = Scope(viewer.practice_id, None, "to name the clinician of a closed caseload")
    with reading(runtime.engine()) as connection, within(connection, everyone):
        people = read_frame(connection, caseload.clinicians(everyone)).to_dicts()
        whose = None
        if episode:
            found = read_frame(connection, caseload.states(everyone, open_only=False, public_id=episode))
            whose = found["clinician_id"][0] if found.height else None
    wanted = [row for row in people if row["clinician_id"] == whose or (clinician and row["public_id"] == clinician)]
    return wanted[0] if wanted and can_open_caseload(viewer, wanted[0]["clinician_id"]) else None


def open_form(viewer: Viewer, person: Mapping[str, Any]) -> None:
    """Asks for the reason, and opens the caseload for a while."""
    settings = runtime.settings()
    name = person["display_name"] or person["source_id"]
    st.html('<div class="sv"><p><a href="./" target="_self">Back to the caseloads</a></p></div>')
    with st.form("open-caseload"):
        st.subheader("A closed caseload", anchor=False)
        st.text(f"The caseload of {name} is not open to you. You can open it for {settings.open_minutes} minutes.")
        reason = st.text_area(
            "Why do you open it?", max_chars=LONGEST_REASON, help=f"{name} will read this, and it stays in the audit."
        )
        sent = st.form_submit_button("Open this caseload")
    if not sent:
        return
    try:
        open_with_reason(runtime.engine(), settings, viewer, int(person["clinician_id"]), reason or "", settings.now())
    except SupervisionError as error:
        refused(error)
        return
    st.rerun()
