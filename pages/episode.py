"""Episode: what has happened in this episode, and since when?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

import polars as pl
import streamlit as st
from sqlalchemy import Connection

from dashboard import runtime
from dashboard.access import NO_EPISODE, Scope, scope_for
from dashboard.analytics.changes import changes
from dashboard.analytics.scoring import totals
from dashboard.charts.episode_course import Course, Slot, episode_course
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.signals import BY_KEY
from dashboard.signals.wording import short_name
from dashboard.ui.caseload_rows import client_totals
from dashboard.ui.fit_blocks import episode_questions
from dashboard.ui.frame import current_viewer
from dashboard.ui.reading import Standing, standing
from dashboard.ui.show import show, theme
from dashboard.ui.status import ATTENDANCE, CHANGE, PRIORITY, RUPTURE
from dashboard.ui.view import (
    Block,
    Cell,
    Facts,
    Figure,
    Fold,
    Heading,
    Lead,
    Notice,
    Para,
    RaisedSignal,
    Signals,
    Split,
    Table,
    View,
)
from dashboard.ui.view import Slot as Place
from dashboard.ui.words import MISSING, day, plural, score, signed, weeks
from pages import BY_NAME
from queries import audit
from queries import caseload as reads
from queries import load as loads
from queries.engine import reading, writing
from queries.frames import read_frame

PAGE = BY_NAME["episode"]
ENDING = {
    "planned": "planned ending",
    "mutual": "ended by agreement",
    "unilateral": "ended without a planned ending",
    "transferred": "transferred to another clinician",
    "moved": "moved away",
    "other": "another ending",
    "unknown": "ending not recorded",
}


@dataclass(frozen=True)
class Data:
    """One episode's frames; ``state`` null where it is not in scope (or does not exist)."""

    now: Standing
    state: dict[str, Any] | None
    clinician: str
    clinician_public_id: str
    flags: pl.DataFrame
    scores: pl.DataFrame
    appointments: pl.DataFrame
    falls: pl.DataFrame
    instruments: dict[str, Instrument]


def load(connection: Connection, scope: Scope, public_id: str) -> Data:
    """Reads one episode within a scope."""
    found = read_frame(connection, reads.states(scope, open_only=False, public_id=public_id)).to_dicts()
    state = found[0] if found else None
    people = read_frame(connection, reads.clinicians(scope)).to_dicts()
    person = next((row for row in people if state and row["clinician_id"] == state["clinician_id"]), None)
    flags = read_frame(connection, reads.flags(scope, standing=False, public_id=public_id))
    return Data(
        now=standing(connection, scope),
        state=state,
        clinician=str(person["display_name"] or person["source_id"]) if person else "",
        clinician_public_id=str(person["public_id"]) if person else "",
        flags=flags,
        scores=read_frame(connection, reads.scores(scope, open_only=False, public_id=public_id)),
        appointments=read_frame(connection, reads.appointments(scope, open_only=False, public_id=public_id)),
        falls=read_frame(connection, reads.falls(scope, open_only=False, public_id=public_id)),
        instruments=registry(loads.own_instruments(connection, scope)),
    )


def _course(
    kind: str, one: Instrument | None, made: pl.DataFrame, flagged: frozenset[date], words: str, episode_id: int
) -> Course | None:
    if one is None or one.minimum is None or one.maximum is None:
        return None
    points = client_totals(made).get((episode_id, one.key), [])
    if not points:
        return None
    return Course(
        name=short_name(one),
        better=one.better,
        low=one.minimum,
        high=one.maximum,
        cutoff=one.cutoff,
        points=points,
        flagged=flagged,
        flag_words=words,
    )


def _slots(appointments: pl.DataFrame, as_of: date) -> list[Slot]:
    shown = []
    for row in appointments.sort("starts_at").to_dicts():
        when = row["starts_at"].date()
        mark, words = ATTENDANCE[row["status"]]
        if mark == "b" and when <= as_of:
            words = "not recorded yet"
        shown.append(Slot(when, mark, words))
    return shown


def _when(flag: dict[str, Any], as_of: date) -> str:
    gone = "" if flag["cleared_on"] is None else f" · no longer raised since {day(flag['cleared_on'])}"
    return f"Since {day(flag['since'])} ({weeks(flag['since'], as_of)}) · first known {day(flag['raised_on'])}{gone}"


