"""Meetings: what shall we talk about, and what became of last time?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import streamlit as st

from dashboard import named_meetings, runtime
from dashboard.access import NO_MEETING, Role, Scope, Viewer, first_look, scope_for
from dashboard.errors import SupervisionError
from dashboard.estimate_view import estimate_view
from dashboard.instruments import registry
from dashboard.meeting_reading import caseloads
from dashboard.meetings import follow_up
from dashboard.meetings.effect import CASES, effect
from dashboard.meetings.followed import followed, four_apart, standardised
from dashboard.meetings.transfers import transfers
from dashboard.settings import Rules
from dashboard.signin.gate import still_signed_in
from dashboard.supervising import Room, prepare, set_action
from dashboard.ui import meeting_close, meeting_hold, meeting_list, meeting_patterns, meeting_prepare
from dashboard.ui.episode_figure import figure
from dashboard.ui.episode_reading import load as load_episode
from dashboard.ui.frame import current_viewer
from dashboard.ui.meeting_blocks import People
from dashboard.ui.meeting_loading import Sitting, action_points, boxes_of, names_of, sitting
from dashboard.ui.opened import note_meeting, note_page
from dashboard.ui.page_snapshots import meeting_snapshot
from dashboard.ui.reading import standing
from dashboard.ui.safety_form import check_form, checking
from dashboard.ui.say import refused
from dashboard.ui.show import show, show_blocks, theme
from dashboard.ui.view import Block, Figure, Heading, Notice, Para, View
from pages import BY_NAME
from queries import caseload, load, meetings
from queries import rules as practice_rules
from queries.engine import reading
from queries.frames import read_frame

PAGE = BY_NAME["meeting"]


def _act(do: Callable[..., Any], *args: Any) -> None:
    """Runs an act and keeps what went wrong for the page to say."""
    try:
        do(*args)
    except SupervisionError as error:
        st.session_state[meeting_hold.SAID] = str(error)


def _say() -> None:
    if said := st.session_state.pop(meeting_hold.SAID, None):
        refused(said)


def _set_action(action_id: int, state: str, seen: int) -> None:
    settings = runtime.settings()
    _act(set_action, runtime.engine(), current_viewer(), action_id, state, seen, settings.now())


def _prepare(chosen: list[str], held_on: date, minutes: int, kind: str) -> None:
    settings = runtime.settings()

    def made() -> None:
        public_id = prepare(
            runtime.engine(), settings, current_viewer(), chosen, held_on=held_on, minutes=minutes, kind=kind,
            now=settings.now(),
        )  # fmt: skip
        st.query_params.from_dict({"meeting": public_id})

    _act(made)


def _all(viewer: Viewer) -> None:
    """Every meeting of the viewer, what is due, and preparing another."""
    scope, settings = scope_for(viewer), runtime.settings()
    with reading(runtime.engine()) as connection:
        now = standing(connection, scope)
        people = read_frame(connection, caseload.clinicians(scope))
        listed = named_meetings.listed(connection, viewer)
        about = named_meetings.people(connection, viewer)
        read = caseloads(connection, scope)
        points = action_points(connection, scope, read, registry(load.own_instruments(connection, scope)))
        changed = transfers(read_frame(connection, meetings.after_transfer(scope)))
    names = People(names_of(people))
    leads = viewer.role in (Role.SUPERVISOR, Role.DIRECTOR)
    whose = "your meetings" if viewer.role is Role.CLINICIAN else "meetings you lead or take part in"
    if viewer.role is Role.DIRECTOR:
        whose = "all meetings of the practice"
    note_page("meetings", None)
    show(View(PAGE.title, PAGE.question, f"You are seeing: {whose} · {now.line}", now.as_of, []))
    _say()
    if leads:
        meeting_list.prepare_form(
            people.to_dicts(), viewer.clinician_id, viewer.role is Role.DIRECTOR, settings.today(), _prepare
        )
    due = follow_up.due(read.actions, settings.today())
    show_blocks([Heading("To look at again", "Agreed earlier, and the day has come.")])
    meeting_hold.draw_actions(due, points, names, _set_action)
    show_blocks([*meeting_list.list_blocks(listed, about), *meeting_list.transfer_blocks(changed, names)])
    if leads and now.as_of is not None:
        show_blocks(_helped(scope, now.as_of))


def _helped(scope: Scope, as_of: date) -> list[Block]:
    """Did discussing help? For who leads, over their whole scope; never per clinician."""
    with reading(runtime.engine()) as connection:
        items = read_frame(connection, meetings.flagged_cases(scope))
        if items.is_empty():
            return meeting_list.helped_blocks(effect(pl.DataFrame(schema=CASES), pl.DataFrame()), as_of, theme())
        instruments = registry(load.own_instruments(connection, scope))
        sessions = standardised(read_frame(connection, meetings.scored_sessions(scope)), instruments)
    return meeting_list.helped_blocks(effect(followed(items, sessions), four_apart(sessions)), as_of, theme())


@st.fragment(run_every=meeting_hold.POLL_SECONDS)
def _deciding(sat: Sitting, room: Room, row: dict[str, Any]) -> None:
    """What is written beside an item: read again every few seconds, so that each sees what the other saved."""
    if not still_signed_in(active=st.session_state.pop(meeting_hold.ACTIVE, False)):
        st.rerun()
    with reading(runtime.engine()) as connection:
        boxes = boxes_of(read_frame(connection, meetings.fields(room.viewer, sat.row["meeting_id"])))
    _say()
    meeting_hold.deciding(sat, room, row, boxes)


def _case(sat: Sitting, viewer: Viewer, row: dict[str, Any]) -> tuple[list[Block], list[Block]]:
    """The middle and the side of a case: figure, signals and last decision; answers given beforehand."""
    settings = runtime.settings()
    if row["public_id"] is None:
        return [Para("This episode is not in your caseload or your supervisees'.")], []
    with reading(runtime.engine()) as connection:
        first = first_look(viewer, settings.clinician_first_days, settings.today())
        data = load_episode(connection, scope_for(viewer), row["public_id"], first)
        rules: Rules = practice_rules.in_force(connection, viewer.practice_id, settings.rules)
    if data.state is None or data.now.as_of is None:
        return [Para("This episode is not part of the current evaluation.")], []
    middle: list[Block] = [Figure(figure(data, chart_theme=theme())), Heading("Signals")]
    middle += meeting_hold.signal_blocks(data.flags, rules)
    middle += meeting_hold.last_decision(sat, row["episode_id"])
    return middle, meeting_hold.answers(data.flags, data.replies, sat.people.hidden)


def _middle(sat: Sitting, viewer: Viewer, row: dict[str, Any]) -> tuple[list[Block], list[Block]]:
    if row["episode_id"] is not None:
        return _case(sat, viewer, row)
    if row["kind"] in meeting_patterns.KINDS:
        settings = runtime.settings()
        with reading(runtime.engine()) as connection:
            limit = practice_rules.in_force(connection, viewer.practice_id, settings.rules).dropout_days
            return meeting_patterns.pattern_part(
                connection, viewer, estimate_view(viewer), sat, row, dropout_days=limit, theme=theme()
            ), []
    return meeting_hold.other_parts(sat, row), []


def _hold(sat: Sitting, room: Room, viewer: Viewer, row: dict[str, Any]) -> None:
    title, under = meeting_hold.heading(row, sat)
    show(View(title, under, f"{meeting_prepare.title(sat)} · {meeting_prepare.line(sat)}", sat.now.as_of, []))
    agenda, middle, side = st.columns([1.1, 2.6, 1.5], gap="medium")
    with agenda:
        meeting_hold.agenda_list(sat, room, row["item_id"])
        _hide(sat, room)
    blocks, beside = _middle(sat, viewer, row)
    with middle:
        if row["kind"] == "actions":
            due = follow_up.due(sat.read.actions, sat.row["held_on"])
            now = sat.read.actions.filter(pl.col("state_on") == sat.row["held_on"])
            meeting_hold.draw_actions(pl.concat([due, now]), sat.points, sat.people, _set_action)
        show_blocks(blocks)
        if row["kind"] == "safety" and sat.read.safety.height:
            check_form(sat.read.safety, runtime.settings().today(), checking(viewer))
    with side:
        show_blocks(beside)
        _deciding(sat, room, row)


def _hide(sat: Sitting, room: Room) -> None:
    st.session_state["hide-names"] = bool(sat.row["hides_names"])
    st.toggle(
        "Hide names", key="hide-names", disabled=not sat.writes, help="Codes and initials only, for a shared screen (H).",
        on_change=lambda: _act(room.hide_names, bool(st.session_state["hide-names"])),
    )  # fmt: skip


def _one(viewer: Viewer, public_id: str) -> None:
    settings = runtime.settings()
    with reading(runtime.engine()) as connection:
        sat = sitting(
            connection, viewer, public_id, first_look(viewer, settings.clinician_first_days, settings.today())
        )
        limit = practice_rules.in_force(connection, viewer.practice_id, settings.rules).dropout_days
    if sat is None:
        show(View(PAGE.title, PAGE.question, "", None, [Para(NO_MEETING)]))
        _say()
        return
    note_meeting(public_id, sat.clinicians)
    room = Room(runtime.engine(), settings, viewer, public_id, sat.row["version"])
    asked = st.query_params.get("item", "")
    row = next((one for one in sat.agenda if str(one["item_id"]) == asked), None)
    if row is not None:
        _hold(sat, room, viewer, row)
        return
    closing = sat.is_closed or st.query_params.get("step") == "close"
    stale = sat.now.stale(settings.today())
    blocks: list[Block] = [Notice(stale)] if stale else []
    question = "What was agreed, and is it right as it stands?" if closing else "What shall we talk about?"
    show(View(meeting_prepare.title(sat), question, meeting_prepare.line(sat), sat.now.as_of, blocks))
    _say()
    if closing:
        meeting_close.draw(sat, room, _act)
    else:
        _hide(sat, room)
        meeting_prepare.draw(sat, room, _act)
    if sat.leads or not sat.clinicians - {viewer.clinician_id}:
        meeting_snapshot(viewer, public_id, sat.row["version"], limit)


def render() -> None:
    """All meetings, or the one in the address: its agenda, one item of it, or its close."""
    viewer = current_viewer()
    public_id = st.query_params.get("meeting", "")
    if public_id:
        _one(viewer, public_id)
    else:
        _all(viewer)


if __name__ == "__main__":
    render()
