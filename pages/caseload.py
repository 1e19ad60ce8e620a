"""My caseload: which episodes would I like to bring to supervision?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl
import streamlit as st
from sqlalchemy import Connection

from dashboard import named_meetings, runtime
from dashboard.access import (
    FirstLook,
    Role,
    Scope,
    Viewer,
    can_make_snapshot,
    first_look,
    narrowed,
    scope_for,
    screen_scope,
)
from dashboard.analytics.completeness import RECENT_DAYS
from dashboard.analytics.hazard_terms import RAISED
from dashboard.analytics.scoring import totals
from dashboard.digest import next_meeting
from dashboard.head_start import as_seen
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.meetings.week import Week, week
from dashboard.reach import pattern_scope
from dashboard.ui.caseload_rows import caseload_rows
from dashboard.ui.caseload_sums import longest_gap, recent
from dashboard.ui.closed_caseload import closed_to, cover_blocks, open_form, opened_words, rows_apart, told_blocks
from dashboard.ui.discussed_words import talked_about, until
from dashboard.ui.entry_links import enter_links, visibility_link
from dashboard.ui.frame import current_viewer
from dashboard.ui.opened import note_page
from dashboard.ui.reading import Standing, standing
from dashboard.ui.safety_blocks import safety_blocks
from dashboard.ui.safety_form import check_form, checking
from dashboard.ui.show import show
from dashboard.ui.view import Block, Caseload, Cell, Lead, Legend, Notice, Para, Slot, Table, View
from dashboard.ui.week_blocks import planned_blocks, week_blocks
from dashboard.ui.whose import pick_caseload
from dashboard.ui.words import day, plural, share
from pages import BY_NAME
from queries import caseload as reads
from queries import load as loads
from queries import meetings
from queries.acting import within
from queries.engine import reading
from queries.frames import read_frame

PAGE = BY_NAME["caseload"]
WORTH = ("talk_first", "worth_discussing")
SILENCE = ("no_contact", "nothing_booked")


@dataclass(frozen=True)
class Data:
    """What the page reads: one clinician's frames, or the states and flags of everyone in scope."""

    now: Standing
    clinicians: pl.DataFrame
    states: pl.DataFrame
    flags: pl.DataFrame
    cleared: pl.DataFrame
    safety: pl.DataFrame
    scores: pl.DataFrame
    appointments: pl.DataFrame
    falls: pl.DataFrame
    viewed: pl.DataFrame
    instruments: dict[str, Instrument]
    talked: dict[int, str]
    planned: list[Block]


def load(
    connection: Connection,
    scope: Scope,
    *,
    whole: bool,
    first: FirstLook | None = None,
    evaluation_id: int | None = None,
    planned: Sequence[Block] = (),
) -> Data:
    """Reads the page's frames; ``whole`` leaves out the scores that only one caseload shows.

    With ``evaluation_id`` states and signals are those of a past evaluation; scores and appointments stay as recorded now. With
    ``first`` the signals that clinicians are to see first are left out, and the status words follow what is left.
    """
    flags = read_frame(connection, reads.flags(scope, standing=False, first=first, evaluation_id=evaluation_id))
    stored = read_frame(connection, reads.states(scope, evaluation_id=evaluation_id))
    states = as_seen(connection, scope, stored, first, evaluation_id=evaluation_id)
    none = Scope(scope.practice_id, frozenset(), scope.reason)
    detail = none if whole else scope
    now = standing(connection, scope, evaluation_id)
    return Data(
        now=now,
        clinicians=read_frame(connection, reads.clinicians(scope)),
        states=states,
        flags=flags.filter(pl.col("cleared_on").is_null()),
        cleared=flags.filter(pl.col("cleared_on").is_not_null()),
        safety=read_frame(connection, reads.waiting_safety(scope, evaluation_id=evaluation_id)),
        scores=read_frame(connection, reads.scores(detail)),
        appointments=read_frame(connection, reads.appointments(scope)),
        falls=read_frame(connection, reads.falls(detail, evaluation_id=evaluation_id)),
        viewed=read_frame(connection, reads.last_viewed(detail)),
        instruments=registry(loads.own_instruments(connection, scope)),
        talked=talked_about(
            until(read_frame(connection, meetings.discussed(detail)), "held_on", now.as_of),
            until(read_frame(connection, meetings.actions(detail)), "agreed_on", now.as_of),
        ),
        planned=list(planned),
    )


