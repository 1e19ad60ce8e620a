"""A kill -9 at any moment of an import leaves everything of it, or nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from queries.engine import open_engine, reading
from queries.schema import migrate
from queries.tables import Appointment, Client, Episode, Import, Score, SetAside
from tests.factories import write_practice

TABLES = (Client, Episode, Appointment, Score, SetAside, Import)


def counts(url: str) -> tuple[int, ...]:
    engine = open_engine(url)
    with reading(engine) as connection:
        found = tuple(int(connection.execute(sa.select(sa.func.count()).select_from(t)).scalar() or 0) for t in TABLES)
        if engine.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    engine.dispose()
    return found


def start_import(url: str, folder: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"SUPERVISION_DB": url, "SUPERVISION_TIMEZONE": "UTC"}
    return subprocess.Popen(
        [sys.executable, "-m", "dashboard", "import", str(folder)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_killed_import_leaves_all_or_nothing(database_url: str, tmp_path: Path) -> None:
    write_practice(tmp_path / "files", today=datetime.now(UTC).date(), episodes=80)
    engine = open_engine(database_url)
    migrate(engine)
    engine.dispose()
    nothing = counts(database_url)
    began = time.monotonic()
    rehearsal = tmp_path / "rehearsal.sqlite"
    assert start_import(f"sqlite:///{rehearsal}", tmp_path / "files").wait(120) == 0
    whole = counts(f"sqlite:///{rehearsal}")
    length = time.monotonic() - began
    draw = random.Random(1)
    for share in (0.5, 0.7, draw.uniform(0.4, 1.0)):
        process = start_import(database_url, tmp_path / "files")
        time.sleep(length * share)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        left = counts(database_url)
        assert left in (nothing, whole)
        if left == whole:
            break
    assert start_import(database_url, tmp_path / "files").wait(120) == 0
    assert counts(database_url) == whole
