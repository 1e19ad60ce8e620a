"""What a copy of a database says about itself, and whether it is true: counts and a hash per table.

A copy is one SQLite file (encrypted where a key is given) with two tables more than the database has. The hash is of the rows
as SQLite stores them, in the order of their key, columns by name; so the same rows have the same hash whichever database they
came from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dashboard.errors import UnusableInput
from queries.cipher import connect, driver, is_plain

FORMAT = "1"
ABOUT = "backup_about"
TABLES = "backup_table"
OWN = (ABOUT, TABLES)
ROWS = 5_000  # rows hashed at a time
BLOB_ROWS = 16  # of a table with files in it


@dataclass(frozen=True)
class Content:
    """One table of a copy: how many rows, and what they hash to."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class About:
    """What a copy says of itself. ``revision``: the schema's; ``engine``: the kind of database it was made from."""

    program: str
    revision: str
    engine: str
    made_at: datetime
    tables: dict[str, Content]

    @property
    def rows(self) -> int:
        """Rows in all."""
        return sum(content.rows for content in self.tables.values())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain_value(value: Any) -> Any:
    # json calls this for files only; their own hash stands for them
    return {"bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}


class Rows:
    """Hashes rows that come in parts; how they are parted does not matter."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._hash = hashlib.sha256()
        self._count = 0

    def add(self, rows: list[tuple[Any, ...]]) -> None:
        """Rows in their order."""
        if not rows:
            return
        if self._count:
            self._hash.update(b", ")
        # SQLite keeps no sign of a zero, PostgreSQL does: to both it is the same number
        same = [tuple(0.0 if type(value) is float and value == 0 else value for value in row) for row in rows]
        self._hash.update(json.dumps(same, default=_plain_value)[1:-1].encode())
        self._count += len(rows)

    @property
    def content(self) -> Content:
        """Of everything added."""
        return Content(self._count, self._hash.hexdigest())


def table_names(dbapi: Any) -> list[str]:
    """The product's tables in a file, by name; without the bookkeeping of SQLite, migrations and copies."""
    found = dbapi.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    return [n for (n,) in found if not n.startswith("sqlite_") and n not in ("alembic_version", *OWN)]


def columns_of(dbapi: Any, table: str) -> tuple[list[str], list[str], bool]:
    """All columns by name, those of the key in its order (all where there is none), and whether files are among them."""
    found = dbapi.execute(f"PRAGMA table_info({_quoted(table)})").fetchall()
    names = sorted(row[1] for row in found)
    key = [row[1] for row in sorted(found, key=lambda row: row[5]) if row[5]]
    return names, key or names, any(row[2].upper() == "BLOB" for row in found)


def stored_parts(dbapi: Any, table: str) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a table, columns by name, in the order of its key."""
    names, key, has_files = columns_of(dbapi, table)
    cursor = dbapi.execute(
        f"SELECT {', '.join(map(_quoted, names))} FROM {_quoted(table)} ORDER BY {', '.join(map(_quoted, key))}"  # noqa: S608
    )
    while rows := cursor.fetchmany(BLOB_ROWS if has_files else ROWS):
        yield rows


def content_of(parts: Iterable[list[tuple[Any, ...]]]) -> Content:
    """Count and hash of rows that come in parts."""
    rows = Rows()
    for part in parts:
        rows.add(part)
    return rows.content


def contents(dbapi: Any) -> dict[str, Content]:
    """Count and hash of every table of an open file."""
    return {name: content_of(stored_parts(dbapi, name)) for name in table_names(dbapi)}


def revision_in(dbapi: Any) -> str | None:
    """The schema revision of an open file; null for an empty database."""
    there = dbapi.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    found = dbapi.execute("SELECT version_num FROM alembic_version").fetchone() if there else None
    return None if found is None else str(found[0])


def write_about(dbapi: Any, about: About) -> None:
    """Writes down what the copy holds."""
    said = {
        "format": FORMAT,
        "program": about.program,
        "revision": about.revision,
        "engine": about.engine,
        "made_at": about.made_at.isoformat(sep=" ", timespec="seconds"),
    }
    dbapi.execute("BEGIN")
    for name in OWN:
        dbapi.execute(f"DROP TABLE IF EXISTS {name}")
    dbapi.execute(f"CREATE TABLE {ABOUT} (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
    dbapi.execute(f"CREATE TABLE {TABLES} (name TEXT PRIMARY KEY, row_count INTEGER NOT NULL, sha256 TEXT NOT NULL)")
    dbapi.executemany(f"INSERT INTO {ABOUT} VALUES (?, ?)", list(said.items()))  # noqa: S608
    dbapi.executemany(
        f"INSERT INTO {TABLES} VALUES (?, ?, ?)",  # noqa: S608
        [(name, content.rows, content.sha256) for name, content in about.tables.items()],
    )
    dbapi.execute("COMMIT")


def read_about(dbapi: Any) -> About | None:
    """What an open file says of itself; null where it is no copy made by this program."""
    there = dbapi.execute("SELECT count(*) FROM sqlite_master WHERE name IN (?, ?)", OWN).fetchone()
    if there[0] != len(OWN):
        return None
    said = dict(dbapi.execute(f"SELECT name, value FROM {ABOUT}").fetchall())  # noqa: S608
    if said.get("format") != FORMAT:
        return None
    tables = {n: Content(c, h) for n, c, h in dbapi.execute(f"SELECT name, row_count, sha256 FROM {TABLES}")}  # noqa: S608
    return About(said["program"], said["revision"], said["engine"], datetime.fromisoformat(said["made_at"]), tables)


def _wrong(dbapi: Any, path: Path, thorough: bool) -> About:
    about = read_about(dbapi)
    if about is None:
        raise UnusableInput(
            f"{path} is no copy made by `supervision backup` (or by a newer version). Choose another file."
        )
    if not thorough:
        return about
    said = str(dbapi.execute("PRAGMA integrity_check").fetchone()[0])
    if said != "ok":
        raise UnusableInput(f"{path} is damaged ({said}). Nothing was changed: choose an older copy.")
    if revision_in(dbapi) != about.revision:
        raise UnusableInput(f"{path} was changed after it was made (its schema differs). Choose another copy.")
    found = contents(dbapi)
    differing = sorted(n for n in found.keys() | about.tables.keys() if found.get(n) != about.tables.get(n))
    if differing:
        raise UnusableInput(
            f"{path} is not what it says it is: table {', '.join(differing)} differs from its hash. Choose another copy."
        )
    orphans = dbapi.execute("PRAGMA foreign_key_check").fetchone()
    if orphans is not None:
        raise UnusableInput(f"{path} holds rows of {orphans[0]} whose {orphans[2]} is missing. Choose another copy.")
    return about


def check_copy(path: Path, key: str | None, *, thorough: bool = True) -> About:
    """What a copy holds, once it has been shown to be whole: pages, schema, counts, hashes, references.

    ``thorough`` false only opens it and reads what it says of itself. Raises UnusableInput where it is not whole, is no copy,
    or does not open with this key.
    """
    if not path.is_file():
        raise UnusableInput(f"There is no file {path}.")
    plain = is_plain(path)
    if plain:
        key = None  # an older copy, from before the database was encrypted
    elif key is None:
        raise UnusableInput(f"{path} is encrypted or no copy at all. Name its key with SUPERVISION_KEY_FILE.")
    try:
        dbapi = connect(path, key, read_only=True)
        try:
            return _wrong(dbapi, path, thorough)
        finally:
            dbapi.close()
    except driver(key).Error as error:
        said = "it does not open with this key" if "not a database" in str(error) and not plain else str(error)
        raise UnusableInput(
            f"{path} cannot be read: {said}. Choose another copy, or name the key it was made with."
        ) from None