def _name(row: dict[str, Any]) -> str:
    return str(row["display_name"] or row["source_id"])


def _lead(data: Data, as_of: date, today: date) -> Lead:
    states = data.states
    count = states.height
    worth = states.filter(pl.col("priority").is_in(WORTH)).height
    short = states.filter(pl.col("priority") == "not_enough_data").height
    has = "has" if worth == 1 else "have"
    sentence = f"{worth} of {plural(count, 'open episode')} {has} something worth discussing"
    sentence += f"; {short} {'has' if short == 1 else 'have'} not enough data yet." if short else "."
    if data.now.stale(today):
        sentence += _apart_from_silence(data)
    note = (
        f"{share(recent(states, 'latest_on', as_of), count)} have an outcome score in the last {RECENT_DAYS} days · "
        f"{share(recent(states, 'alliance_latest_on', as_of), count)} an alliance rating"
    )
    return Lead(sentence, note)


def _apart_from_silence(data: Data) -> str:
    """Where the data stopped a while ago, silence says little: how many stand out by anything else."""
    told = data.flags.filter(~pl.col("signal").is_in(SILENCE) & (pl.col("family") != "safety"))
    others = data.states.join(told, on="episode_id", how="semi").height
    worth = data.states.filter(pl.col("priority").is_in(WORTH)).height
    if worth <= others:
        return ""
    which = "all" if not others else f"{worth - others}"
    return f" In {which} of them the only sign is that the data stopped: nothing was booked or attended since."


def _week(data: Data, as_of: date) -> Week:
    return week(pl.concat([data.flags, data.cleared]), data.states, data.appointments, as_of)


def _longest_unopened(data: Data) -> str:
    seen = data.states.join(data.viewed, on="episode_id", how="left").sort(
        ["at", "opened_on"], nulls_last=False
    )  # fmt: skip
    if seen.is_empty():
        return ""
    one = seen.row(0, named=True)
    when = "not opened here yet" if one["at"] is None else f"last opened here {day(one['at'].date())}"
    return f"You may still want to talk about {one['client_code']} ({when})."


def _header(viewer: Viewer, data: Data, whose: str) -> str:
    return f"You are seeing: {whose} · {data.now.line}"


def build(
    viewer: Viewer, data: Data, *, chosen: str | None, today: date, why: str = "", told: Sequence[Block] = ()
) -> View:
    """One clinician's caseload; ``chosen`` is their name where it is not the viewer's own, ``why`` the reason it shows then."""
    title = PAGE.title if chosen is None else f"Caseload of {chosen}"
    question = PAGE.question if chosen is None else "Which episodes might be worth talking about in supervision?"
    count = data.states.height
    whose = (
        f"your {plural(count, 'open episode')}" if chosen is None else f"{plural(count, 'open episode')} of {chosen}"
    )
    if why:
        whose += f" ({why})"
    blocks: list[Block] = [Slot("picker"), Slot("enter"), *([Slot("visibility")] if chosen is None else []), *told]
    if stale := data.now.stale(today):
        blocks.append(Notice(stale))
    as_of = data.now.as_of
    if as_of is None or (data.states.is_empty() and data.safety.is_empty()):
        blocks.append(
            Para(
                f"No open episodes on {day(as_of or today)}. Episodes appear here once they are entered or imported, and open."
            )
        )
        return View(title, question, _header(viewer, data, whose), as_of, blocks)
    rows = caseload_rows(
        data.states,
        data.flags,
        totals(data.scores, data.instruments),
        data.appointments,
        data.falls,
        data.instruments,
        as_of,
        data.talked,
    )
    if data.states.is_empty():
        blocks.append(Para(f"No open episodes on {day(as_of)}."))
    else:
        blocks.append(_lead(data, as_of, today))
    blocks += safety_blocks(data.safety, {})
    if rows:
        blocks += week_blocks(_week(data, as_of), data.states, data.planned)
        if not any(row.priority in WORTH for row in rows):
            blocks.append(Para(f"Nothing stands out this week. {_longest_unopened(data)}"))
        blocks += [Caseload(rows, "caseload"), Legend(), Slot("snapshot")]
    return View(title, question, _header(viewer, data, whose), as_of, blocks)


