"""Each role, each statement: nothing of another clinician's, nothing of another practice, nothing for an empty scope."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import date, datetime
from types import ModuleType
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine

from dashboard.access import FirstLook, Role, Scope, Viewer, operator_scope, scope_for
from dashboard.demo.practice import build
from dashboard.estimate_view import EstimateView
from dashboard.evaluation import ensure_current
from dashboard.intake.batch import Batch
from dashboard.settings import Settings
from dashboard.supervising import Room, prepare
from queries import (
    alliance,
    audit,
    caseload,
    caseloads,
    cases,
    endings,
    entries,
    equity,
    exports,
    growth,
    integrity,
    load,
    mappings,
    meetings,
    patterns,
    practices,
    quadrants,
    quality,
    replies,
    retention,
    snapshots,
    store_growth,
    validation,
    visibility,
)
from queries.engine import reading, writing
from queries.frames import read_frame
from queries.store import store_batch
from queries.tables import Statement
from tests.conftest import Template

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12)
SETTINGS = Settings(timezone="UTC")
LONG_AGO = date(2000, 1, 1)
ALLIANCE = ("srs", "wai_sr", "wai_sr_t")

EVERYTHING = EstimateView(frozenset(), True)

# statement -> how it is called; the second test fails where a public builder is missing here
STATEMENTS: dict[str, Callable[[Scope, int], Statement]] = {
    "caseload.evaluation": lambda s, _: caseload.evaluation(s),
    "caseload.clinicians": lambda s, _: caseload.clinicians(s),
    "caseload.states": lambda s, _: caseload.states(s, open_only=False),
    "caseload.flags": lambda s, _: caseload.flags(s, standing=False),
    "caseload.held_back": lambda s, _: caseload.held_back(s, FirstLook(None, LONG_AGO)),
    "caseload.scores": lambda s, _: caseload.scores(s, open_only=False),
    "caseload.appointments": lambda s, _: caseload.appointments(s, open_only=False),
    "caseload.falls": lambda s, _: caseload.falls(s, open_only=False),
    "caseload.raised_lately": lambda s, _: caseload.raised_lately(s, LONG_AGO),
    "caseload.last_viewed": lambda s, _: caseload.last_viewed(s),
    "caseload.waiting_safety": lambda s, _: caseload.waiting_safety(s),
    "caseloads.open_episodes": lambda s, _: caseloads.open_episodes(s),
    "entries.episodes": lambda s, _: entries.episodes(s),
    "entries.appointments": lambda s, _: entries.appointments(s),
    "entries.scores": lambda s, _: entries.scores(s),
    "entries.earlier_appointments": lambda s, _: entries.earlier_appointments(s),
    "entries.earlier_scores": lambda s, _: entries.earlier_scores(s),
    "entries.instruments_used": lambda s, _: entries.instruments_used(s),
    "entries.clients": lambda s, _: entries.clients(s),
    "entries.clinicians": lambda s, _: entries.clinicians(s, TODAY),
    "endings.ending_counts": lambda s, _: endings.ending_counts(s),
    "equity.episodes": lambda s, _: equity.episodes(s),
    "integrity.sessions": lambda s, _: integrity.sessions(s),
    "integrity.statuses_held": lambda s, _: integrity.statuses_held(s),
    "growth.goals": lambda s, _: growth.goals(s, Viewer("g", Role.DIRECTOR, s.practice_id)),
    "growth.sign_sessions": lambda s, _: growth.sign_sessions(s),
    "growth.sign_states": lambda s, _: growth.sign_states(s),
    "quadrants.states": lambda s, _: quadrants.states(s),
    "quadrants.alliance_scores": lambda s, _: quadrants.alliance_scores(s, ALLIANCE, TODAY),
    "retention.episodes": lambda s, _: retention.episodes(s),
    "retention.last_appointments": lambda s, _: retention.last_appointments(s, LONG_AGO),
    "retention.signals_before": lambda s, _: retention.signals_before(s, LONG_AGO),
    "retention.known_endings": lambda s, _: retention.known_endings(s),
    "quality.sessions_since": lambda s, _: quality.sessions_since(s, datetime(2000, 1, 1)),
    "quality.measured_since": lambda s, _: quality.measured_since(s, LONG_AGO),
    "quality.opened_since": lambda s, _: quality.opened_since(s, LONG_AGO),
    "quality.first_sessions": lambda s, _: quality.first_sessions(s, LONG_AGO),
    "quality.without_baseline": lambda s, _: quality.without_baseline(s),
    "quality.newest_record": lambda s, _: quality.newest_record(s, TODAY),
    "replies.replies": lambda s, _: replies.replies(s, TODAY),
    "alliance.open_states": lambda s, _: alliance.open_states(s),
    "alliance.ratings": lambda s, _: alliance.ratings(s, ALLIANCE, TODAY),
    "alliance.both_rated": lambda s, _: alliance.both_rated(s, ALLIANCE, TODAY),
    "alliance.at_session": lambda s, _: alliance.at_session(s, 3),
    "alliance.experience": lambda s, _: alliance.experience(s),
    "meetings.discussed": lambda s, _: meetings.discussed(s),
    "meetings.actions": lambda s, _: meetings.actions(s),
    "meetings.marks": lambda s, _: meetings.marks(s),
    "meetings.action_scores": lambda s, _: meetings.action_scores(s),
    "meetings.flagged_cases": lambda s, _: meetings.flagged_cases(s),
    "meetings.scored_sessions": lambda s, _: meetings.scored_sessions(s),
    "meetings.after_transfer": lambda s, _: meetings.after_transfer(s),
    "meetings.pattern_talked": lambda s, _: meetings.pattern_talked(s),
    "patterns.estimates": lambda s, _: patterns.estimates(s, EVERYTHING),
    "patterns.practice": lambda s, _: patterns.practice(s, EVERYTHING),
    "patterns.expectations": lambda s, _: patterns.expectations(s),
    "patterns.monitoring": lambda s, _: patterns.monitoring(s),
    "cases.ended": lambda s, e: cases.ended(s, e),
    "cases.treating": lambda s, e: cases.treating(s, e),
    "cases.intake_known": lambda s, _: cases.intake_known(s, TODAY)[0],
    "cases.births_known": lambda s, _: cases.births_known(s, TODAY)[0],
    "cases.first_scores": lambda s, e: cases.first_scores(s, e, ("phq9", "gad7"), TODAY)[0],
    "load.linked": lambda s, _: load.linked(s, TODAY)[0],
    "load.safety_checks": lambda s, _: load.safety_checks(s, TODAY),
    "exports.episodes": lambda s, e: exports.episodes(s, e),
    "exports.flags": lambda s, e: exports.flags(s, e),
    "exports.sessions": lambda s, e: exports.sessions(s, e),
    "exports.endings": lambda s, e: exports.endings(s, e),
    "exports.audit": lambda s, _: exports.audit(s, Role.CLINICIAN),
    "validation.episodes": lambda s, e: validation.episodes(s, e),
    "validation.sessions": lambda s, e: validation.sessions(s, e, LONG_AGO),
    "validation.alerts": lambda s, e: validation.alerts(s, e, LONG_AGO),
    "snapshots.listed": lambda s, _: snapshots.listed(s, limit=50),
    "snapshots.counted": lambda s, _: snapshots.counted(s),
    "snapshots.holding": lambda s, _: snapshots.holding(s, 1),
    "visibility.looks": lambda s, _: visibility.looks(s),
    "visibility.looks_counted": lambda s, _: visibility.looks_counted(s),
    "visibility.acts": lambda s, _: visibility.acts(s, "x"),
    "visibility.supervisors": lambda s, _: visibility.supervisors(s, TODAY),
    "visibility.others": lambda s, _: visibility.others(s),
}
# hold no client rows: counts of a practice, its imports, and the set-aside rows that only whole scopes get
OF_THE_PRACTICE = {
    "load.leaves",
    "load.trainees",
    "mappings.saved",
    "mappings.content",
    "quality.imports",
    "quality.last_import",
    "quality.set_aside_count",
    "exports.set_aside",
}
COUNTS = {
    "caseload.raised_lately",
    "retention.known_endings",
    "quality.newest_record",
    "caseload.evaluation",
    "snapshots.counted",
    "snapshots.holding",
    "patterns.practice",
}


def _named_apart(batch: Batch, mark: str) -> Batch:
    """The same practice under other ids, so that a row of one can be told from a row of the other."""
    ids = {
        "clinician_id",
        "client_id",
        "episode_id",
        "appointment_id",
        "supervisor_id",
        "supervisee_id",
        "cover_id",
        "client_code",
    }
    tables = {
        name: frame.with_columns((pl.lit(mark) + pl.col(c)).alias(c) for c in frame.columns if c in ids)
        for name, frame in batch.tables.items()
    }
    return Batch(tables, files=batch.files)


@pytest.fixture(scope="module")
def two_practices(template: Template) -> Iterator[tuple[Engine, int, int]]:
    """Two practices in one database, which no test here changes; somebody has opened an episode in each."""
    with template.filled() as engine:
        yield (engine, *practices_in(engine))


def practices_in(engine: Engine) -> tuple[int, int]:
    """Two practices made in a database, each with meetings, goals and somebody who opened every episode."""
    found = []
    for mark in ("A", "B"):
        batch = _named_apart(build(3, 4, 24, TODAY), mark)
        with writing(engine) as connection:
            practice = practices.ensure_practice(connection, f"Practice {mark}", NOW)
            store_batch(connection, practice, "files", batch, today=TODAY, now=NOW, username=None)
        ensure_current(engine, SETTINGS, practice, NOW)
        _meetings_about_everybody(engine, practice)
        _goals_of_everybody(engine, practice)
        with writing(engine) as connection:
            for row in read_frame(connection, caseload.states(operator_scope(practice), open_only=False)).to_dicts():
                audit.record(
                    connection, at=NOW, practice_id=practice, username="x", action="view episode",
                    clinician_id=row["clinician_id"], episode_id=row["episode_id"],
                )  # fmt: skip
        found.append(practice)
    return found[0], found[1]


def _meetings_about_everybody(engine: Engine, practice: int) -> None:
    """A closed meeting about each clinician, in which everything was talked about and something agreed."""
    director = Viewer("d", Role.DIRECTOR, practice)
    with reading(engine) as connection:
        people = read_frame(connection, caseload.clinicians(operator_scope(practice)))
    for public in people["public_id"].to_list():
        made = prepare(engine, SETTINGS, director, [public], held_on=TODAY, minutes=120, kind="one_to_one", now=NOW)
        with reading(engine) as connection:
            row = read_frame(connection, meetings.meetings(director, public_id=made)).row(0, named=True)
            items = read_frame(connection, meetings.items(director, row["meeting_id"]))
        room = Room(engine, SETTINGS, director, made, row["version"])
        on = items.filter(pl.col("position").is_not_null())["item_id"].to_list()
        for item in on:
            room.write(item, "what", "Ask how it felt", 0)
        room.close(on)


def _goals_of_everybody(engine: Engine, practice: int) -> None:
    """A shared growth goal of each clinician."""
    with reading(engine) as connection:
        people = read_frame(connection, caseload.clinicians(operator_scope(practice)))
    with writing(engine) as connection:
        for one in people["clinician_id"].to_list():
            store_growth.set_goal(
                connection, Viewer("g", Role.CLINICIAN, practice, one), text="Ask", sign="outcome_at_last",
                value_at_start=None, n_at_start=0, look_again_on=TODAY, shared=True, now=NOW,
            )  # fmt: skip


def _whole(engine: Engine, practice: int) -> pl.DataFrame:
    with reading(engine) as connection:
        states = read_frame(connection, caseload.states(operator_scope(practice), open_only=False))
        people = read_frame(connection, caseload.clinicians(operator_scope(practice)))
    return states.join(people.select("clinician_id", "source_id", "display_name"), on="clinician_id")


def _viewers(engine: Engine, practice: int) -> dict[str, Viewer]:
    with reading(engine) as connection:
        ids = read_frame(connection, caseload.clinicians(operator_scope(practice)))["clinician_id"].to_list()
    return {
        "clinician": Viewer("c", Role.CLINICIAN, practice, ids[0]),
        "supervisor": Viewer("s", Role.SUPERVISOR, practice, ids[1], frozenset({ids[2]})),
        "director": Viewer("d", Role.DIRECTOR, practice, ids[3]),
        "admin": Viewer("a", Role.ADMIN, practice),
        "clinician without a record": Viewer("n", Role.CLINICIAN, practice),
    }


def _evaluation(engine: Engine, practice: int) -> int:
    with reading(engine) as connection:
        return int(read_frame(connection, caseload.evaluation(operator_scope(practice)))["id"][0])


def test_no_statement_returns_a_row_outside_the_viewers_scope(two_practices: tuple[Engine, int, int]) -> None:
    engine, practice, other = two_practices
    whole, foreign = _whole(engine, practice), _whole(engine, other)
    evaluation = _evaluation(engine, practice)
    with reading(engine) as connection:
        source = dict(
            read_frame(connection, exports.episodes(operator_scope(practice), evaluation))
            .select("episode_id", "clinician_id")
            .rows()
        )
    for role, viewer in _viewers(engine, practice).items():
        scope = scope_for(viewer)
        mine = (
            whole
            if scope.clinician_ids is None
            else whole.filter(pl.col("clinician_id").is_in(list(scope.clinician_ids)))
        )
        allowed: dict[str, set[Any]] = {
            "episode_id": set(mine["episode_id"]) | {e for e, c in source.items() if c in set(mine["source_id"])},
            "clinician_id": set(mine["clinician_id"]) | set(mine["source_id"]) | _people(engine, scope),
            "public_id": set(mine["public_id"]),
            "client_code": set(mine["client_code"]),
        }
        for name, made in STATEMENTS.items():
            with reading(engine) as connection:
                frame = read_frame(connection, made(scope, evaluation))
            if scope.is_empty and name not in COUNTS:
                assert frame.is_empty(), f"{role} reads rows of {name}"
            if name == "caseload.clinicians":
                assert set(frame["clinician_id"]) <= allowed["clinician_id"]
                continue
            for column, values in allowed.items():
                if column in frame.columns:
                    seen = set(frame[column].drop_nulls())
                    assert seen <= values, f"{role} sees others' {column} in {name}"
            codes = set(foreign["client_code"])
            for column, dtype in frame.schema.items():
                if dtype == pl.String():
                    assert not codes & set(frame[column].drop_nulls()), f"{role}: another practice in {name}.{column}"


def _people(engine: Engine, scope: Scope) -> set[Any]:
    with reading(engine) as connection:
        frame = read_frame(connection, caseload.clinicians(scope))
    return set(frame["clinician_id"]) | set(frame["source_id"])


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_counts_for_an_empty_scope_are_none(two_practices: tuple[Engine, int, int], name: str) -> None:
    engine, practice, _ = two_practices
    scope = Scope(practice, frozenset(), "nobody")
    with reading(engine) as connection:
        frame = read_frame(connection, STATEMENTS[name](scope, 0))
    assert frame.is_empty() or frame.row(0) in ((None,), (0,))


def test_a_scope_of_one_practice_with_ids_of_another_reads_nothing(two_practices: tuple[Engine, int, int]) -> None:
    engine, practice, other = two_practices
    foreign = frozenset(_whole(engine, other)["clinician_id"].to_list())
    scope = Scope(practice, foreign, "forged")
    for name, made in STATEMENTS.items():
        with reading(engine) as connection:
            frame = read_frame(connection, made(scope, _evaluation(engine, other)))
        assert frame.is_empty() or name in COUNTS, name


def _builders(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    short = module.__name__.split(".")[-1]
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if function.__module__ == module.__name__ and not name.startswith("_"):
            first = next(iter(inspect.signature(function, eval_str=True).parameters.values()), None)
            if first is not None and first.annotation is Scope:
                yield f"{short}.{name}", function


@pytest.mark.parametrize(
    "module",
    [
        alliance,
        cases,
        patterns,
        caseload,
        caseloads,
        endings,
        entries,
        equity,
        growth,
        integrity,
        quadrants,
        quality,
        exports,
        load,
        mappings,
        meetings,
        replies,
        retention,
        snapshots,
        validation,
        visibility,
    ],
    ids=lambda m: m.__name__,
)
def test_every_public_statement_builder_is_in_this_test(module: ModuleType) -> None:
    found = {name for name, _ in _builders(module)}
    assert found
    assert found <= set(STATEMENTS) | OF_THE_PRACTICE


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_every_statement_starts_from_what_is_visible(name: str) -> None:
    sql = str(STATEMENTS[name](Scope(1, frozenset({1}), "own"), 1))
    assert "visible_episode" in sql or "visible_clinician" in sql
