"""The main job on both databases: import, evaluate, export; nothing twice, nothing half, nothing from the future."""

from __future__ import annotations

import io
import random
import shutil
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import Engine

from dashboard.evaluation import evaluate
from dashboard.exporting import export_table
from dashboard.importing import ImportReport, import_files
from dashboard.settings import Settings
from tests.embedded import opened
from tests.factories import write_practice, write_table

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12, 0)
SETTINGS = Settings(timezone="UTC")
EXPORTS = ("episodes", "flags", "sessions", "endings", "clinicians", "validation")


def load(engine: Engine, *paths: Path, now: datetime = NOW) -> ImportReport:
    return import_files(engine, SETTINGS, practice=None, paths=list(paths), username=None, now=now)


def exported(engine: Engine, table: str, *, as_of: date | None = None, now: datetime = NOW) -> pl.DataFrame:
    data = export_table(
        engine, SETTINGS, table=table, username=None, as_of=as_of, kind="parquet", practice=None, now=now
    )
    return pl.read_parquet(io.BytesIO(data))


def fresh(folder: Path) -> Engine:
    return opened(folder / "p.sqlite")


def test_both_databases_export_the_same_tables(engine: Engine, tmp_path: Path) -> None:
    write_practice(tmp_path / "files", today=TODAY)
    load(engine, tmp_path / "files")
    other = fresh(tmp_path / "other")
    load(other, tmp_path / "files")
    for table in EXPORTS:
        mine = exported(engine, table)
        assert mine.height > 0
        assert_frame_equal(mine, exported(other, table), abs_tol=1e-9, rel_tol=0)
    other.dispose()


def test_a_second_import_of_the_same_files_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    write_practice(tmp_path / "files", today=TODAY)
    load(engine, tmp_path / "files")
    before = {table: exported(engine, table) for table in EXPORTS}
    again = load(engine, tmp_path / "files", now=NOW + timedelta(minutes=5))
    assert all(not count.get("new") and not count.get("changed") for count in again.counts.values())
    for table in EXPORTS:
        assert_frame_equal(exported(engine, table), before[table])