def build_overview(viewer: Viewer, data: Data, *, today: date, told: Sequence[Block] = ()) -> View:
    """Every clinician in scope by name: open, worth discussing, coverage, nothing booked. No rank, no grade."""
    count = data.states.height
    title = "Caseloads" if viewer.role is Role.DIRECTOR else "Your supervisees' caseloads"
    whose = f"all {plural(count, 'open episode')} of " + (
        "the practice" if viewer.role is Role.DIRECTOR else "yours and your supervisees'"
    )
    question = "Where might a conversation help, and can each caseload be read at all?"
    blocks: list[Block] = [Slot("picker"), Slot("enter"), *told]
    if stale := data.now.stale(today):
        blocks.append(Notice(stale))
    as_of = data.now.as_of
    if as_of is None or data.clinicians.is_empty():
        blocks.append(
            Para(
                "Nothing is here yet. A director or an administrator imports the practice's files under Data quality (or with: "
                "supervision import FOLDER), or adds clinicians under People, who then enter their sessions here."
            )
        )
        return View(title, question, f"You are seeing: {data.now.line}", as_of, blocks)
    names = {row["clinician_id"]: _name(row) for row in data.clinicians.to_dicts()}
    if count:
        blocks.append(_lead(data, as_of, today))
    else:
        blocks.append(Para(f"No open episodes on {day(as_of)}."))
    blocks += safety_blocks(data.safety, names)
    if count:
        blocks += week_blocks(_week(data, as_of), data.states, data.planned)[:1]
    rows: list[list[str | Cell]] = []
    silent = []
    for row in data.clinicians.to_dicts():
        own = data.states.filter(pl.col("clinician_id") == row["clinician_id"])
        if own.is_empty():
            silent.append(_name(row))
            continue
        rows.append(
            [
                Cell(_name(row), href=f"./?clinician={row['public_id']}"),
                str(own.height),
                str(own.filter(pl.col("priority") == "talk_first").height),
                str(own.filter(pl.col("priority") == "worth_discussing").height),
                share(recent(own, "latest_on", as_of), own.height),
                share(recent(own, "alliance_latest_on", as_of), own.height),
                str(own.filter(pl.col("next_booked_on").is_null()).height),
                str(own.filter(pl.col("on_track") == "not_on_track").height),
                str(own.filter((pl.col("dropout_relative") > RAISED) & ~pl.col("dropout").fill_null(False)).height),
                longest_gap(own, as_of),
            ]
        )
    if rows:
        blocks.append(
            Table(
                "Open episodes by clinician, in alphabetical order",
                (
                    "Clinician",
                    "Open",
                    "Talk about first",
                    "Worth discussing",
                    f"Outcome score in {RECENT_DAYS} days",
                    f"Alliance rating in {RECENT_DAYS} days",
                    "Nothing booked",
                    "Beyond expected range",
                    "Raised chance of leaving",
                    "Longest since a session",
                ),
                rows,
                numeric=frozenset({1, 2, 3, 6, 7, 8}),
                note=f"Raised chance of leaving: more than {RAISED:g} times what is usual at that session. "
                "In alphabetical order, on purpose: caseloads differ in who is referred to them, and these counts say "
                "nothing about how well anyone works."
                + (f" Without open episodes: {', '.join(silent)}." if silent else ""),
            )
        )
    return View(title, question, _header(viewer, data, whose), as_of, blocks)


def _planned(connection: Connection, viewer: Viewer, own: Scope, today: date) -> list[Block]:
    """The viewer's next meeting, with the episodes of this caseload that stand on its agenda."""
    ahead = next_meeting(connection, viewer, today)
    if ahead is None:
        return []
    agenda = named_meetings.agenda(connection, viewer, ahead["meeting_id"]).filter(pl.col("position").is_not_null())
    if own.clinician_ids is not None:
        agenda = agenda.filter(pl.col("clinician_id").is_in(list(own.clinician_ids)))
    return planned_blocks(ahead, agenda["client_code"].drop_nulls().to_list())


def chosen_other(viewer: Viewer, person: dict[str, Any] | None) -> bool:
    """Whether the page shows one colleague's caseload."""
    return person is not None and person["clinician_id"] != viewer.clinician_id


