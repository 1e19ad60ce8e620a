"""Outcomes: how are closed episodes doing, and how sure can we be?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
import streamlit as st
from sqlalchemy import Connection

from dashboard import growth_goals, runtime
from dashboard.access import Role, Scope, Viewer, check_can_audit_practice, narrowed, scope_for
from dashboard.analytics.caseload import caseloads
from dashboard.estimate_view import EstimateView, estimate_view
from dashboard.own_reading import Own, own_reading
from dashboard.pattern_reading import Patterns, patterns
from dashboard.practice_patterns import PracticePatterns, practice_patterns
from dashboard.reach import pattern_scope
from dashboard.ui.caseload_sums import caseload_blocks
from dashboard.ui.equity_blocks import equity_blocks
from dashboard.ui.frame import current_viewer
from dashboard.ui.growth_blocks import standing_goal
from dashboard.ui.growth_form import goal_form
from dashboard.ui.integrity_blocks import integrity_blocks
from dashboard.ui.monitoring_form import monitoring_form
from dashboard.ui.opened import note_page
from dashboard.ui.outcome_blocks import (
    Drawing,
    change_blocks,
    funnel_block,
    interval_blocks,
    lead,
    measure_names,
    run_chart_block,
    vlad_block,
)
from dashboard.ui.own_patterns import FOLLOWED, GROWTH, growth_parts, own_blocks
from dashboard.ui.show import show, theme
from dashboard.ui.view import Block, Heading, Notice, Para, Slot, View
from dashboard.ui.words import day, plural
from pages import BY_NAME
from queries import caseload, store_patterns
from queries import caseloads as open_reads
from queries import rules as practice_rules
from queries.acting import within
from queries.engine import reading, writing
from queries.frames import read_frame

PAGE = BY_NAME["outcomes"]
NOT_YOURS = "These episodes are not yours or your supervisees'."
FIRST_MEASURE, EVERY_MEASURE = "dropout", "all"  # a screen shows one at a time, paper all of them
PARTS = {
    "clinicians": "Closed episodes",
    "growth": "Own growth",
    "caseloads": "Caseloads",
    "time": "Endings one by one",
    "groups": "Groups of clients",
    "integrity": "Score integrity",
}
SUPERVISORS, DIRECTORS = ("clinicians", "caseloads"), ("clinicians", "caseloads", "time", "groups", "integrity")
OF_THE_PRACTICE = ("groups", "integrity")
OF_ONE = ("clinicians", "growth")  # parts about one clinician; growth is theirs and their supervisor's


@dataclass(frozen=True)
class Data:
    """``own``: where one clinician is shown. ``open_episodes``: for caseloads. ``whole``: for the practice's parts."""

    found: Patterns
    own: Own | None
    open_episodes: pl.DataFrame
    whole: PracticePatterns | None
    dropout_days: int


@dataclass(frozen=True)
class Choice:
    """What is shown: one ``person`` (null: everybody in scope), a ``measure`` and a ``part`` of the page."""

    person: Mapping[str, Any] | None = None
    measure: str = FIRST_MEASURE
    part: str = "clinicians"


def load(
    connection: Connection, scope: Scope, viewer: Viewer, look: EstimateView, choice: Choice, dropout_days: int,
    evaluation_id: int | None = None,
) -> Data:  # fmt: skip
    """Reads the page in a scope; the practice's own parts only for those who see the whole practice."""
    wanted = look.whole_practice and scope.clinician_ids is None and choice.part in OF_THE_PRACTICE
    if wanted:
        check_can_audit_practice(viewer)
    return Data(
        found=patterns(connection, scope, look, evaluation_id),
        own=own_reading(connection, scope, viewer, choice.person["clinician_id"], evaluation_id)
        if choice.person
        else None,
        open_episodes=read_frame(connection, open_reads.open_episodes(scope, evaluation_id=evaluation_id)),
        whole=practice_patterns(connection, scope, choice.part, dropout_days, evaluation_id) if wanted else None,
        dropout_days=dropout_days,
    )


def name_of(row: Mapping[str, Any]) -> str:
    """A clinician's name, else the practice's own id."""
    return str(row["display_name"] or row["source_id"])


def whose_of(viewer: Viewer, choice: Choice) -> str:
    """Whose episodes, in words."""
    if choice.person is not None and choice.person["clinician_id"] != viewer.clinician_id:
        return f"episodes of {name_of(choice.person)}"
    if choice.person is not None or viewer.role is Role.CLINICIAN:
        return "your episodes"
    return "the whole practice" if viewer.role is Role.DIRECTOR else "your own and your supervisees' episodes"


