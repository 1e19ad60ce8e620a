"""A consistent copy of either database, made while the app and imports go on, and shown to be true before it is given a name.

The embedded database is copied page by page inside one read transaction; PostgreSQL is read in one snapshot into a fresh SQLite
file of the same schema revision. In both the rows are hashed as they stand in the database, in that same transaction, and
again as they stand in the copy.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from dashboard.errors import SupervisionError, UnusableInput
from queries.acting import Door, acting
from queries.backup_file import (
    BLOB_ROWS,
    ROWS,
    About,
    Content,
    Rows,
    check_copy,
    columns_of,
    contents,
    revision_in,
    table_names,
    write_about,
)
from queries.cipher import connect, driver
from queries.engine import Opening, open_engine, reading
from queries.frames import read_batches, stored_rows
from queries.schema import revision_of, upgrade_to

PART = ".part"  # how the name of a copy ends until it is whole


class _Unwritten(Exception):
    """The copy's own file could not be written; kept apart from what the database itself says."""


@contextmanager
def _to_the_copy(key: str | None) -> Iterator[None]:
    try:
        yield
    except driver(key).Error as error:
        raise _Unwritten(str(error)) from error


def sync_file(path: Path) -> None:
    """Makes sure that what was written of a file is on the disk, and so is its name."""
    for place, flags in ((path, os.O_RDONLY), (path.parent, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))):
        if place.is_dir() and os.name != "posix":
            continue
        handle = os.open(place, flags)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def unfinished(out: Path) -> Iterator[Path]:
    """A private file beside ``out`` to work in; gone at the end unless it was moved away."""
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}{PART}")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield part
    finally:
        for rest in ("", "-journal", "-wal", "-shm"):
            part.with_name(part.name + rest).unlink(missing_ok=True)


def _copy_embedded(engine: Engine, part: Path, key: str | None) -> tuple[str, dict[str, Content]]:
    with reading(engine) as connection:
        source: Any = connection.connection.driver_connection
        revision = revision_in(source)
        if revision is None:
            raise UnusableInput(f"{engine.url.database} is empty: there is nothing to copy.")
        with _to_the_copy(key), closing(connect(part, key)) as copy:
            copy.execute("PRAGMA synchronous = OFF")  # synced once, when it is whole
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        return revision, contents(source)


def _select(table: sa.Table, names: list[str], key: list[str]) -> Any:
    # text keys in the order of their bytes, as SQLite has them, whatever the server's language
    order = [sa.collate(table.c[n], "C") if isinstance(table.c[n].type, sa.String) else table.c[n] for n in key]
    return sa.select(*(table.c[n] for n in names)).order_by(*order)


def _copy_table(server: Connection, copy: Any, table: sa.Table) -> Content:
    names, key, has_files = columns_of(copy, table.name)
    marks = ", ".join("?" for _ in names)
    columns = ", ".join(f'"{n}"' for n in names)
    rows = Rows()
    for frame in read_batches(server, _select(table, names, key), BLOB_ROWS if has_files else ROWS):
        part = list(stored_rows(frame))
        copy.executemany(f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})', part)  # noqa: S608
        rows.add(part)
    return rows.content


def reflected(path: Path, key: str | None) -> sa.MetaData:
    """The tables of a copy as they are in its own schema revision."""
    engine = open_engine(f"sqlite:///{path}", Opening(key=key, read_only=True))
    metadata = sa.MetaData()
    try:
        metadata.reflect(engine)
    finally:
        engine.dispose()
    return metadata


def _copy_server(engine: Engine, part: Path, key: str | None) -> tuple[str, dict[str, Content]]:
    state = revision_of(engine)
    if state.current is None or not state.known:
        raise UnusableInput(
            "This database is empty or was made by a newer version of the program: it cannot be copied by this one."
        )
    fresh = open_engine(f"sqlite:///{part}", Opening(key=key))
    upgrade_to(fresh, state.current)
    with fresh.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    fresh.dispose()
    tables = reflected(part, key)
    copy = connect(part, key)
    found: dict[str, Content] = {}
    try:
        copy.execute("PRAGMA journal_mode = DELETE")
        copy.execute("PRAGMA synchronous = OFF")
        copy.execute("BEGIN")
        with acting(Door.DATABASE), reading(engine) as server:
            for name in table_names(copy):
                found[name] = _copy_table(server, copy, tables.tables[name])
        copy.execute("COMMIT")
    finally:
        copy.close()
    return state.current, found


def write_copy(engine: Engine, out: Path, key: str | None, *, program: str, now: datetime) -> About:
    """Writes a copy of the database into ``out`` (private, synced) once everything in it was compared with the original.

    ``key``: the database's own; the copy is encrypted with it. A file of that name is replaced at the end, and only where it is
    a copy too. Raises SupervisionError where it cannot be written and UnusableInput where ``out`` is something else.
    """
    embedded = engine.dialect.name == "sqlite"
    if out.exists():
        if embedded and out.samefile(str(engine.url.database)):
            raise UnusableInput(f"{out} is the database itself. Choose another file for the copy.")
        check_copy(out, key, thorough=False)
    try:
        with unfinished(out) as part:
            revision, tables = (_copy_embedded if embedded else _copy_server)(engine, part, key)
            about = About(program, revision, engine.dialect.name, now.replace(microsecond=0), tables)
            copy = connect(part, key)
            try:
                write_about(copy, about)
            finally:
                copy.close()
            if check_copy(part, key) != about:
                raise SupervisionError("The copy did not come out like the database. Nothing was kept: try again.")
            sync_file(part)
            part.replace(out)
            sync_file(out)
            return about
    except (_Unwritten, driver(key).Error, OSError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise SupervisionError(
            f"{out} could not be written ({said}). Nothing of it was kept: look at the space there, or choose another file."
        ) from None