def _snapshot(viewer: Viewer, clinician_id: int) -> None:
    from dashboard.ui.page_snapshots import caseload_snapshot  # reads through this page: not before it is there

    caseload_snapshot(viewer, clinician_id)


@dataclass(frozen=True)
class Shown:
    """The page as a viewer sees it: its rows, whom the picker names, and what is drawn."""

    data: Data
    people: list[dict[str, Any]]
    view: View


def seen_by(
    connection: Connection,
    viewer: Viewer,
    person: dict[str, Any] | None,
    people: list[dict[str, Any]],
    first_days: int,
    today: date,
    *,
    plans: bool = True,
) -> Shown:
    """What a viewer sees here: the caseload of ``person``, one of ``people`` on their screen; null: their whole scope.

    ``first_days``: the head start of clinicians; ``plans``: with the viewer's next meeting and what is told above the rows.
    Read for somebody else too. A director who gives reasons sees counts of every caseload, and rows of those that are open.
    """
    scope, screen = scope_for(viewer), screen_scope(viewer)
    own = narrowed(screen, person["clinician_id"]) if person else scope
    head_start = first_look(viewer, first_days, today)
    planned = _planned(connection, viewer, own, today) if plans else []
    other = chosen_other(viewer, person)
    told: list[Block] = []
    if plans and not other:
        mine = None if viewer.clinician_id is None else narrowed(screen, viewer.clinician_id)
        told = [*cover_blocks(viewer, people), *([] if mine is None else told_blocks(connection, mine, today))]
    if person is not None or viewer.role not in (Role.DIRECTOR, Role.SUPERVISOR):
        data = load(connection, own, whole=False, first=head_start, planned=planned)
        chosen = _name(person) if person and other else None
        why = opened_words(viewer, person["clinician_id"]) if person else ""
        return Shown(data, people, build(viewer, data, chosen=chosen, today=today, why=why, told=told))
    whole = pattern_scope(viewer) if viewer.gives_reasons else scope
    with within(connection, whole):
        data = load(connection, whole, whole=True, first=head_start, planned=planned)
    if scope.clinician_ids is not None and whole.clinician_ids is None:
        safety, closed = rows_apart(data.safety, scope)
        data, people, told = replace(data, safety=safety), data.clinicians.to_dicts(), [*told, *closed]
    return Shown(data, people, build_overview(viewer, data, today=today, told=told))


def render() -> None:
    """Reads the viewer's scope, narrowed to the clinician in the address, and shows it."""
    viewer = current_viewer()
    wanted = st.query_params.get("clinician", "")
    may_choose = viewer.role in (Role.DIRECTOR, Role.SUPERVISOR)
    settings = runtime.settings()
    with reading(runtime.engine()) as connection:
        people = read_frame(connection, reads.clinicians(screen_scope(viewer))).to_dicts()
        person = next((row for row in people if row["public_id"] == wanted), None)
        shown = seen_by(connection, viewer, person, people, settings.clinician_first_days, settings.today())
    data, people, view = shown.data, shown.people, shown.view
    whole = may_choose and person is None
    slots = {"safety": lambda: check_form(data.safety, settings.today(), checking(viewer))}
    if may_choose:
        slots["picker"] = lambda: pick_caseload({row["public_id"]: _name(row) for row in people}, wanted)
    if wanted and person is None and (closed := closed_to(viewer, clinician=wanted)) is not None:
        open_form(viewer, closed)
        return
    note_page("caseload" if person else "caseloads", person["clinician_id"] if person else None)
    if (viewer.role is Role.DIRECTOR and people) or (
        viewer.clinician_id is not None and not chosen_other(viewer, person)
    ):
        slots["enter"] = enter_links
    if viewer.clinician_id is not None and not whole and not chosen_other(viewer, person):
        slots["visibility"] = visibility_link
    if wanted and person is None:
        st.html(
            '<div class="sv"><p class="notice" role="status">This caseload is not yours or your supervisees\'.</p></div>'
        )
    whose = person["clinician_id"] if person else viewer.clinician_id
    if not whole and whose is not None and can_make_snapshot(scope_for(viewer), frozenset({whose})):
        slots["snapshot"] = lambda: _snapshot(viewer, whose)
    show(view, slots)


if __name__ == "__main__":
    render()
