"""Encrypting, decrypting and giving a new key to the embedded database: a checked copy, then a swap, then the old bytes go."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dashboard.errors import SupervisionError, UnusableInput
from queries.backup import sync_file, unfinished
from queries.backup_file import contents
from queries.cipher import is_plain, literal, unlock

CHUNK = 1 << 20


def _cipher(path: Path, key: str | None) -> Any:
    # SQLCipher also opens what is not encrypted: one library for both files of a swap
    import sqlcipher3.dbapi2 as cipher

    dbapi = cipher.connect(str(path), isolation_level=None)
    unlock(dbapi, key)
    dbapi.execute("PRAGMA busy_timeout = 2000")
    return dbapi


def _alone(dbapi: Any, path: Path) -> None:
    """Takes the file for this connection until it is closed: nothing is written to it after the copy was begun."""
    try:
        dbapi.execute("PRAGMA locking_mode = EXCLUSIVE")
        mode = dbapi.execute("PRAGMA journal_mode = DELETE").fetchone()[0]  # refused while anybody else has it open
        dbapi.execute("BEGIN EXCLUSIVE")
        dbapi.execute("COMMIT")
    except Exception as error:
        if "locked" not in str(error):
            raise
        mode = "locked"
    if mode != "delete":
        raise SupervisionError(f"{path} is in use. Stop the app first; nothing was changed.")


def _wipe(path: Path) -> None:
    """Writes zeros over a file and removes it. What the disk itself keeps elsewhere (journals, old blocks) is beyond reach."""
    with path.open("rb+") as file:
        left = path.stat().st_size
        while left > 0:
            file.write(bytes(min(CHUNK, left)))
            left -= CHUNK
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def rewrite(path: Path, old: str | None, new: str | None) -> int:
    """The same rows under another key (null: none), in place of the file. Returns how many rows were compared.

    The old bytes are overwritten where they were not encrypted. Raises SupervisionError where somebody has the file open or it
    cannot be written: nothing is changed then.
    """
    import sqlcipher3.dbapi2 as cipher

    try:
        with unfinished(path) as part:
            source = _cipher(path, old)
            try:
                _alone(source, path)
                source.execute(
                    f"ATTACH DATABASE ? AS other KEY {literal(new) if new is not None else chr(39) * 2}", (str(part),)
                )
                source.execute("PRAGMA other.synchronous = OFF")
                source.execute("SELECT sqlcipher_export('other')")
                source.execute("DETACH DATABASE other")
                there = contents(source)
                copy = _cipher(part, new)
                try:
                    sound = copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
                    if not sound or contents(copy) != there:
                        raise SupervisionError(
                            "The copy did not come out like the database. Nothing was changed: try again."
                        )
                finally:
                    copy.close()
                if is_plain(part) != (new is None):
                    raise SupervisionError("The copy is not what was asked for. Nothing was changed: report this.")
                sync_file(part)
                before = path.with_name(f".{path.name}.before")
                before.unlink(missing_ok=True)
                os.link(path, before)
                part.replace(path)
                sync_file(path)
                # whoever waited for the old file finds no database in it, rather than a place to write into the void
                _wipe(before)
            finally:
                source.close()
        return sum(content.rows for content in there.values())
    except (cipher.Error, OSError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise SupervisionError(f"{path} was not changed: {said}.") from None


def is_encrypted(path: Path) -> bool:
    """Whether a database file is encrypted (or no database); asked before anything in this process opens it.

    Raises UnusableInput where there is none.
    """
    if not path.is_file() or not path.stat().st_size:
        raise UnusableInput(f"There is no database {path}. Name it with --db.")
    return not is_plain(path)
