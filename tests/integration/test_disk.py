"""A disk that is full, or read-only: clear words, nothing half, and what can be read is still read."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.access import Role
from dashboard.errors import DatabaseUnavailable, SupervisionError
from dashboard.evaluation import evaluate
from dashboard.importing import import_files
from dashboard.keeping.automatic import daily, standing
from dashboard.keeping.copies import back_up
from dashboard.opening import engine_of, opened
from dashboard.settings import Settings
from queries import people, sessions
from queries.backup_file import check_copy
from queries.engine import reading, writing
from queries.tables import Audit, Score
from tests.factories import write_practice

NOW = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
MOUNT = 3 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of three megabytes that this test may fill and lock."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={MOUNT}", "tmpfs", str(place)]
    if os.name != "posix" or not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here (that needs root)")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> None:
    """Leaves not a byte."""
    with (place / "filling").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


@pytest.fixture
def practice(small_disk: Path, tmp_path: Path) -> Settings:
    settings = Settings(db=f"sqlite:///{small_disk / 'p.sqlite'}", timezone="UTC")
    write_practice(tmp_path / "files", today=NOW.date(), episodes=8)
    with opened(settings) as engine:
        import_files(engine, settings, practice=None, paths=[tmp_path / "files"], username="d", now=NOW)
        with writing(engine) as connection:
            people.add_user(
                connection, practice_id=1, username="dir", role=Role.DIRECTOR, clinician_id=None, password_hash="x",
                must_change=False, now=NOW, actor="t",
            )  # fmt: skip
    return settings


def state(settings: Settings) -> tuple[int, int, str]:
    engine = engine_of(settings)
    try:
        with reading(engine) as connection:
            counts = [
                connection.execute(sa.select(sa.func.count()).select_from(t)).scalar_one() for t in (Score, Audit)
            ]
            return counts[0], counts[1], str(connection.exec_driver_sql("PRAGMA integrity_check").scalar())
    finally:
        engine.dispose()


def shown(page: AppTest) -> str:
    return " ".join(str(one.proto.body) for one in page.get("html"))


def test_on_a_full_disk_nothing_is_half_and_pages_are_still_read(
    practice: Settings, small_disk: Path, tmp_path: Path
) -> None:
    before = state(practice)
    write_practice(tmp_path / "more", seed=2, today=NOW.date(), episodes=60)
    running = engine_of(practice, pages=True)
    runtime.configure(practice, running)
    session = secrets.token_urlsafe(8)
    with writing(running) as connection:
        sessions.start(connection, "dir", session, "code", NOW)
    before = state(practice)
    fill(small_disk)
    try:
        for act in (
            lambda: import_files(running, practice, practice=None, paths=[tmp_path / "more"], username="d", now=NOW),
            lambda: evaluate(running, practice, 1, as_of=NOW.date(), now=NOW, everything=True),
            lambda: back_up(practice, small_disk / "copy.backup", NOW),
        ):
            with pytest.raises(SupervisionError, match=r"full|read-only") as said:
                act()
            assert len(str(said.value).splitlines()) <= 3
        assert state(practice) == before
        assert daily(running, practice, NOW) is None
        stands = standing(practice, NOW)
        assert stands is not None
        assert stands.wrong is not None
        assert "full" in stands.wrong
        assert {p.name for p in small_disk.iterdir()} - {"backups"} <= {
            "p.sqlite",
            "p.sqlite-wal",
            "p.sqlite-shm",
            "filling",
        }
        page = AppTest.from_file(str(APP), default_timeout=30)
        page.session_state["_session_id"] = session
        page.run()
        assert not page.exception
        assert "One moment" not in shown(page)
        stranger = AppTest.from_file(str(APP), default_timeout=30).run()
        stranger.text_input[0].set_value("nobody")
        stranger.text_input[1].set_value("some password")
        stranger.button[0].click().run()
        assert not stranger.exception
        assert "Nothing can be saved at this moment" in shown(stranger)
        back_up(practice, tmp_path / "elsewhere.backup", NOW)  # another disk has room
        assert check_copy(tmp_path / "elsewhere.backup", None).tables["score"].rows == before[0]
    finally:
        runtime.forget()
        running.dispose()
    (small_disk / "filling").unlink()
    with opened(practice) as engine, writing(engine) as connection:
        connection.execute(sa.update(Score).values(appointment_ref=None))
    assert state(practice)[::2] == before[::2]


def test_a_program_that_starts_on_a_full_or_read_only_disk_reads_and_says_what_it_cannot_do(
    practice: Settings, small_disk: Path, tmp_path: Path
) -> None:
    before = state(practice)
    fill(small_disk)
    assert state(practice) == before
    with pytest.raises(DatabaseUnavailable, match="full"), opened(practice) as engine, writing(engine) as connection:
        connection.execute(sa.update(Score).values(appointment_ref="x"))
    (small_disk / "filling").unlink()
    assert state(practice) == before
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert state(practice) == before
    with (
        pytest.raises(DatabaseUnavailable, match="read-only"),
        opened(practice) as engine,
        writing(engine) as connection,
    ):
        connection.execute(sa.update(Score).values(appointment_ref="x"))
    lines = back_up(practice, tmp_path / "copy.backup", NOW)
    assert any("No audit row" in line for line in lines)
    assert daily(engine_of(practice), replace(practice, backup_folder=str(tmp_path / "b")), NOW) is not None
