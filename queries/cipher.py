"""The embedded database's own driver: SQLite as Python brings it, or SQLCipher where the file is encrypted.

Each brings a library of its own, and two libraries must never hold one file in one process (POSIX locks are per process).
Which one opens a file therefore follows from one thing only: whether a key is given.
"""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from types import ModuleType
from typing import Any

PLAIN_HEADER = b"SQLite format 3\x00"
RAW_KEY = re.compile(r"[0-9a-fA-F]{64}")


def driver(key: str | None) -> ModuleType:
    """The DB-API module for a file with this key (null: not encrypted)."""
    if key is None:
        return sqlite3
    import sqlcipher3.dbapi2

    module: ModuleType = sqlcipher3.dbapi2
    return module


def literal(key: str) -> str:
    """The key as an SQL literal: 64 hexadecimal digits are the key itself, anything else a passphrase.

    A passphrase is stretched at every connect (SQLCipher's own 256,000 rounds, a tenth of a second); a raw key is not.
    """
    if RAW_KEY.fullmatch(key):
        return f"\"x'{key}'\""
    return "'" + key.replace("'", "''") + "'"


def unlock(dbapi: Any, key: str | None) -> None:
    """Gives a fresh connection its key; nothing is read yet, so a wrong one shows at the first statement."""
    if key is not None:
        dbapi.execute("PRAGMA cipher_log_level = NONE")  # it would write to the terminal by itself
        dbapi.execute(f"PRAGMA key = {literal(key)}")


def connect(
    path: Path, key: str | None, *, busy_ms: int = 5_000, read_only: bool = False, immutable: bool = False
) -> Any:
    """A raw connection in autocommit mode to a file that no engine of this process holds with the other library.

    ``immutable``: nobody writes to it meanwhile; no lock and no file beside it is needed.
    """
    address = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rwc'}{'&immutable=1' if immutable else ''}"
    dbapi = driver(key).connect(address, uri=True, isolation_level=None, check_same_thread=False)
    unlock(dbapi, key)
    dbapi.execute(f"PRAGMA busy_timeout = {busy_ms}")
    return dbapi


def is_plain(path: Path) -> bool:
    """Whether a file that nobody in this process has open begins as an unencrypted database does (or is empty)."""
    with path.open("rb") as file:
        start = file.read(len(PLAIN_HEADER))
    return not start or start == PLAIN_HEADER
