"""Retention: when do episodes end early, and what came before?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl
import streamlit as st
from sqlalchemy import Connection

from dashboard import runtime
from dashboard.access import FirstLook, Role, Scope, Viewer, first_look, narrowed, scope_for
from dashboard.analytics.ending_rules import DEFINITIONS, LEFT, before_the_first_session, by_definition
from dashboard.analytics.hazard_terms import RAISED
from dashboard.analytics.retention import cumulative_incidence
from dashboard.charts.cumulative_incidence import cumulative_incidence_panel
from dashboard.counting import known_endings
from dashboard.reach import pattern_scope
from dashboard.replay.learning import Models
from dashboard.ui.ending_words import Definition, definitions
from dashboard.ui.frame import current_viewer
from dashboard.ui.opened import note_page
from dashboard.ui.reading import Standing, standing
from dashboard.ui.retention_parts import (
    at_risk_table,
    before_first_session,
    definition_blocks,
    learned_blocks,
    raised_blocks,
    visible_before,
)
from dashboard.ui.show import show, theme
from dashboard.ui.view import Block, Figure, Heading, Lead, Notice, Para, Slot, View
from dashboard.ui.words import day, plural, share
from pages import BY_NAME
from queries import caseload, models
from queries import retention as reads
from queries import rules as practice_rules
from queries.acting import within
from queries.engine import reading
from queries.frames import read_frame

PAGE = BY_NAME["retention"]
OWN = "own"
LOOK_BACK_DAYS = 365  # design: dropouts in the last 12 months
NOT_YOURS = "This caseload is not yours or your supervisees'."


@dataclass(frozen=True)
class Data:
    """Every episode in scope with its ending, what was on record before the early ones, and the model in force.

    ``rows``: whose episodes may also be listed one by one, where that is less than what is counted (null: all of them).
    """

    now: Standing
    clinicians: pl.DataFrame
    episodes: pl.DataFrame
    appointments: pl.DataFrame
    flags: pl.DataFrame
    endings: int
    fitted: Models | None
    rows: frozenset[int] | None = None

    def listed(self, episodes: pl.DataFrame) -> pl.DataFrame:
        """Those of some episodes (with clinician_id) that may be listed."""
        return episodes if self.rows is None else episodes.filter(pl.col("clinician_id").is_in(list(self.rows)))


def load(
    connection: Connection, scope: Scope, first: FirstLook | None = None, rows: frozenset[int] | None = None
) -> Data:
    """Reads the page's frames in a scope; only the count of known endings is of the whole practice.

    With ``first`` the signals that clinicians are to see first are left out.
    """
    now = standing(connection, scope)
    since = (now.as_of or date.max) - timedelta(days=LOOK_BACK_DAYS)
    return Data(
        now=now,
        clinicians=read_frame(connection, caseload.clinicians(scope)),
        episodes=read_frame(connection, reads.episodes(scope)),
        appointments=read_frame(connection, reads.last_appointments(scope, since)),
        flags=read_frame(connection, reads.signals_before(scope, since, first)),
        endings=known_endings(connection, scope),
        fitted=models.in_force(connection, scope.practice_id, now.as_of) if now.as_of else None,
        rows=rows,
    )


def _name(row: Mapping[str, Any]) -> str:
    return str(row["display_name"] or row["source_id"])


def _whose(viewer: Viewer, data: Data, chosen: str | None) -> str:
    count = plural(data.episodes.height, "episode")
    if chosen is not None:
        return f"{count} of {chosen}"
    if viewer.gives_reasons:
        return f"all {count} of the practice, listed one by one only where a caseload is open to you"
    return {
        Role.DIRECTOR: f"all {count} of the practice",
        Role.SUPERVISOR: f"all {count} of yours and your supervisees'",
    }.get(viewer.role, f"your {count}")


def _coverage(episodes: pl.DataFrame) -> str:
    closed = episodes.filter(pl.col("closed_on").is_not_null())
    coded = closed.filter(pl.col("ending").is_not_null() & (pl.col("ending") != "unknown")).height
    return f"ending coded in {share(coded, closed.height)} closed" if closed.height else "nothing closed yet"


def _lead(raised: pl.DataFrame, left: pl.DataFrame, one: Definition, single: bool) -> Lead:
    open_ones = f"{raised.height or 'none'} of {'your' if single else 'the'} open episodes"
    return Lead(
        f"{plural(left.height, 'episode')} ended {one.phrase} in the last 12 months; {open_ones} "
        f"{'have' if raised.height > 1 else 'has'} a raised chance of ending without agreement.",
        "Endings are counted by the day of the last session, which is known to be the last one only later.",
    )


def build(
    viewer: Viewer, data: Data, *, definition: str, chosen: str | None, days: int, enough: int, today: date, chart_theme: str
) -> View:  # fmt: skip
    """The curve by one definition, how the rate moves with it, what was visible before, and open episodes with a raised chance.

    ``chosen``: the one clinician shown; ``days``: the practice's limit for no return; ``enough``: endings for a curve.
    """
    whose = _whose(viewer, data, chosen)
    scope_line = f"You are seeing: {whose} · {data.now.line}"
    as_of = data.now.as_of
    blocks: list[Block] = [Slot("picker")]
    if stale := data.now.stale(today):
        blocks.append(Notice(stale))
    if as_of is None or data.episodes.is_empty():
        blocks.append(
            Para(f"No episode on {day(as_of or today)}. Endings appear here once episodes are imported and have had sessions.")
        )  # fmt: skip
        return View(PAGE.title, PAGE.question, scope_line, as_of, blocks)
    words = definitions(days)
    one = words[definition]
    several = data.clinicians.height > 1
    names = {row["clinician_id"]: _name(row) for row in data.clinicians.to_dicts()} if several else {}
    ended = by_definition(data.episodes, definition)
    since = as_of - timedelta(days=LOOK_BACK_DAYS)
    left = ended.filter((pl.col("outcome") == LEFT) & (pl.col("last_attended_on") >= since))
    gone = pl.col("dropout").fill_null(False)
    raised = data.episodes.filter(pl.col("closed_on").is_null() & ~gone & (pl.col("dropout_relative") > RAISED))
    blocks.append(_lead(raised, left, one, viewer.role is Role.CLINICIAN))
    course = cumulative_incidence(ended)
    panel = cumulative_incidence_panel(
        course, phrase=one.phrase, short=one.short, definition=one.name, whose=f"{whose[0].upper()}{whose[1:]}",
        coverage=_coverage(data.episodes), as_of=as_of, theme=chart_theme, enough=enough,
    )  # fmt: skip
    blocks.append(Figure(panel))
    if course.ended >= enough and course.drawn.height:
        blocks.append(at_risk_table(course, one.phrase))
    waiting = data.episodes.filter((pl.col("sessions_attended") == 0) & pl.col("closed_on").is_null())
    longest = waiting["opened_on"].min()
    blocks += before_first_session(
        before_the_first_session(data.episodes), longest if isinstance(longest, date) else None
    )
    blocks += definition_blocks(ended, words, definition)
    blocks.append(
        Heading(
            "What was visible before",
            f"Episodes that ended {one.phrase}, last session since {day(since)}: what was on record before that session.",
        )
    )
    if left.is_empty():
        blocks.append(Para(f"No episode ended {one.phrase} in the last 12 months."))
    elif (shown := data.listed(left)).is_empty():
        blocks.append(Para("None of them is of a caseload that is open to you."))
    else:
        blocks += visible_before(shown, data.appointments, data.flags, names)
    blocks += _open(data, data.listed(raised), names)
    return View(PAGE.title, PAGE.question, scope_line, as_of, blocks)


def _open(data: Data, raised: pl.DataFrame, names: Mapping[int, str]) -> list[Block]:
    silent = data.episodes.filter(pl.col("closed_on").is_null() & pl.col("dropout").fill_null(False)).height
    hazard = data.fitted.hazard if data.fitted else None
    verbs = ("counts", "is") if silent == 1 else ("count", "are")
    note = (
        f"; {plural(silent, 'open episode')} with no session for longer than the practice's limit {verbs[0]} as ended and "
        f"{verbs[1]} not listed here"
        if silent
        else ""
    )
    blocks: list[Block] = [
        Heading("Open episodes with a raised chance of ending without agreement"),
        Para(
            f"Compared with what is usual in this practice at the same session number{note}. Within a band by client code."
        ),
    ]
    blocks += raised_blocks(raised, names)
    return blocks + learned_blocks(hazard, data.fitted.fitted_on if data.fitted else None, data.endings)


def _pick(people: Sequence[Mapping[str, Any]], current: str, definition: str, words: Mapping[str, Definition]) -> None:
    names = {"": "Everyone together", **{row["public_id"]: _name(row) for row in people}}

    def go() -> None:
        wanted = {
            "clinician": st.session_state.get("retention_whose", ""),
            "definition": st.session_state["retention_definition"],
        }
        st.query_params.from_dict({key: one for key, one in wanted.items() if one and one != OWN})

    # the address decides: somebody may have come by a link, which the pickers know nothing of
    st.session_state["retention_definition"] = definition
    with st.container(horizontal=True):
        if people:
            st.session_state["retention_whose"] = current
            st.selectbox(
                "Whose episodes", list(names), format_func=lambda one: names.get(one, one), key="retention_whose",
                on_change=go, width=320,
            )  # fmt: skip
        st.selectbox(
            "What counts as ending early", list(words), format_func=lambda one: words[one].name,
            key="retention_definition", on_change=go, width=320,
        )  # fmt: skip


def render() -> None:
    """Reads the viewer's scope, narrowed to the clinician in the address, and shows it by the definition in the address."""
    viewer = current_viewer()
    settings = runtime.settings()
    scope = scope_for(viewer)
    wanted = st.query_params.get("clinician", "")
    asked = st.query_params.get("definition", OWN)
    definition = asked if asked in DEFINITIONS else OWN
    may_choose = viewer.role in (Role.DIRECTOR, Role.SUPERVISOR)
    with reading(runtime.engine()) as connection:
        limit = practice_rules.in_force(connection, viewer.practice_id, settings.rules).dropout_days
        people = read_frame(connection, caseload.clinicians(scope)).to_dicts()
        person = next((row for row in people if row["public_id"] == wanted), None)
        head_start = first_look(viewer, settings.clinician_first_days, settings.today())
        counted = narrowed(scope, person["clinician_id"]) if person else pattern_scope(viewer)
        with within(connection, counted):
            data = load(connection, counted, head_start, scope.clinician_ids if viewer.gives_reasons else None)
    note_page("retention", person["clinician_id"] if person else None)
    view = build(
        viewer, data, definition=definition, chosen=_name(person) if person and may_choose else None,
        days=limit, enough=settings.min_closed_episodes, today=settings.today(), chart_theme=theme(),
    )  # fmt: skip
    if wanted and person is None:
        st.html(f'<div class="sv"><p class="notice" role="status">{NOT_YOURS}</p></div>')
    current = person["public_id"] if person else ""
    words = definitions(limit)
    show(view, {"picker": lambda: _pick(people if may_choose else [], current, definition, words)})


if __name__ == "__main__":
    render()
