"""A kill -9 at any moment of an import, an evaluation, a migration or a backup: everything of it is there, or nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from queries.engine import open_engine, writing
from queries.tables import Base
from tests.factories import write_practice
from tests.faults.databases import Databases, State, at_revision, state

OLD = "0005"  # a practice of two months ago
OLD_TABLES = ("practice", "import", "clinician", "client", "episode", "appointment", "score")


@dataclass
class Count:
    """What the tries of one case came to."""

    tries: int = 0
    nothing: int = 0
    partly: int = 0  # one whole step of two, such as an import without its evaluation
    whole: int = 0
    wrong: list[str] = field(default_factory=list)

    def words(self) -> str:
        """For the terminal."""
        steps = f", {self.partly} one whole step of two" if self.partly else ""
        return (
            f"{self.tries} tries: {self.nothing} left nothing of it{steps}, {self.whole} all; {len(self.wrong)} wrong"
        )


def environment(url: str) -> dict[str, str]:
    """Of a command on this database."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SUPERVISION_")}
    return kept | {"SUPERVISION_DB": url, "SUPERVISION_TIMEZONE": "UTC", "SUPERVISION_BACKUP_DAILY": "0"}


def start(url: str, arguments: list[str]) -> subprocess.Popen[str]:
    """The command, loaded and waiting for a line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.command", *arguments],
        env=environment(url),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        raise RuntimeError(process.communicate()[1])
    return process


def go(process: subprocess.Popen[str]) -> None:
    """Lets it begin."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def finish(process: subprocess.Popen[str], within: float = 300) -> tuple[int, str]:
    """Its exit code and what it said on the error stream."""
    _, said = process.communicate(timeout=within)
    return process.returncode, said


def run(url: str, arguments: list[str]) -> float:
    """The command to its end; seconds of its work. Raises RuntimeError where it refuses."""
    process = start(url, arguments)
    began = time.monotonic()
    go(process)
    code, said = finish(process)
    if code not in (0, 3):
        raise RuntimeError(f"{arguments[0]} ended with {code}: {said}")
    return time.monotonic() - began


@dataclass(frozen=True)
class Case:
    """A command to be killed. ``prepare`` makes the database it begins with; ``after`` looks at what a try left beside it."""

    name: str
    prepare: Callable[[Databases, Path], str]
    arguments: Callable[[Path], list[str]]
    after: Callable[[Databases, Path, State], str | None] = lambda _databases, _folder, _before: None


def _migrated(databases: Databases, _folder: Path) -> str:
    url = databases.empty()
    at_revision(url, "head")
    return url


def _practice(folder: Path, name: str, episodes: int, seed: int) -> Path:
    files = folder / name
    if not files.is_dir():
        write_practice(files, seed=seed, today=datetime.now(UTC).date(), episodes=episodes, clinicians=4)
    return files


def _with_practice(databases: Databases, folder: Path) -> str:
    url = _migrated(databases, folder)
    run(url, ["import", str(_practice(folder, "small", 40, 1))])
    return url


def _with_much(databases: Databases, folder: Path) -> str:
    url = _with_practice(databases, folder)
    run(url, ["import", str(_practice(folder, "large", 150, 2)), "--source", "second"])
    return url


def _old(databases: Databases, folder: Path) -> str:
    """A practice in an old schema: the rows of a new one, in the columns that the old tables have."""
    full = _with_much(databases, folder)
    url = databases.empty()
    at_revision(url, OLD)
    source, target = open_engine(full), open_engine(url)
    with source.connect() as reading_from, writing(target) as into:
        there = sa.inspect(into)
        for name in OLD_TABLES:
            known = {column["name"] for column in there.get_columns(name)}
            table = Base.metadata.tables[name]
            columns = [column for column in table.columns if column.name in known]
            rows = [dict(row._mapping) for row in reading_from.execute(sa.select(*columns))]
            into.execute(sa.table(name, *(sa.column(c.name, c.type) for c in columns)).insert(), rows)
    source.dispose()
    target.dispose()
    databases.drop(full)
    return url


def _backup_is_whole(databases: Databases, folder: Path, before: State) -> str | None:
    made = folder / "copy.backup"
    if not made.exists():
        return None
    other = databases.empty()
    try:
        run(other, ["restore", str(made), "--force"])
        restored = state(other)
    except RuntimeError as error:
        return f"the backup cannot be restored: {error}"
    finally:
        databases.drop(other)
        made.unlink()
    return None if restored.evaluation == before.evaluation else "the backup holds something else"


CASES = (
    Case(
        "import",
        _with_practice,
        lambda folder: ["import", str(_practice(folder, "large", 150, 2)), "--source", "second"],
    ),
    Case("evaluate", _with_much, lambda _folder: ["evaluate", "--all"]),
    Case("migrate", _old, lambda _folder: ["user", "list"]),
    Case("backup", _with_much, lambda folder: ["backup", str(folder / "copy.backup")], _backup_is_whole),
)


def kill_often(case: Case, databases: Databases, folder: Path, tries: int, seed: int) -> Count:
    """Kills the command ``tries`` times at random moments; afterwards each database is whole and a second run completes it."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(f"{case.name}:{databases.kind}:{seed}")
    template = case.prepare(databases, folder)
    arguments = case.arguments(folder)
    before = state(template)
    reference = databases.copy(template)
    length = run(reference, arguments)
    whole = state(reference)
    databases.drop(reference)
    case.after(databases, folder, before)
    count = Count()
    for number in range(tries):
        url = databases.copy(template)
        process = start(url, arguments)
        go(process)
        moment = draw.uniform(0, length * 1.02)
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        count.tries += 1
        left = state(url)
        if problem := _problem(left, before, whole) or case.after(databases, folder, before):
            count.wrong.append(f"try {number} at {moment:.3f} s: {problem}")
        elif left == whole and whole != before:
            count.whole += 1
        elif left == before:
            count.nothing += 1
        else:
            count.partly += 1
        try:
            run(url, arguments)
            if (end := state(url)) != whole:
                what = "the data" if end.data != whole.data else "the evaluation"
                count.wrong.append(
                    f"try {number} at {moment:.3f} s: after a second run {what} is not that of one whole run"
                )
        except RuntimeError as error:
            count.wrong.append(f"try {number} at {moment:.3f} s: the second run: {error}")
        case.after(databases, folder, before)
        databases.drop(url)
    databases.drop(template)
    return count


def _problem(left: State, before: State, whole: State) -> str | None:
    if not left.sound:
        return "the database is not sound"
    if left.data not in (before.data, whole.data):
        return "half of the data is there"
    if left.evaluation not in (before.evaluation, whole.evaluation):
        return "half of the evaluation is there"
    if left.evaluation == whole.evaluation != before.evaluation and left.data != whole.data:
        return "an evaluation without its data"
    return None
