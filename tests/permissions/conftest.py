"""One world for the whole run, and a copy of it for each module that tries something."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from queries.engine import open_engine
from tests.permissions.building import build
from tests.permissions.world import World, read

CHAINED = ("id", "salt", "detail_hash", "previous_hash", "row_hash")  # of the audit: another after any note before it
WAIT_SECONDS = 300
READY = "PERMISSION_WORLD"  # a file made before, which the mutation run makes once for all


@pytest.fixture(scope="session")
def world_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of ``world``, untouched."""
    if ready := os.environ.get(READY):
        return Path(ready)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        path = tmp_path_factory.mktemp("world") / "world.sqlite"
        build(path)
        return path
    return _shared(tmp_path_factory.getbasetemp().parent / "permission-world")


def _shared(folder: Path) -> Path:
    """The one that the first worker to come makes, for which the others wait."""
    path, failed = folder / "world.sqlite", folder / "failed"
    try:
        folder.mkdir()
    except FileExistsError:
        for _ in range(10 * WAIT_SECONDS):
            if path.exists():
                return path
            if failed.exists():
                break
            time.sleep(0.1)
        pytest.fail("the worker that makes the world has not made it")
    try:
        build(folder / "making.sqlite")
    except BaseException:
        failed.touch()
        raise
    (folder / "making.sqlite").replace(path)
    return path


@dataclass(frozen=True)
class Trying:
    """A world in which things are tried: whether something was left behind is known, and it is taken back."""

    world: World
    path: Path
    origin: Path
    watch: sqlite3.Connection
    at_first: dict[str, list[tuple[object, ...]]] = field(default_factory=dict, compare=False)

    def version(self) -> int:
        """Another number after each transaction that changed anything."""
        return int(self.watch.execute("PRAGMA data_version").fetchone()[0])

    def content(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table, but the notes of refusals; of the audit without what chains its rows."""
        names = self.watch.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        found = {name: self.watch.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in names}
        kept = [row[1] for row in self.watch.execute("PRAGMA table_info(audit)") if row[1] not in CHAINED]
        audit = f"SELECT {', '.join(kept)} FROM audit WHERE action NOT LIKE 'refuse %' ORDER BY id"
        found["audit"] = self.watch.execute(audit).fetchall()
        return found

    def untouched(self) -> dict[str, list[tuple[object, ...]]]:
        """``content`` of the world as it was; asked for after ``restore``, and read once."""
        if not self.at_first:
            self.at_first.update(self.content())
        return self.at_first

    def restore(self) -> None:
        """The world as it was."""
        with sqlite3.connect(self.origin) as source, sqlite3.connect(self.path) as target:
            source.backup(target)
        source.close()
        target.close()


def trying(world_file: Path, folder: Path) -> Iterator[Trying]:
    """A copy of the world to try things in."""
    path = folder / "tried.sqlite"
    shutil.copy(world_file, path)
    engine = open_engine(f"sqlite:///{path}")
    watch = sqlite3.connect(path)
    yield Trying(read(engine), path, world_file, watch)
    watch.close()
    engine.dispose()


@pytest.fixture(scope="module")
def tried(world_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trying]:
    """A copy for one module; whoever changes it restores it."""
    yield from trying(world_file, tmp_path_factory.mktemp("tried"))