def _signals(flags: pl.DataFrame, as_of: date) -> tuple[list[RaisedSignal], list[RaisedSignal]]:
    standing_ones: list[RaisedSignal] = []
    past: list[RaisedSignal] = []
    order = list(BY_KEY)
    known = [flag for flag in flags.to_dicts() if flag["signal"] in BY_KEY]
    for flag in sorted(known, key=lambda flag: (order.index(flag["signal"]), flag["since"])):
        signal = BY_KEY[flag["signal"]]
        stands = flag["cleared_on"] is None
        made = RaisedSignal(
            signal.title, _when(flag, as_of), flag["evidence"], signal.prompt, f"Source: {signal.source}", stands
        )
        (standing_ones if stands else past).append(made)
    return standing_ones, sorted(past, key=lambda one: one.when, reverse=True)


def _change_rows(made: pl.DataFrame, instruments: dict[str, Instrument]) -> tuple[list[list[str | Cell]], list[str]]:
    rows: list[list[str | Cell]] = []
    notes = []
    for row in changes(made, instruments).to_dicts():
        one = instruments[row["instrument"]]
        whose = "" if row["respondent"] == "client" else ", by the clinician"
        scale = "" if row["scale"] == "total" else f", {row['scale']}"
        is_outcome_total = row["kind"] == "outcome" and row["scale"] == "total"
        crossed = (
            MISSING if row["crossed"] is None else "crossed to the community side" if row["crossed"] else "not crossed"
        )
        rows.append(
            [
                Cell(f"{short_name(one)}{scale}{whose}", sub=f"{one.better} is better"),
                str(row["scores"]),
                Cell(score(row["baseline"]), sub=day(row["baseline_on"])),
                Cell(score(row["latest"]), sub=day(row["latest_on"])) if row["scores"] > 1 else MISSING,
                signed(row["change"]),
                _reliable(row) if is_outcome_total else MISSING,
                Cell(
                    crossed if is_outcome_total else MISSING,
                    sub=f"cut-off {score(row['cutoff'])}" if row["cutoff"] else "",
                ),
            ]
        )
        if is_outcome_total and row["rc"] is not None:
            under = "under" if one.rc_inclusive else "up to"
            notes.append(f"{short_name(one)}: changes {under} {score(row['rc'])} points can be chance")
    return rows, notes


def _reliable(row: dict[str, Any]) -> Cell:
    if row["rc"] is None:
        return Cell(MISSING, sub="no threshold known")
    return Cell(mark=CHANGE[row["change_category"]])


def _headline(state: dict[str, Any], standing_ones: list[RaisedSignal]) -> str:
    worth = [one.title for one in standing_ones]
    if worth:
        more = f" and {plural(len(worth) - 1, 'other signal')}" if len(worth) > 1 else ""
        return f"{worth[0]}{more}"
    if state["change"] is None:
        return state["missing"] or "Not enough data yet"
    return f"{CHANGE[state['change_category']].word}; nothing raised"


