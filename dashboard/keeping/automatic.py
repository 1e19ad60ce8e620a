"""Copies that the app makes by itself, daily and before each migration, and which of them are kept.

Only for the embedded database: a PostgreSQL server has its own. A copy that could not be made is said in the log, by ``doctor``
and on the page Data quality; it never stops the app.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from dashboard import __version__, logs
from dashboard.errors import SupervisionError
from dashboard.keeping.key import key_of
from dashboard.logs import Event
from dashboard.settings import Settings
from queries.backup import PART, write_copy
from queries.backup_file import check_copy
from queries.engine import normalised

NAME = re.compile(r"(?P<stem>.+)-(?P<at>\d{8}-\d{6})-(?P<why>daily|migration)\.backup")
STAMP = "%Y%m%d-%H%M%S"
LOOK_EVERY_SECONDS = 600  # project default: how often the app looks whether a copy is due
LATE_DAYS = 2  # project default: a newest copy older than this is told of
_lately: dict[str, str] = {}  # why the last try of this process came to nothing, by folder


@dataclass(frozen=True)
class Copy:
    """An automatic copy: its file, when it was made, and why (daily, or before a migration)."""

    path: Path
    made_at: datetime
    why: str


@dataclass(frozen=True)
class Standing:
    """How the automatic copies stand. ``wrong``: in words, what is not well; null where all is."""

    newest: Copy | None
    count: int
    wrong: str | None


def database_file(settings: Settings) -> Path | None:
    """The file of the embedded database; null for a server or a database in memory."""
    url = normalised(settings.db_url)
    embedded = url.drivername == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)) if embedded else None


def folder_of(settings: Settings) -> Path:
    """Where automatic copies go: the setting, else ``backups`` beside the database file."""
    file = database_file(settings)
    return Path(settings.backup_folder) if settings.backup_folder or file is None else file.with_name("backups")


def copies_in(folder: Path, stem: str | None = None) -> list[Copy]:
    """Automatic copies in a folder, newest first; of one database where its ``stem`` is given."""
    if not folder.is_dir():
        return []
    found = [(path, NAME.fullmatch(path.name)) for path in folder.iterdir()]
    copies = [
        Copy(path, datetime.strptime(match["at"], STAMP), match["why"])  # noqa: DTZ007 - practice time
        for path, match in found
        if match and stem in (None, match["stem"])
    ]
    return sorted(copies, key=lambda copy: (copy.made_at, copy.path.name), reverse=True)


def kept(copies: list[Copy], *, daily: int, weekly: int, monthly: int) -> set[Copy]:
    """Which copies stay: the newest of each of the last days, weeks and months that have one.

    The newest from before a migration stays too.
    """
    newest_first = sorted(copies, key=lambda copy: (copy.made_at, copy.path.name), reverse=True)
    periods: tuple[tuple[int, Callable[[datetime], object]], ...] = (
        (daily, lambda at: at.date()),
        (weekly, lambda at: at.isocalendar()[:2]),
        (monthly, lambda at: (at.year, at.month)),
    )
    stay: set[Copy] = set()
    for number, period in periods:
        first: dict[object, Copy] = {}
        for copy in newest_first:
            first.setdefault(period(copy.made_at), copy)
        stay |= set(list(first.values())[:number])
    stay |= set([copy for copy in newest_first if copy.why == "migration"][:1])
    return stay


def prune(settings: Settings, folder: Path, stem: str) -> list[Path]:
    """Removes what the rule does not keep, but never the newest copy that opens. Returns what was removed."""
    copies = copies_in(folder, stem)
    stay = kept(copies, daily=settings.backup_daily, weekly=settings.backup_weekly, monthly=settings.backup_monthly)
    good = next((copy for copy in copies if _opens(copy, settings)), None)
    gone = [] if good is None else [copy.path for copy in copies if copy not in stay and copy != good]
    for path in gone:
        path.unlink(missing_ok=True)
    for left in folder.glob(f".{stem}-*{PART}*"):  # of a process that was killed
        left.unlink(missing_ok=True)
    return gone


def _opens(copy: Copy, settings: Settings) -> bool:
    try:
        check_copy(copy.path, key_of(settings), thorough=False)
    except SupervisionError:
        return False
    return True


@contextmanager
def _turn(folder: Path) -> Iterator[bool]:
    """Whether this process is the one to do it; several may serve one database."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(folder / ".lock", os.O_WRONLY | os.O_CREAT, 0o600), "a") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass  # Windows: names differ by their second, so two copies at worst
        except OSError:
            yield False
            return
        yield True


def _make(engine: Engine, settings: Settings, why: str, now: datetime) -> Path | None:
    file, folder = database_file(settings), folder_of(settings)
    if file is None or not settings.backup_daily:
        return None
    try:
        with _turn(folder) as mine:
            if not mine or (why == "daily" and _of_today(folder, file.stem, now)):
                return None
            out = folder / f"{file.stem}-{now.strftime(STAMP)}-{why}.backup"
            write_copy(engine, out, key_of(settings), program=__version__, now=now)
            prune(settings, folder, file.stem)
            _lately.pop(str(folder), None)
            return out
    except (SupervisionError, OSError) as error:
        _lately[str(folder)] = str(error)
        logs.warn(Event.COPY_FAILED, **logs.trouble(error))
        return None


def _of_today(folder: Path, stem: str, now: datetime) -> bool:
    return any(copy.made_at.date() == now.date() and copy.why == "daily" for copy in copies_in(folder, stem))


def daily(engine: Engine, settings: Settings, now: datetime) -> Path | None:
    """Today's copy, where there is none yet and nobody else is making it. Never raises for a disk that is full or away."""
    return _make(engine, settings, "daily", now)


def before_migration(engine: Engine, settings: Settings, now: datetime) -> Path | None:
    """A copy of a database that this program is about to change the schema of."""
    if engine.dialect.name != "sqlite":
        return None
    return _make(engine, settings, "migration", now)


def standing(settings: Settings, now: datetime) -> Standing | None:
    """How the automatic copies stand; null where there are to be none."""
    file, folder = database_file(settings), folder_of(settings)
    if file is None or not settings.backup_daily or not file.is_file():
        return None
    copies = copies_in(folder, file.stem)
    newest = copies[0] if copies else None
    said = _lately.get(str(folder))
    if said is None and newest is not None and now - newest.made_at > timedelta(days=LATE_DAYS):
        said = f"the newest automatic copy is of {newest.made_at:%d %b %Y}; the app makes one on each day that it runs"
    return Standing(newest, len(copies), said)


def keep_copying(engine: Engine, settings: Settings) -> threading.Thread:
    """Starts a thread that makes today's copy whenever one is due, for as long as the process lives."""
    stop = threading.Event()

    def look() -> None:
        while True:
            daily(engine, settings, settings.now())
            stop.wait(LOOK_EVERY_SECONDS)

    thread = threading.Thread(target=look, name="automatic-copies", daemon=True)
    if database_file(settings) is not None and settings.backup_daily:
        thread.start()
    return thread