def build(viewer: Viewer, look: EstimateView, data: Data, choice: Choice, *, today: date, chart_theme: str) -> View:
    """One clinician's own part, or everybody in scope side by side by name. No rank, no grade, no composite."""
    found = data.found
    whose = whose_of(viewer, choice)
    scope_line = f"You are seeing: {whose}, {plural(found.ended.height, 'ended episode')} · {found.now.line}"
    blocks: list[Block] = [Slot("picker")]
    if stale := found.now.stale(today):
        blocks.append(Notice(stale))
    as_of = found.now.as_of
    if as_of is None:
        blocks.append(Para(f"Nothing evaluated on {day(today)}. Outcomes appear here once episodes are imported."))
        return View(PAGE.title, PAGE.question, scope_line, as_of, blocks)
    drawing = Drawing(whose, as_of, chart_theme)
    if choice.person is not None and data.own is not None:
        person = int(choice.person["clinician_id"])
        if choice.part == "growth" and person in look.close:
            blocks += growth_parts(found, data.own, drawing, person, is_own=person == viewer.clinician_id)
        else:
            blocks += own_blocks(found, data.own, drawing, person)
            blocks += caseload_blocks(caseloads(data.open_episodes, [person], as_of), [choice.person])
    else:
        blocks += _part(look, data, choice, drawing)
    if choice.part != "growth":  # own growth stays on the screen of the two whom it concerns
        blocks.append(Slot("snapshot"))
    return View(PAGE.title, PAGE.question, scope_line, as_of, blocks)


def _part(look: EstimateView, data: Data, choice: Choice, drawing: Drawing) -> list[Block]:
    found, whole = data.found, look.whole_practice
    if choice.part == "caseloads":
        ids = found.people["clinician_id"].to_list()
        return caseload_blocks(caseloads(data.open_episodes, ids, drawing.as_of), found.people.to_dicts())
    if choice.part == "groups" and data.whole is not None:
        return equity_blocks(data.whole.groups, data.whole.fit)
    if choice.part == "integrity" and data.whole is not None:
        one = data.whole
        return integrity_blocks(one.cliffs, one.skips, one.relabelled, found.instruments)
    if found.ended.is_empty():
        return [Para("No episode has ended yet. What became of episodes appears here once they have.")]
    if choice.part == "time" and whole:
        return [vlad_block(found.ended, drawing)]
    blocks: list[Block] = [lead(found.ended)]
    if whole:
        blocks.append(run_chart_block(found.ended, drawing, data.dropout_days))
    blocks += [Heading("Clinicians", "One measure at a time, by name; the four are never added up."), Slot("measure")]
    for measure in measure_names() if choice.measure == EVERY_MEASURE else [choice.measure]:
        blocks += interval_blocks(found, [measure], drawing, None, with_shrunken=whole)
        if whole:
            blocks.append(funnel_block(found, measure, drawing))
    return blocks + change_blocks(found.ended, found.instruments, drawing)


def _go(choice: Choice) -> None:
    wanted = {
        "clinician": st.session_state.get("outcomes_whose", ""),
        "measure": st.session_state.get("outcomes_measure", choice.measure),
        "part": st.session_state.get("outcomes_part", choice.part),
    }
    usual = {"clinician": "", "measure": FIRST_MEASURE, "part": "clinicians"}
    st.query_params.from_dict({key: one for key, one in wanted.items() if one and one != usual[key]})


def _pick(people: Sequence[Mapping[str, Any]], choice: Choice, parts: Sequence[str], *, may_choose: bool) -> None:
    # the address decides: somebody may have come by a link, which the pickers know nothing of
    names = {"": "Everyone together", **{row["public_id"]: name_of(row) for row in people}}
    st.session_state["outcomes_part"] = choice.part
    with st.container(horizontal=True):
        if may_choose:
            st.session_state["outcomes_whose"] = choice.person["public_id"] if choice.person else ""
            st.selectbox(
                "Whose episodes", list(names), format_func=lambda one: names.get(one, one), key="outcomes_whose",
                on_change=_go, args=(choice,), width=320,
            )  # fmt: skip
        if len(parts) > 1:
            st.selectbox(
                "What to look at", list(parts), format_func=lambda one: PARTS[one], key="outcomes_part",
                on_change=_go, args=(choice,), width=320,
            )  # fmt: skip