def test_row_order_and_the_split_into_files_do_not_matter(engine: Engine, tmp_path: Path) -> None:
    tables = write_practice(tmp_path / "whole", today=TODAY)
    load(engine, tmp_path / "whole")
    draw = random.Random(5)
    folder = tmp_path / "split"
    folder.mkdir()
    paths = []
    other = fresh(tmp_path / "other")
    for name, rows in tables.items():
        shuffled = draw.sample(rows, len(rows))
        for part, start in enumerate(range(0, len(shuffled), max(1, len(shuffled) // 2 + 1))):
            where = folder / f"part{part}"
            where.mkdir(exist_ok=True)
            write_table(where / f"{name}.csv", shuffled[start : start + max(1, len(shuffled) // 2 + 1)])
            paths.append(where / f"{name}.csv")
    draw.shuffle(paths)
    for path in [*paths, *paths]:
        load(other, path)
    for table in EXPORTS:
        assert_frame_equal(exported(engine, table), exported(other, table))
    other.dispose()


def cut(tables: dict[str, list[dict[str, object]]], day: date) -> dict[str, list[dict[str, object]]]:
    """What the practice's files would have said on ``day``."""

    def known(row: dict[str, object], clinical: object) -> bool:
        return date.fromisoformat(str(row.get("recorded_on") or clinical)[:10]) <= day

    kept = {name: tables[name] for name in ("clinicians", "supervision", "clients")}
    kept["episodes"] = []
    for row in tables["episodes"]:
        if not known(row, row["opened_on"]):
            continue
        if row["closed_on"] and max(str(row["closed_on"]), str(row["ending_recorded_on"])) > day.isoformat():
            row = row | {"closed_on": "", "ending": "", "ending_recorded_on": ""}
        if str(row["change_requested_on"]) > day.isoformat():
            row = row | {"change_requested_on": ""}
        kept["episodes"].append(row)
    names = {row["episode_id"] for row in kept["episodes"]}
    kept["appointments"] = []
    for row in tables["appointments"]:
        own = str(row["starts_at"])[:10]
        if row["episode_id"] not in names or min(own, str(row["booked_on"] or own)) > day.isoformat():
            continue
        kept["appointments"].append(row | {"status": "booked"} if own > day.isoformat() else row)
    kept["scores"] = [r for r in tables["scores"] if r["episode_id"] in names and known(r, r["taken_on"])]
    return kept


@pytest.mark.parametrize("days_back", [0, 3, 40, 120, 300])
def test_evaluating_the_past_equals_evaluating_data_cut_at_that_day(tmp_path: Path, days_back: int) -> None:
    tables = write_practice(tmp_path / "files", today=TODAY, episodes=60)
    day = TODAY - timedelta(days=days_back)
    full = fresh(tmp_path / "full")
    load(full, tmp_path / "files")
    folder = tmp_path / "cut"
    folder.mkdir()
    for name, rows in cut(tables, day).items():
        if rows:
            write_table(folder / f"{name}.csv", rows)
    then = datetime(day.year, day.month, day.day, 20)
    past = fresh(tmp_path / "past")
    load(past, folder, now=then)
    for table in EXPORTS:
        replayed = exported(full, table, as_of=day)
        assert_frame_equal(replayed, exported(past, table, now=then))
    asked = exported(full, "episodes", as_of=day).filter(pl.col("closed_on").is_null())["fit_questions"]
    assert asked.drop_nulls().len() > 0
    full.dispose()
    past.dispose()


def test_a_correction_is_known_from_its_import_and_the_past_stays_as_it_was(engine: Engine, tmp_path: Path) -> None:
    tables = write_practice(tmp_path / "files", today=TODAY)
    early = datetime(2026, 11, 10, 9)
    first = {name: rows for name, rows in cut(tables, early.date()).items() if rows}
    folder = tmp_path / "first"
    folder.mkdir()
    for name, rows in first.items():
        write_table(folder / f"{name}.csv", rows)
    load(engine, folder, now=early)
    before = {table: exported(engine, table, now=early) for table in EXPORTS}
    corrected = [
        row | {"value": (float(str(row["value"])) + 1) % 4} if str(row["scale"]).startswith("item") else row
        for row in first["scores"]
    ]
    write_table(folder / "scores.csv", corrected)
    load(engine, folder / "scores.csv", now=NOW)
    for order in ((early.date(), TODAY), (TODAY, early.date())):
        for day in order:
            evaluate(engine, SETTINGS, 1, as_of=day, now=NOW, everything=True)
        for table in EXPORTS:
            assert_frame_equal(exported(engine, table, as_of=early.date()), before[table])
    assert not exported(engine, "episodes")["latest"].equals(before["episodes"]["latest"])


def test_a_dry_run_writes_nothing(engine: Engine, tmp_path: Path) -> None:
    write_practice(tmp_path / "files", today=TODAY)
    report = import_files(
        engine, SETTINGS, practice=None, paths=[tmp_path / "files"], dry_run=True, username=None, now=NOW
    )
    assert report.counts["episodes"]["new"] == 40
    from sqlalchemy import func, select

    from queries.engine import reading
    from queries.tables import Episode, Import, Practice

    with reading(engine) as connection:
        for table in (Practice, Episode, Import):
            assert connection.execute(select(func.count()).select_from(table)).scalar() == 0


def test_orphans_wait_and_are_taken_in_when_their_parent_comes(engine: Engine, tmp_path: Path) -> None:
    write_practice(tmp_path / "files", today=TODAY)
    shutil.copytree(tmp_path / "files", tmp_path / "late")
    scores_first = load(engine, tmp_path / "late" / "scores.csv")
    assert scores_first.set_aside > 0
    load(engine, tmp_path / "late")
    other = fresh(tmp_path / "other")
    load(other, tmp_path / "files")
    for table in EXPORTS:
        assert_frame_equal(exported(engine, table), exported(other, table))
    assert exported(engine, "set_aside").height == 0
    other.dispose()


def test_a_new_area_is_the_same_after_each_small_import_as_after_one_large(engine: Engine, tmp_path: Path) -> None:
    tables = write_practice(tmp_path / "files", today=TODAY)
    others = {name: rows for name, rows in tables.items() if name not in ("appointments", "scores")}
    parts = ([0, 2, 4, 6], [1, 3, 5, 7, 9], list(range(10, 40)))
    for number, part in enumerate(parts):
        folder = tmp_path / f"part{number}"
        folder.mkdir()
        for name, rows in others.items():
            kept = [row for place, row in enumerate(rows) if place in part] if name == "episodes" else rows
            write_table(folder / f"{name}.csv", kept)
        load(engine, folder, now=NOW + timedelta(minutes=number))
    other = fresh(tmp_path / "other")
    load(other, *[tmp_path / f"part{number}" for number in range(len(parts))])
    mine = exported(engine, "episodes", now=NOW + timedelta(minutes=9))
    assert mine["fit_questions"].str.contains("new_area").fill_null(False).any()
    assert_frame_equal(
        mine.select("episode_id", "fit_questions"), exported(other, "episodes").select("episode_id", "fit_questions")
    )
    other.dispose()


def test_an_episode_moved_to_another_area_changes_what_is_new_in_later_ones(engine: Engine, tmp_path: Path) -> None:
    rows = [
        {"episode_id": f"e{n}", "client_id": f"k{n}", "clinician_id": "c", "opened_on": f"2026-0{n}-01",
         "problem_area": "grief"}
        for n in range(1, 5)
    ]  # fmt: skip
    folder = tmp_path / "files"
    folder.mkdir()
    write_table(folder / "clinicians.csv", [{"clinician_id": "c"}])
    write_table(folder / "clients.csv", [{"client_id": f"k{n}"} for n in range(1, 5)])
    write_table(folder / "episodes.csv", rows)
    load(engine, folder, now=NOW - timedelta(days=2))

    def new(now: datetime, as_of: date | None = None) -> list[bool]:
        asked = exported(engine, "episodes", now=now, as_of=as_of).sort("episode_id")["fit_questions"]
        return asked.str.contains("new_area").fill_null(False).to_list()

    assert new(NOW - timedelta(days=2)) == [True, True, True, False]
    write_table(folder / "episodes.csv", [rows[0] | {"problem_area": "anxiety"}])
    load(engine, folder / "episodes.csv")
    assert new(NOW) == [True, True, True, True]
    assert new(NOW, TODAY - timedelta(days=1)) == [True, True, True, False]