def build(data: Data, *, today: date, chart_theme: str, measure: str | None = None) -> View:
    """The figure, the signals with their evidence and questions, the change table and the numbers.

    ``measure`` is the key of another outcome questionnaire to draw in place of the one the signals use.
    """
    state = data.state
    if state is None or data.now.as_of is None:
        return View(PAGE.title, PAGE.question, "", None, [Para(NO_EPISODE), Place("back")])
    as_of = data.now.as_of
    made = totals(data.scores, data.instruments)
    origin = state["first_attended_on"] or state["opened_on"]
    chosen = data.instruments.get(measure or state["outcome_instrument"] or "")
    worse = data.flags.filter((pl.col("signal") == "reliable_worsening") & pl.col("cleared_on").is_null())
    worse_since = worse["since"].min()
    is_own = chosen is not None and chosen.key == state["outcome_instrument"]
    days = frozenset(d for d in data.scores["taken_on"].to_list() if worse_since is not None and d >= worse_since)
    fell = frozenset(row["starts_at"].date() for row in data.falls.to_dicts())
    key = state["episode_id"]
    outcome = _course("outcome", chosen, made, days if is_own else frozenset(), "", key)
    alliance = _course(
        "alliance",
        data.instruments.get(state["alliance_instrument"] or ""),
        made,
        fell,
        "fall in the rating: possible rupture",
        key,
    )
    standing_ones, past = _signals(data.flags, as_of)
    ordinary, _ = _signals(data.flags.filter(pl.col("family") != "safety"), as_of)
    headline = _headline(state, ordinary)
    ended = state["closed_on"] is not None
    scope_line = f"You are seeing: one episode of {data.clinician} · {data.now.line}"
    blocks: list[Block] = [Place("back")]
    if stale := data.now.stale(today):
        blocks.append(Notice(stale))
    last = ENDING.get(state["ending"] or "unknown", "ended")
    blocks.append(
        Lead(
            f"Closed {day(state['closed_on'])}: {last}" if ended else "",
            f"{plural(state['sessions_attended'], 'session')} · opened {day(state['opened_on'])} · "
            f"last session {day(state['last_attended_on'])} · next booked {day(state['next_booked_on'])}",
            None if ended else PRIORITY[state["priority"]],
        )
    )
    panel = episode_course(
        code=state["client_code"],
        headline=headline,
        outcome=outcome,
        alliance=alliance,
        slots=_slots(data.appointments, as_of),
        origin=origin,
        as_of=as_of,
        theme=chart_theme,
    )
    beside: list[Block] = [Heading("Signals")]
    if standing_ones:
        beside.append(Signals(standing_ones))
    else:
        beside.append(Para("No signal stands." + (f" {state['missing']}" if state["missing"] else "")))
    if past:
        beside.append(Fold(f"No longer raised ({len(past)})", [Signals(past)]))
    beside += episode_questions(state)
    blocks.append(Split([Place("measure"), Figure(panel)], beside))
    rows, notes = _change_rows(made, data.instruments)
    blocks.append(Heading("Change"))
    if rows:
        blocks.append(
            Table(
                "Baseline, latest and change of each questionnaire",
                ("Questionnaire", "Scores", "Baseline", "Latest", "Change", "Reliable?", "Cut-off?"),
                rows,
                numeric=frozenset({1, 4}),
                note="; ".join(notes) + "." if notes else "",
            )
        )
    else:
        blocks.append(Para("No questionnaire has been answered in this episode yet."))
    if state["alliance_latest"] is None:
        blocks.append(Para("No alliance questionnaire has been answered by the client in this episode."))
        return View(f"Episode {state['client_code']}", PAGE.question, scope_line, as_of, blocks)
    blocks.append(
        Facts(
            [
                ("Alliance", RUPTURE[state["rupture"]]),
                ("Client's own usual rating", score(state["alliance_reference"])),
                ("Latest rating", f"{score(state['alliance_latest'])} ({day(state['alliance_latest_on'])})"),
            ]
        )
    )
    return View(f"Episode {state['client_code']}", PAGE.question, scope_line, as_of, blocks)


def _measures(data: Data) -> dict[str, str]:
    keys = [row["instrument"] for row in changes(totals(data.scores, data.instruments), data.instruments).to_dicts()
            if row["kind"] == "outcome" and row["scale"] == "total" and row["respondent"] == "client"]  # fmt: skip
    first = data.state["outcome_instrument"] if data.state else None
    ordered = sorted(dict.fromkeys(keys), key=lambda key: (key != first, key))
    return {key: short_name(data.instruments[key]) for key in ordered}


def _pick(names: dict[str, str]) -> None:
    st.segmented_control(
        "Outcome measure shown",
        list(names),
        format_func=lambda key: names[key],
        default=next(iter(names)),
        required=True,
        key="measure",
    )


def _opened(state: dict[str, Any]) -> None:
    """An audit row for the first look in this session; a rerun is not another look."""
    viewer = current_viewer()
    seen = st.session_state.setdefault("_opened", set())
    if state["public_id"] in seen:
        return
    with writing(runtime.engine()) as connection:
        audit.record(
            connection, at=runtime.settings().now(), practice_id=viewer.practice_id, username=viewer.username,
            action="view episode", clinician_id=state["clinician_id"], episode_id=state["episode_id"],
        )  # fmt: skip
    seen.add(state["public_id"])


def render() -> None:
    """Reads the episode named in the address, writes down who opened it, and shows it."""
    viewer = current_viewer()
    public_id = st.query_params.get("episode", "")
    with reading(runtime.engine()) as connection:
        data = load(connection, scope_for(viewer), public_id)
    slots = {"back": lambda: _back(data)}
    measure = None
    if data.state is not None:
        _opened(data.state)
        names = _measures(data)
        if len(names) > 1:
            slots["measure"] = lambda: _pick(names)
            picked = st.session_state.get("measure")
            measure = picked if picked in names else None
    show(build(data, today=runtime.settings().today(), chart_theme=theme(), measure=measure), slots)


def _back(data: Data) -> None:
    own = current_viewer().clinician_id
    if data.state is None or data.state["clinician_id"] == own:
        href, words = "./", "Back to the caseload"
    else:
        href, words = f"./?clinician={data.clinician_public_id}", f"Back to the caseload of {data.clinician}"
    show_link(href, words)


def show_link(href: str, words: str) -> None:
    """A plain link within the app."""
    st.html(f'<div class="sv"><p><a href="{escape(href)}" target="_self">{escape(words)}</a></p></div>')


if __name__ == "__main__":
    render()