def _measure(choice: Choice) -> None:
    names = measure_names()
    st.session_state["outcomes_measure"] = choice.measure
    st.selectbox(
        "Measure", list(names), format_func=lambda one: names[one], key="outcomes_measure", on_change=_go, args=(choice,),
        width=320,
    )  # fmt: skip


def _follow(viewer: Viewer, data: Data, clinician_id: int) -> None:
    if viewer.clinician_id != clinician_id:
        return

    def chosen(wanted: bool) -> None:
        with writing(runtime.engine()) as connection:
            store_patterns.choose_monitoring(connection, viewer, clinician_id, wanted, runtime.settings().now())

    monitoring_form(data.found.follows(clinician_id), chosen)


def _goal(viewer: Viewer, data: Data, clinician_id: int) -> None:
    if viewer.clinician_id != clinician_id or data.own is None:
        return
    goal = standing_goal(data.own.goals, clinician_id)
    settings, engine = runtime.settings(), runtime.engine()

    def set_one(text: str, sign: str, again: date | None, shared: bool) -> None:
        growth_goals.set_goal(
            engine, viewer, text=text, sign=sign, look_again_on=again, shared=shared, now=settings.now()
        )

    goal_form(
        goal is not None, bool(goal and goal["shared"]), settings.today(), set_goal=set_one,
        close_goal=lambda note: growth_goals.close_goal(engine, viewer, note=note, now=settings.now()),
        share_goal=lambda shared: growth_goals.share_goal(engine, viewer, shared=shared, now=settings.now()),
    )  # fmt: skip


def _snapshot(viewer: Viewer, choice: Choice, dropout_days: int) -> None:
    from dashboard.ui.page_snapshots import outcomes_snapshot  # reads through this page: not before it is there

    outcomes_snapshot(viewer, choice, dropout_days)


def chosen_from(
    viewer: Viewer, people: Sequence[Mapping[str, Any]], address: Mapping[str, str]
) -> Choice:  # fmt: skip
    """What the address asks for, as far as the viewer may have it; a clinician always sees themselves."""
    may_choose = viewer.role in (Role.DIRECTOR, Role.SUPERVISOR)
    wanted = address.get("clinician", "")
    own = next((row for row in people if row["clinician_id"] == viewer.clinician_id), None)
    person = next((row for row in people if row["public_id"] == wanted), None) if may_choose else own
    measure = address.get("measure", FIRST_MEASURE)
    part = address.get("part", "clinicians")
    return Choice(
        person,
        measure if measure in measure_names() else FIRST_MEASURE,
        part if part in parts_for(viewer, person) else "clinicians",
    )


def parts_for(viewer: Viewer, person: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The parts of the page that a viewer may open."""
    if person is not None:
        return OF_ONE if person["clinician_id"] in estimate_view(viewer).close else OF_ONE[:1]
    return DIRECTORS if viewer.role is Role.DIRECTOR else SUPERVISORS


def render() -> None:
    """Reads the viewer's scope, narrowed to the clinician in the address, and shows what the address asks for."""
    viewer = current_viewer()
    settings = runtime.settings()
    scope, look = scope_for(viewer), estimate_view(viewer)
    together = pattern_scope(viewer)
    wanted = st.query_params.get("clinician", "")
    may_choose = viewer.role in (Role.DIRECTOR, Role.SUPERVISOR)
    with reading(runtime.engine()) as connection:
        people = read_frame(connection, caseload.clinicians(scope)).to_dicts()
        choice = chosen_from(viewer, people, st.query_params.to_dict())
        person = choice.person
        limit = practice_rules.in_force(connection, viewer.practice_id, settings.rules).dropout_days
        asked = narrowed(scope, person["clinician_id"]) if person else together
        with within(connection, asked):
            data = load(connection, asked, viewer, look, choice, limit)
    note_page("outcomes", person["clinician_id"] if person else None)
    view = build(viewer, look, data, choice, today=settings.today(), chart_theme=theme())
    if wanted and may_choose and person is None:
        st.html(f'<div class="sv"><p class="notice" role="status">{NOT_YOURS}</p></div>')
    parts = parts_for(viewer, person)
    slots = {"measure": lambda: _measure(choice), "snapshot": lambda: _snapshot(viewer, choice, limit)}
    if may_choose or person is not None:
        slots["picker"] = lambda: _pick(people, choice, parts, may_choose=may_choose)
    if person is not None:
        slots[GROWTH] = lambda: _goal(viewer, data, int(person["clinician_id"]))
        slots[FOLLOWED] = lambda: _follow(viewer, data, int(person["clinician_id"]))
    show(view, slots)


if __name__ == "__main__":
    render()
