"""What the audits of the whole practice read: as known on the evaluation's day, by whoever sees everybody, on both databases."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, select

from dashboard.access import Scope, operator_scope
from dashboard.analytics.equity import AUDIT, EQUITY_EPISODES, audit, by_group
from dashboard.analytics.own_endings import own_endings
from dashboard.analytics.score_integrity import SCORED, STATUSES_HELD, cliffs, relabelled, skipped
from dashboard.analytics.validation import EPISODES_JUDGED, SESSIONS_JUDGED
from dashboard.evaluation import evaluate
from dashboard.instruments import BUILT_IN
from queries import endings, equity, integrity, validation
from queries.engine import reading
from queries.frames import read_frame
from queries.tables import Practice
from tests.factories import write_practice
from tests.integration.test_known_when import BASE, NOW, TODAY, Tables, give
from tests.integration.test_main_job import SETTINGS, load

FIRST = datetime(2026, 10, 1, 9)
CLIENT = {"client_id": "k1", "client_code": "A-1", "birth_year": 1990, "gender": "woman", "ethnicity": "x"}


def practice_of(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(select(Practice.id)).scalar_one())


def known(engine: Engine, as_of: date) -> dict[str, Any]:
    practice = practice_of(engine)
    made = evaluate(engine, SETTINGS, practice, as_of=as_of, now=NOW)
    with reading(engine) as connection:
        statement = equity.episodes(operator_scope(practice), evaluation_id=made.evaluation_id)
        frame = read_frame(connection, statement)
    assert frame.schema == pl.Schema(EQUITY_EPISODES)
    return frame.row(0, named=True)


@pytest.mark.parametrize(
    ("table", "row", "column", "before", "after"),
    [
        ("clients", CLIENT | {"gender": "man"}, "gender", "woman", "man"),
        ("clients", CLIENT | {"ethnicity": "y"}, "ethnicity", "x", "y"),
        ("clients", CLIENT | {"birth_year": 1950}, "birth_year", 1990, 1950),
        ("episodes", BASE["episodes"][0] | {"kind": "couple"}, "kind", "individual", "couple"),
        ("appointments", BASE["appointments"][0] | {"mode": "phone"}, "first_mode", "video", "phone"),
    ],
)
def test_attributes_are_read_as_known_on_the_evaluations_day(
    engine: Engine, tmp_path: Path, table: str, row: dict[str, Any], column: str, before: Any, after: Any
) -> None:
    first = BASE | {
        "clients": [CLIENT],
        "episodes": [BASE["episodes"][0] | {"kind": "individual"}],
        "appointments": [one | {"mode": "video"} for one in BASE["appointments"]],
    }
    give(engine, tmp_path / "first", first, FIRST)
    give(engine, tmp_path / "second", {table: [row]})
    assert known(engine, TODAY)[column] == after
    assert known(engine, TODAY - timedelta(days=1))[column] == before
    assert known(engine, date(2026, 10, 1))[column] == before


def test_a_status_changed_later_is_found_with_its_direction(engine: Engine, tmp_path: Path) -> None:
    give(engine, tmp_path / "first", BASE, FIRST)
    changes: Tables = {"appointments": [BASE["appointments"][7] | {"status": "cancelled_by_clinician"}]}
    give(engine, tmp_path / "second", changes)
    with reading(engine) as connection:
        held = read_frame(connection, integrity.statuses_held(operator_scope(practice_of(engine))))
    assert held.schema == pl.Schema(STATUSES_HELD)
    assert relabelled(held, TODAY).rows() == [(date(2026, 10, 1), "attended", "cancelled_by_clinician", 1)]


def test_a_narrower_scope_reads_nothing_and_the_whole_practice_adds_up(engine: Engine, tmp_path: Path) -> None:
    write_practice(tmp_path / "files", today=TODAY, episodes=60)
    load(engine, tmp_path / "files")
    practice = practice_of(engine)
    made = evaluate(engine, SETTINGS, practice, as_of=TODAY, now=NOW).evaluation_id
    everyone = operator_scope(practice)
    with reading(engine) as connection:
        groups = read_frame(connection, equity.episodes(everyone))
        sessions = read_frame(connection, integrity.sessions(everyone))
        counts = read_frame(connection, endings.ending_counts(everyone))
        judged = EPISODES_JUDGED.check(read_frame(connection, validation.episodes(everyone, made)))
        said = read_frame(connection, validation.sessions(everyone, made, date(2000, 1, 1))).select(
            pl.col("starts_at").dt.date().alias(c) if c == "day" else pl.col(c) for c in SESSIONS_JUDGED.schema
        )
        for one in set(counts["clinician_id"]):
            narrow = Scope(practice, frozenset({int(one)}), "one caseload")
            for statement in (equity.episodes(narrow), integrity.sessions(narrow), integrity.statuses_held(narrow)):
                assert read_frame(connection, statement).is_empty()
    assert sessions.schema == pl.Schema(SCORED)
    assert groups.height == 60
    assert by_group(groups).height
    assert audit(groups, judged, said, TODAY - timedelta(days=42)).schema == pl.Schema(AUDIT)
    skipped(sessions, BUILT_IN)
    cliffs(sessions, BUILT_IN)
    who = int(counts["clinician_id"][0])
    own = own_endings(counts, who)
    assert own["n"].sum() == counts.filter(pl.col("clinician_id") == who)["episodes"].sum()
    assert own["practice_share"].null_count() == own.height  # two colleagues are no group
