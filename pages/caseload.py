"""My caseload: which episodes would I like to bring to supervision?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl
import streamlit as st
from sqlalchemy import Connection

from dashboard import runtime
from dashboard.access import FirstLook, Role, Scope, Viewer, first_look, narrowed, scope_for
from dashboard.analytics.hazard_terms import RAISED
from dashboard.analytics.scoring import totals
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.replay.priority import worded
from dashboard.ui.caseload_rows import caseload_rows
from dashboard.ui.frame import current_viewer
from dashboard.ui.reading import Standing, standing
from dashboard.ui.safety_form import safety_form
from dashboard.ui.show import show
from dashboard.ui.view import Block, Caseload, Cell, Facts, Fold, Lead, Legend, Notice, Para, Slot, Table, View
from dashboard.ui.words import MISSING, day, plural, share, weeks
from pages import BY_NAME
from queries import caseload as reads
from queries import load as loads
from queries.engine import reading
from queries.frames import read_frame

PAGE = BY_NAME["caseload"]
RECENT_DAYS = 30  # design: coverage line
NEW_DAYS = 7
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


def load(
    connection: Connection,
    scope: Scope,
    *,
    whole: bool,
    first: FirstLook | None = None,
    evaluation_id: int | None = None,
) -> Data:
    """Reads the page's frames; ``whole`` leaves out the scores and appointments that only one caseload shows.

    With ``evaluation_id`` states and signals are those of a past evaluation; scores and appointments stay as recorded now.

    With ``first`` the signals that clinicians are to see first are left out, and the status words follow what is left.
    """
    flags = read_frame(connection, reads.flags(scope, standing=False, first=first, evaluation_id=evaluation_id))
    states = read_frame(connection, reads.states(scope, evaluation_id=evaluation_id))
    if first is not None:
        states = worded(states, flags.filter(pl.col("cleared_on").is_null() & (pl.col("state") != "snoozed")))
    none = Scope(scope.practice_id, frozenset(), scope.reason)
    detail = none if whole else scope
    return Data(
        now=standing(connection, scope, evaluation_id),
        clinicians=read_frame(connection, reads.clinicians(scope)),
        states=states,
        flags=flags.filter(pl.col("cleared_on").is_null()),
        cleared=flags.filter(pl.col("cleared_on").is_not_null()),
        safety=read_frame(connection, reads.waiting_safety(scope, evaluation_id=evaluation_id)),
        scores=read_frame(connection, reads.scores(detail)),
        appointments=read_frame(connection, reads.appointments(detail)),
        falls=read_frame(connection, reads.falls(detail, evaluation_id=evaluation_id)),
        viewed=read_frame(connection, reads.last_viewed(detail)),
        instruments=registry(loads.own_instruments(connection, scope)),
    )


def _name(row: dict[str, Any]) -> str:
    return str(row["display_name"] or row["source_id"])


def _recent(states: pl.DataFrame, column: str, as_of: date) -> int:
    return states.filter(pl.col(column) >= as_of - timedelta(days=RECENT_DAYS)).height


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
        f"{share(_recent(states, 'latest_on', as_of), count)} have an outcome score in the last {RECENT_DAYS} days · "
        f"{share(_recent(states, 'alliance_latest_on', as_of), count)} an alliance rating"
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


def _facts(data: Data, as_of: date) -> Facts:
    since = as_of - timedelta(days=NEW_DAYS)
    counted = pl.col("family") != "safety"
    raised = data.flags.filter(counted & (pl.col("raised_on") > since)).height
    cleared = data.cleared.filter(counted & (pl.col("cleared_on") > since)).height
    unbooked = data.states.filter(pl.col("next_booked_on").is_null()).height
    unmeasured = data.states.filter((pl.col("scores") == 0) & (pl.col("sessions_attended") > 0)).height
    return Facts(
        [
            ("New this week", f"{plural(raised, 'signal')} raised, {cleared} cleared"),
            ("Nothing booked", plural(unbooked, "episode")),
            ("No outcome score yet", plural(unmeasured, "episode")),
        ]
    )


def _longest_unopened(data: Data) -> str:
    seen = data.states.join(data.viewed, on="episode_id", how="left").sort(
        ["at", "opened_on"], nulls_last=False
    )  # fmt: skip
    if seen.is_empty():
        return ""
    one = seen.row(0, named=True)
    when = "not opened here yet" if one["at"] is None else f"last opened here {day(one['at'].date())}"
    return f"You may still want to talk about {one['client_code']} ({when})."


def _safety(safety: pl.DataFrame, clinicians: dict[int, str]) -> list[Block]:
    if safety.is_empty():
        return []
    latest = (
        safety.sort(["episode_id", "since"])
        .group_by("episode_id", maintain_order=True)
        .agg(
            pl.col("public_id", "client_code", "clinician_id", "closed_on", "evidence").last(),
            answers=pl.len(),
            since=pl.col("since").last(),
        )
        .sort(["since", "client_code"], descending=[True, False])
    )
    count = latest.height
    still_open = latest.filter(pl.col("closed_on").is_null())
    rows = [
        [
            Cell(row["client_code"], sub=clinicians.get(row["clinician_id"], ""), href=f"episode?episode={row['public_id']}"),
            row["evidence"],
            plural(row["answers"], "answer"),
            "open" if row["closed_on"] is None else f"closed {day(row['closed_on'])}",
        ]
        for row in latest.to_dicts()
    ]  # fmt: skip
    shown = [row for row, state in zip(rows, latest["closed_on"], strict=True) if state is None]
    folded = [row for row, state in zip(rows, latest["closed_on"], strict=True) if state is not None]
    columns = ("Episode", "What was answered last", "Waiting", "State")
    kind = "closed episode" if still_open.is_empty() else "open episode" if still_open.height == count else "episode"
    mixed = f" ({still_open.height} of them open)" if kind == "episode" else ""
    blocks: list[Block] = [
        Notice(
            f"Safety: in {plural(count, kind)}{mixed} a risk item was answered above zero and no check is recorded here. "
            "Check that each was followed up.",
            "orange",
        )
    ]
    if shown:
        blocks.append(
            _folded(Table("Risk answers in open episodes waiting for a check", columns, shown), "Open episodes")
        )
    if folded:
        closed = Table("Risk answers in closed episodes waiting for a check", columns, folded)
        blocks.append(_folded(closed, "Closed episodes"))
    return [*blocks, Slot("safety")]


def _folded(table: Table, words: str) -> Block:
    return Fold(f"{words} ({len(table.rows)})", [table])


def _header(viewer: Viewer, data: Data, whose: str) -> str:
    return f"You are seeing: {whose} · {data.now.line}"


def build(viewer: Viewer, data: Data, *, chosen: str | None, today: date) -> View:
    """One clinician's caseload; ``chosen`` is their name where it is not the viewer's own."""
    title = PAGE.title if chosen is None else f"Caseload of {chosen}"
    question = PAGE.question if chosen is None else "Which episodes might be worth talking about in supervision?"
    count = data.states.height
    whose = (
        f"your {plural(count, 'open episode')}" if chosen is None else f"{plural(count, 'open episode')} of {chosen}"
    )
    blocks: list[Block] = [Slot("picker")]
    if stale := data.now.stale(today):
        blocks.append(Notice(stale))
    as_of = data.now.as_of
    if as_of is None or (data.states.is_empty() and data.safety.is_empty()):
        blocks.append(
            Para(f"No open episodes on {day(as_of or today)}. Episodes appear here once they are imported and open.")
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
    )
    if data.states.is_empty():
        blocks.append(Para(f"No open episodes on {day(as_of)}."))
    else:
        blocks.append(_lead(data, as_of, today))
    blocks += _safety(data.safety, {})
    if rows:
        blocks.append(_facts(data, as_of))
        if not any(row.priority in WORTH for row in rows):
            blocks.append(Para(f"Nothing stands out this week. {_longest_unopened(data)}"))
        blocks += [Caseload(rows, "caseload"), Legend(), Slot("snapshot")]
    return View(title, question, _header(viewer, data, whose), as_of, blocks)


def build_overview(viewer: Viewer, data: Data, *, today: date) -> View:
    """Every clinician in scope by name: open, worth discussing, coverage, nothing booked. No rank, no grade."""
    count = data.states.height
    title = "Caseloads" if viewer.role is Role.DIRECTOR else "Your supervisees' caseloads"
    whose = f"all {plural(count, 'open episode')} of " + (
        "the practice" if viewer.role is Role.DIRECTOR else "yours and your supervisees'"
    )
    question = "Where might a conversation help, and can each caseload be read at all?"
    blocks: list[Block] = [Slot("picker")]
    if stale := data.now.stale(today):
        blocks.append(Notice(stale))
    as_of = data.now.as_of
    if as_of is None or data.clinicians.is_empty():
        blocks.append(
            Para(
                "Nothing is loaded yet. A director or an administrator imports the practice's files under Data quality, or "
                "with: supervision import FOLDER."
            )
        )
        return View(title, question, f"You are seeing: {data.now.line}", as_of, blocks)
    names = {row["clinician_id"]: _name(row) for row in data.clinicians.to_dicts()}
    if count:
        blocks.append(_lead(data, as_of, today))
    else:
        blocks.append(Para(f"No open episodes on {day(as_of)}."))
    blocks += _safety(data.safety, names)
    if count:
        blocks.append(_facts(data, as_of))
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
                share(_recent(own, "latest_on", as_of), own.height),
                share(_recent(own, "alliance_latest_on", as_of), own.height),
                str(own.filter(pl.col("next_booked_on").is_null()).height),
                str(own.filter(pl.col("on_track") == "not_on_track").height),
                str(own.filter((pl.col("dropout_relative") > RAISED) & ~pl.col("dropout").fill_null(False)).height),
                _longest_gap(own, as_of),
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


def _longest_gap(own: pl.DataFrame, as_of: date) -> str:
    last = own["last_attended_on"].drop_nulls()
    return MISSING if last.is_empty() else weeks(last.min(), as_of)  # type: ignore[arg-type]


def _pick(viewer: Viewer, people: Sequence[dict[str, Any]], current: str | None) -> None:
    options = ["", *(row["public_id"] for row in people)]
    names = {row["public_id"]: _name(row) for row in people}

    def go() -> None:
        st.query_params.from_dict({"clinician": st.session_state["whose"]} if st.session_state["whose"] else {})

    # the address decides: somebody may have come by a link, which the picker knows nothing of
    st.session_state["whose"] = current if current in options else ""
    st.selectbox(
        "Whose caseload",
        options,
        format_func=lambda one: names.get(one, "Everyone, by name"),
        key="whose",
        on_change=go,
        width=320,
    )


def _snapshot(viewer: Viewer, clinician_id: int) -> None:
    from dashboard.ui.page_snapshots import caseload_snapshot  # reads through this page: not before it is there

    caseload_snapshot(viewer, clinician_id)


def render() -> None:
    """Reads the viewer's scope, narrowed to the clinician in the address, and shows it."""
    viewer = current_viewer()
    scope = scope_for(viewer)
    wanted = st.query_params.get("clinician")
    may_choose = viewer.role in (Role.DIRECTOR, Role.SUPERVISOR)
    with reading(runtime.engine()) as connection:
        people = read_frame(connection, reads.clinicians(scope)).to_dicts()
        person = next((row for row in people if row["public_id"] == wanted), None)
        own = narrowed(scope, person["clinician_id"]) if person else scope
        whole = may_choose and person is None
        today = runtime.settings().today()
        head_start = first_look(viewer, runtime.settings().clinician_first_days, today)
        data = load(connection, own, whole=whole, first=head_start)
    if whole:
        view = build_overview(viewer, data, today=today)
    else:
        chosen = _name(person) if person and person["clinician_id"] != viewer.clinician_id else None
        view = build(viewer, data, chosen=chosen, today=today)
    slots = {"safety": lambda: safety_form(viewer, data.safety)}
    if wanted and person is None:
        st.html(
            '<div class="sv"><p class="notice" role="status">This caseload is not yours or your supervisees\'.</p></div>'
        )
    whose = person["clinician_id"] if person else viewer.clinician_id
    if not whole and whose is not None:
        slots["snapshot"] = lambda: _snapshot(viewer, whose)
    if may_choose:
        slots["picker"] = lambda: _pick(viewer, people, person["public_id"] if person else None)
    show(view, slots)


if __name__ == "__main__":
    render()
