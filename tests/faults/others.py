"""A full disk, a server that restarts in the middle, and two writers at once."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults.databases import Databases, Embedded, OnServer, at_revision, state
from tests.faults.kills import Count, _practice, _with_practice, finish, go, run, start


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: float) -> Iterator[Path | None]:
    """A file system of that size; null where this user may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    size = f"size={int(megabytes * 1024)}k"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], capture_output=True, check=True)


def full_disk(folder: Path, tries: int, seed: int) -> Count | None:
    """Imports on disks of random sizes too small for them; null where no small disk can be made."""
    draw = random.Random(f"disk:{seed}")
    embedded = Embedded(folder)
    template = _with_practice(embedded, folder)
    before = state(template)
    files = _practice(folder, "large", 150, 2)
    arguments = ["import", str(files), "--source", "second"]
    path = Path(template.removeprefix("sqlite:///"))
    start_size = path.stat().st_size / 1024 / 1024
    count = Count()
    for number in range(tries):
        with small_disk(folder / "disk", start_size + draw.uniform(0.1, 3.0)) as disk:
            if disk is None:
                return None
            copy = disk / "practice.sqlite"
            shutil.copy(path, copy)
            os.chmod(copy, 0o600)
            url = f"sqlite:///{copy}"
            process = start(url, arguments)
            go(process)
            code, said = finish(process)
            left = state(url)
            count.tries += 1
            if not left.sound:
                count.wrong.append(f"try {number}: the database is not sound")
            elif "Traceback" in said or (code == 1 and not said.strip()) or code not in (0, 1, 3):
                count.wrong.append(f"try {number}: ended with {code} and said {said[:200]!r}")
            elif code == 1 and left == before:
                count.nothing += 1
            elif code == 1 and left.evaluation == before.evaluation:
                count.partly += 1
            elif code == 1:
                count.wrong.append(f"try {number}: it said that nothing was written, and something was")
            else:
                count.whole += 1
    return count


def restarts(databases: OnServer, folder: Path, tries: int, seed: int) -> Count:
    """The server restarts as in a crash during an import; a second run completes it."""
    draw = random.Random(f"restart:{seed}")
    template = _with_practice(databases, folder)
    before = state(template)
    arguments = ["import", str(_practice(folder, "large", 150, 2)), "--source", "second"]
    reference = databases.copy(template)
    length = run(reference, arguments)
    whole = state(reference)
    count = Count()
    for number in range(tries):
        url = databases.copy(template)
        process = start(url, arguments)
        go(process)
        time.sleep(draw.uniform(0, length))
        databases.server.restart("immediate")
        code, said = finish(process)
        left = state(url)
        count.tries += 1
        if "Traceback" in said or code not in (0, 1, 3) or (code == 1 and not said.strip()):
            count.wrong.append(f"try {number}: ended with {code} and said {said[:200]!r}")
        elif left.data not in (before.data, whole.data) or left.evaluation not in (before.evaluation, whole.evaluation):
            count.wrong.append(f"try {number}: half of it is there")
        elif left == before:
            count.nothing += 1
        elif left == whole:
            count.whole += 1
        else:
            count.partly += 1
        run(url, arguments)
        if state(url) != whole:
            count.wrong.append(f"try {number}: after a second run it is not that of one whole run")
        databases.drop(url)
    databases.drop(reference)
    databases.drop(template)
    return count


def two_writers(databases: Databases, folder: Path, tries: int) -> Count:
    """Two imports begun at the same moment, of two sources and of the same one: each is there once."""
    first, second = _practice(folder, "small", 40, 1), _practice(folder, "large", 150, 2)
    count = Count()
    pairs = {
        "two sources": (["import", str(first)], ["import", str(second), "--source", "second"]),
        "the same files twice": (["import", str(second)], ["import", str(second)]),
    }
    for what, commands in pairs.items():
        allowed = []
        for order in (commands, commands[::-1]):
            url = _prepared(databases)
            for one in order:
                run(url, one)
            allowed.append(_counts(url))
            databases.drop(url)
        for number in range(tries):
            url = _prepared(databases)
            processes = [start(url, one) for one in commands]
            for process in processes:
                go(process)
            ends = [finish(process) for process in processes]
            count.tries += 1
            if any(code not in (0, 3) for code, _ in ends):
                count.wrong.append(f"{what}, try {number}: {ends}")
            elif (found := _counts(url)) not in allowed or not state(url).sound:
                count.wrong.append(f"{what}, try {number}: {found} instead of {allowed}")
            else:
                count.whole += 1
            databases.drop(url)
    return count


def _prepared(databases: Databases) -> str:
    url = databases.empty()
    at_revision(url, "head")
    return url


def _counts(url: str) -> dict[str, int]:
    """Rows per table that an import writes."""
    import sqlalchemy as sa

    from queries.engine import open_engine
    from queries.tables import Base

    names = (
        "practice",
        "clinician",
        "client",
        "episode",
        "appointment",
        "score",
        "set_aside",
        "import",
        "episode_state",
    )
    engine = open_engine(url)
    with engine.connect() as connection:
        found = {
            name: int(
                connection.execute(sa.select(sa.func.count()).select_from(Base.metadata.tables[name])).scalar_one()
            )
            for name in names
        }
        current = connection.execute(sa.text("SELECT count(*) FROM evaluation WHERE is_current")).scalar_one()
    engine.dispose()
    found["current evaluations"] = int(current)
    del found["episode_state"]  # of evaluations that are not current any more there may be one or two
    return found
