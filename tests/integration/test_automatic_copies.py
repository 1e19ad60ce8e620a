"""Automatic copies: one a day whoever asks, one before a migration, old ones pruned; none that comes to nothing stops the app."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dashboard.doctor import examine
from dashboard.keeping.automatic import copies_in, daily, folder_of, prune, standing
from dashboard.opening import engine_of, opened
from dashboard.settings import Settings
from queries.backup_file import check_copy
from queries.engine import open_engine
from queries.schema import upgrade_to

NOW = datetime(2026, 11, 25, 12, 0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(db=f"sqlite:///{tmp_path / 'p.sqlite'}", timezone="UTC")
    with opened(found):
        pass
    return found


def test_several_programs_make_one_copy_a_day(settings: Settings) -> None:
    engines = [engine_of(settings) for _ in range(4)]
    made: list[Path | None] = []
    threads = [threading.Thread(target=lambda one=one: made.append(daily(one, settings, NOW))) for one in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([path for path in made if path is not None]) == 1
    assert daily(engines[0], settings, NOW + timedelta(hours=9)) is None
    assert daily(engines[0], settings, NOW + timedelta(hours=13)) is not None
    assert daily(engines[0], replace(settings, backup_daily=0), NOW + timedelta(days=3)) is None
    for engine in engines:
        engine.dispose()
    copies = copies_in(folder_of(settings))
    assert [copy.why for copy in copies] == ["daily", "daily"]
    assert all(check_copy(copy.path, None).rows >= 0 for copy in copies)
    assert folder_of(settings).stat().st_mode & 0o077 == 0


def test_pruning_keeps_the_newest_copy_that_opens(settings: Settings) -> None:
    engine = engine_of(settings)
    first = daily(engine, settings, NOW)
    engine.dispose()
    assert first is not None
    folder = folder_of(settings)
    for days in range(1, 40):
        later = NOW + timedelta(days=days)
        (folder / f"p-{later:%Y%m%d-%H%M%S}-daily.backup").write_bytes(b"broken")
    (folder / "p-20260101-000000-daily.backup.mine").write_bytes(b"not ours")
    left = folder / f".p-x.backup.abcd{'.part'}"
    left.write_bytes(b"of a killed process")
    prune(replace(settings, backup_weekly=0, backup_monthly=0), folder, "p")
    assert first.exists()
    assert len(copies_in(folder)) == 8
    assert (folder / "p-20260101-000000-daily.backup.mine").exists()
    assert not left.exists()


def test_before_a_migration_a_copy_of_the_older_database_is_made(tmp_path: Path) -> None:
    settings = Settings(db=f"sqlite:///{tmp_path / 'p.sqlite'}", timezone="UTC")
    engine = open_engine(settings.db)
    upgrade_to(engine, "0009")
    engine.dispose()
    with opened(settings):
        pass
    copies = copies_in(folder_of(settings))
    assert [copy.why for copy in copies] == ["migration"]
    assert check_copy(copies[0].path, None).revision == "0009"
    with opened(settings):
        pass
    assert len(copies_in(folder_of(settings))) == 1


def test_a_copy_that_cannot_be_made_is_told_of_and_stops_nothing(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("a file")
    wrong = replace(settings, backup_folder=str(tmp_path / "in the way" / "backups"))
    engine = engine_of(wrong)
    assert daily(engine, wrong, NOW) is None
    engine.dispose()
    stands = standing(wrong, NOW)
    assert stands is not None
    assert stands.wrong is not None


def test_the_doctor_tells_of_an_old_copy_and_of_one_that_is_not_good(settings: Settings) -> None:
    def said(what: str) -> tuple[bool, str]:
        return next((finding.ok, finding.words) for finding in examine(settings) if finding.what == what)

    assert said("data")[0]
    assert said("copies") == (True, f"none yet; the app makes one a day into {folder_of(settings)}")
    engine = engine_of(settings)
    made = daily(engine, settings, settings.now() - timedelta(days=5))
    engine.dispose()
    assert made is not None
    assert not said("copies")[0]
    newer = made.with_name(f"p-{settings.now():%Y%m%d-%H%M%S}-daily.backup")
    shutil.copy(made, newer)
    assert said("copies")[0]
    newer.write_bytes(newer.read_bytes()[:5000])
    assert "not good" in said("copies")[1]


def test_the_doctor_finds_a_row_without_its_parent(settings: Settings) -> None:
    import sqlite3

    with sqlite3.connect(settings.db.removeprefix("sqlite:///")) as connection:
        connection.execute("INSERT INTO meeting_supervisee (meeting_id, clinician_id) VALUES (77, 77)")
    connection.close()
    found = {finding.what: finding for finding in examine(settings)}
    assert not found["data"].ok
    assert "meeting_supervisee" in found["data"].words
