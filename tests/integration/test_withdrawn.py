"""Rows taken back: gone from today on, still there for every day before, never doubled when they come again."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import Engine, select

from dashboard.access import operator_scope
from dashboard.importing import ImportReport, import_files
from dashboard.intake.batch import Batch
from queries import load as reads
from queries.caseload import appointments, scores
from queries.engine import reading, writing
from queries.frames import read_frame
from queries.keys import BY_HAND, of_source
from queries.store import ImportResult, store_batch
from queries.tables import Score
from tests.factories import write_table
from tests.integration.test_known_when import BASE, NOW, TODAY, Tables
from tests.integration.test_main_job import SETTINGS, exported

FIRST, SECOND, THIRD = datetime(2026, 10, 1, 9), datetime(2026, 10, 20, 9), datetime(2026, 11, 5, 9)
DAY = timedelta(days=1)
TOLD = ("episodes", "flags", "sessions")  # the rest is counted from these


def give(engine: Engine, folder: Path, tables: Tables, now: datetime) -> ImportReport:
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        write_table(folder / f"{name}.csv", rows)
    return import_files(engine, SETTINGS, practice=None, paths=[folder], username=None, now=now)


def seen(engine: Engine, as_of: date, table: str = "episodes") -> pl.DataFrame:
    return exported(engine, table, as_of=as_of, now=NOW)


# what is withdrawn by its key alone: the table, the key, and what is left of (sessions attended, scores)
WITHDRAWN: list[tuple[str, dict[str, Any], tuple[int, int] | None]] = [
    ("appointments", {"appointment_id": "a7"}, (7, 8)),
    ("scores", {"episode_id": "e1", "taken_on": "2026-09-21", "instrument": "phq9", "scale": "total"}, (8, 7)),
    ("episodes", {"episode_id": "e1"}, None),
]


@pytest.mark.parametrize(("table", "key", "left"), WITHDRAWN, ids=[case[0] for case in WITHDRAWN])
def test_a_withdrawn_row_counts_until_the_day_before_and_comes_back_from_the_day_it_is_given_again(
    engine: Engine, tmp_path: Path, table: str, key: dict[str, Any], left: tuple[int, int] | None
) -> None:
    give(engine, tmp_path / "1", BASE, FIRST)
    before = {name: seen(engine, SECOND.date() - DAY, name) for name in TOLD}
    report = give(engine, tmp_path / "2", {table: [key | {"withdrawn": "yes"}]}, SECOND)
    assert (report.counts[table]["changed"], report.set_aside) == (1, 0)
    give(engine, tmp_path / "3", BASE, THIRD)
    for name in TOLD:
        assert_frame_equal(seen(engine, SECOND.date() - DAY, name), before[name])
    for day in (SECOND.date(), THIRD.date() - DAY):
        rows = seen(engine, day)
        assert [row[:2] for row in rows.select("sessions_attended", "scores").rows()] == ([left] if left else [])
    assert seen(engine, THIRD.date()).select("sessions_attended", "scores").rows() == [(8, 8)]
    with reading(engine) as connection:
        known = reads.history(connection, operator_scope(1), TODAY)
    part = {"appointments": known.appointments, "scores": known.scores, "episodes": known.episodes}[table]
    doubled = part.join(part, on=list({"episode_id", "appointment_id", "taken_on", "scale"} & set(part.columns)))
    both_known = (pl.col("valid_from") < pl.col("valid_to_right").fill_null(date.max)) & (
        pl.col("valid_from_right") < pl.col("valid_to").fill_null(date.max)
    )
    assert doubled.filter(both_known).height == part.height, "a row overlaps itself only"


def test_a_withdrawn_episode_hides_everything_about_it_at_once(engine: Engine, tmp_path: Path) -> None:
    give(engine, tmp_path / "1", BASE, FIRST)
    give(engine, tmp_path / "2", {"episodes": [{"episode_id": "e1", "withdrawn": "true"}]}, SECOND)
    scope = operator_scope(1)
    with reading(engine) as connection:
        for statement in (appointments(scope, open_only=False), scores(scope, open_only=False)):
            assert read_frame(connection, statement).is_empty()
    for table in ("episodes", "flags", "sessions", "endings"):
        assert exported(engine, table, now=NOW).is_empty()


def test_withdrawing_what_is_not_there_or_again_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    give(engine, tmp_path / "1", BASE, FIRST)
    nothing = [{"appointment_id": "elsewhere", "withdrawn": "1"}]
    assert give(engine, tmp_path / "2", {"appointments": nothing}, SECOND).import_id is None
    gone = {"appointments": [{"appointment_id": "a1", "withdrawn": "1", "starts_at": "no date"}]}
    assert give(engine, tmp_path / "3", gone, SECOND).counts["appointments"]["changed"] == 1
    assert give(engine, tmp_path / "4", gone, THIRD).import_id is None


def test_a_row_without_its_required_cells_is_set_aside_unless_it_is_withdrawn(engine: Engine, tmp_path: Path) -> None:
    give(engine, tmp_path / "1", BASE, FIRST)
    rows = [{"appointment_id": "a1", "withdrawn": "yes"}, {"appointment_id": "a2", "withdrawn": "no"}]
    report = give(engine, tmp_path / "2", {"appointments": rows}, SECOND)
    assert [row["reason"] for row in report.set_aside_rows] == ["empty, and it is required"]
    assert report.counts["appointments"]["changed"] == 1


@pytest.mark.parametrize(("recorded", "from_day"), [(None, SECOND.date()), ("2026-10-10", date(2026, 10, 10))])
def test_a_score_moved_to_another_day_is_known_from_the_day_of_the_file_or_the_one_it_says(
    engine: Engine, tmp_path: Path, recorded: str | None, from_day: date
) -> None:
    give(engine, tmp_path / "1", BASE, FIRST)
    old = {name: BASE["scores"][7][name] for name in ("episode_id", "taken_on", "instrument", "scale")}
    moved = [old | {"withdrawn": "yes"}, BASE["scores"][7] | {"taken_on": "2026-09-23", "withdrawn": ""}]
    moved = [row | {"value": row.get("value", ""), "recorded_on": recorded or ""} for row in moved]
    give(engine, tmp_path / "2", {"scores": moved}, SECOND)
    for day, latest in ((from_day - DAY, date(2026, 9, 21)), (from_day, date(2026, 9, 23)), (TODAY, date(2026, 9, 23))):
        rows = seen(engine, day)
        assert rows.select("latest_on", "scores").rows() == [(latest, 8)], day


def by_hand(engine: Engine, tables: dict[str, pl.DataFrame], now: datetime) -> ImportResult:
    with writing(engine) as connection:
        return store_batch(
            connection, 1, BY_HAND, Batch.of(tables), today=now.date(), now=now, username="someone", kind="entered"
        )


def test_rows_entered_by_hand_belong_to_an_episode_of_a_file_and_neither_source_overwrites_the_other(
    engine: Engine, tmp_path: Path
) -> None:
    give(engine, tmp_path / "1", BASE, FIRST)
    episode = of_source("files", "e1")
    visit = pl.DataFrame(
        {"appointment_id": "h1", "episode_id": episode, "starts_at": datetime(2026, 10, 5, 10), "status": "attended"}
    )
    score = pl.DataFrame(
        {
            "episode_id": episode,
            "taken_on": date(2026, 10, 5),
            "instrument": "phq9",
            "scale": "total",
            "value": 9.0,
            "respondent": "client",
        }
    )
    taken = score.with_columns(taken_on=date(2026, 9, 21))
    first = by_hand(engine, {"appointments": visit, "scores": pl.concat([score, taken])}, SECOND)
    assert first.counts["appointments"]["new"] == 1
    assert (first.counts["scores"]["new"], first.counts["scores"]["set_aside"], first.set_aside.height) == (1, 1, 1)
    assert len(first.touched_episode_ids) == 1
    theirs = BASE["scores"][0] | {"taken_on": "2026-10-05", "value": 20}
    report = give(engine, tmp_path / "2", {"scores": [theirs]}, SECOND)
    assert (report.counts["scores"]["set_aside"], report.counts["scores"]["new"]) == (1, 0)
    same = give(engine, tmp_path / "3", {"scores": [theirs | {"value": 9}]}, SECOND)
    assert same.import_id is None
    gone = by_hand(engine, {"scores": score.with_columns(withdrawn=True)}, THIRD)
    assert gone.counts["scores"]["changed"] == 1
    report = give(engine, tmp_path / "4", {"scores": [theirs]}, THIRD + DAY)
    assert report.counts["scores"]["new"] == 1
    assert seen(engine, THIRD.date())["latest"].to_list() == [11.0]
    assert seen(engine, SECOND.date())["latest"].to_list() == [9.0]
    with reading(engine) as connection:
        found = connection.execute(select(Score.source, Score.value).where(Score.taken_on == date(2026, 10, 5))).all()
    assert [tuple(row) for row in found] == [(None, 20.0)]
