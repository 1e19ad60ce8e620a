"""Engines and transactions: one place that knows how each database must be opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import StaticPool

from dashboard.errors import SupervisionError, UnusableInput

BUSY_TIMEOUT_MS = 30_000  # an import of a million rows may hold the write lock for seconds; others wait, none fails
WRITER_LOCK = 7_370_214  # PostgreSQL advisory lock: one writer at a time, as on SQLite


def normalised(url: str) -> URL:
    """The URL with the driver we ship; raises UnusableInput for anything that is not SQLite or PostgreSQL."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UnusableInput(
            f"'{url}' is not a database address. Use sqlite:///FILE or postgresql://USER@HOST/NAME."
        ) from None
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return parsed.set(drivername="sqlite")
    raise UnusableInput(f"Databases of kind '{parsed.drivername}' are not supported. Use SQLite or PostgreSQL.")


def _private_file(path: Path) -> None:
    # Created before SQLite opens it: the file, and the -wal and -shm that copy its mode, are never readable by others.
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _sqlite(url: URL) -> Engine:
    in_memory = url.database in (None, "", ":memory:")
    if not in_memory:
        _private_file(Path(str(url.database)))
    options: dict[str, Any] = {"poolclass": StaticPool} if in_memory else {}
    engine = create_engine(url, connect_args={"check_same_thread": False}, **options)

    @event.listens_for(engine, "connect")
    def _on_connect(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # we begin transactions ourselves
        for pragma in ("journal_mode=WAL", f"busy_timeout={BUSY_TIMEOUT_MS}", "foreign_keys=ON", "synchronous=NORMAL"):
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("writer", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def open_engine(url: str) -> Engine:
    """An engine for the database at ``url``; an SQLite file is created private (0600) when it is not there.

    Raises UnusableInput for an unusable address and SupervisionError when the file or folder cannot be used.
    """
    parsed = normalised(url)
    try:
        return _sqlite(parsed) if parsed.drivername == "sqlite" else create_engine(parsed, pool_pre_ping=True)
    except OSError as error:
        raise SupervisionError(
            f"The database file {parsed.database} cannot be opened: {error.strerror}. Check the folder's permissions."
        ) from None
    except NoSuchModuleError as error:
        raise UnusableInput(str(error)) from None


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A read transaction: everything read in it belongs to one moment."""
    with _clear_errors(engine), engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A write transaction that takes the writer's place at once: all of it lands, or none."""
    with _clear_errors(engine), engine.connect().execution_options(writer=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})
        yield connection


@contextmanager
def _clear_errors(engine: Engine) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise SupervisionError(
            f"The database {where} did not answer: {str(error.orig).splitlines()[0]}. "
            "Check that it runs and is not full, then try again."
        ) from error
    except DatabaseError as error:
        if "not a database" not in str(error.orig) and "malformed" not in str(error.orig):
            raise
        raise SupervisionError(
            f"{engine.url.database} is not a database that can be read ({error.orig}). "
            "Name another with --db, or put a copy of yours in its place."
        ) from error
