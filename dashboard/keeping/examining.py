"""What ``doctor`` says of the data itself: whole, copied, encrypted, with room on the disk."""

from __future__ import annotations

import shutil
import stat
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from dashboard.errors import SupervisionError
from dashboard.keeping.automatic import LATE_DAYS, database_file, folder_of, standing
from dashboard.keeping.key import key_of, source_of
from dashboard.opening import engine_of
from dashboard.settings import Settings
from queries import audit_check, health
from queries.acting import Door, acting
from queries.backup_file import check_copy
from queries.engine import normalised, reading
from queries.schema import revision_of

LEAST_FREE_MB = 500  # project default; and room for three times the database: a copy, its journal, an import
MB = 1 << 20

Said = tuple[str, bool, str]


def _audit(connection: Connection) -> Said:
    found = audit_check.check_chain(connection)
    if found.broken is not None:
        return (
            "audit",
            False,
            f"row {found.broken} is not as it was written: {found.why}; keep this database and compare it with a copy",
        )
    if not audit_check.is_closed(connection):
        return (
            "audit",
            False,
            "the database does not refuse to change its rows any more: restore a copy, or report this",
        )
    if not found.rows:
        return ("audit", True, "no row yet; rows can only be added")
    words = f"unbroken, {found.rows:,} rows since {found.since:%d %b %Y}, head {found.head}"
    return ("audit", True, f"{words} (keep it elsewhere; `supervision audit verify --head` finds it again)")


def _whole(settings: Settings) -> list[Said]:
    engine = engine_of(settings)
    audit: list[Said] = []
    try:
        state = revision_of(engine)
        with acting(Door.DATABASE), reading(engine) as connection:
            if state.current == state.newest:
                audit = [_audit(connection)]
            if engine.dialect.name == "sqlite":
                wrong = health.embedded(connection)
                found: list[Said] = []
            else:
                wrong = health.server(connection)
                mend, words = health.server_settings(connection)
                found = [("server", not mend, "; ".join([words, *mend]))]
    except SupervisionError as error:
        return [("data", False, str(error))]
    finally:
        engine.dispose()
    if wrong:
        return [
            ("data", False, "; ".join(wrong) + ": bring back a copy (supervision restore FILE --force)"),
            *audit,
            *found,
        ]
    return [("data", True, "whole: pages, indexes, references"), *audit, *found]


def _room(file: Path) -> Said:
    free = shutil.disk_usage(file.parent).free
    size = file.stat().st_size
    enough = free >= max(LEAST_FREE_MB * MB, 3 * size)
    words = f"{free // MB:,} MB free beside a database of {max(1, size // MB):,} MB"
    return ("disk", enough, words if enough else f"{words}: free some space, a copy and an import need it")


def _encryption(settings: Settings) -> Said:
    if key_of(settings) is None:
        return (
            "encryption",
            True,
            "none; `supervision key new` and `supervision encrypt` add it, or encrypt the whole disk",
        )
    return ("encryption", True, f"on, its key from {source_of(settings)}; keep a second copy of the key elsewhere")


def _copies(settings: Settings, now: datetime) -> Said:
    stands = standing(settings, now)
    if stands is None:
        return ("copies", True, "automatic ones are switched off (backup_daily 0): `supervision backup FILE` makes one")
    newest = stands.newest
    if newest is None:
        return ("copies", True, f"none yet; the app makes one a day into {folder_of(settings)}")
    try:
        about = check_copy(newest.path, key_of(settings))
    except SupervisionError as error:
        return ("copies", False, f"the newest is not good: {error}")
    late = (now - newest.made_at).days > LATE_DAYS
    words = f"{stands.count} automatic, the newest of {newest.made_at:%d %b %Y %H:%M} is whole ({about.rows:,} rows)"
    return ("copies", not late, f"{words}; it is old: let the app run, or `supervision backup FILE`" if late else words)


def _private(path: Path, what: str) -> Said:
    mode = stat.S_IMODE(path.stat().st_mode)
    private = mode & 0o077 == 0
    words = "only you can read it" if private else f"others can read it (mode {mode:o}): chmod 600 {path}"
    return (what, private, words)


def examine_data(settings: Settings, now: datetime) -> list[Said]:
    """What was looked at, whether it is well, and in words what to do; for a database that answers."""
    found = _whole(settings)
    file = database_file(settings)
    if file is None or not file.is_file():
        if normalised(settings.db_url).drivername != "sqlite":
            found.append(("copies", True, "of a server: its host's, and `supervision backup FILE` at any time"))
        return found
    found += [_private(file, "database file"), _encryption(settings), _copies(settings, now), _room(file)]
    return found
