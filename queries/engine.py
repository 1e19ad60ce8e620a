"""Engines and transactions: one place that knows how each database must be opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import StaticPool

from dashboard.errors import DatabaseUnavailable, SupervisionError, UnusableInput
from queries import acting
from queries.cipher import connect, driver, unlock
from queries.failures import clear_errors

BUSY_TIMEOUT_MS = 30_000  # an import of a million rows may hold the write lock for seconds; others wait, none fails
WRITER_LOCK = 7_370_214  # PostgreSQL advisory lock: one writer at a time, as on SQLite


@dataclass(frozen=True)
class Opening:
    """How a database is opened: ``key`` for an encrypted embedded one, the rest for PostgreSQL. Seconds; 0 is no limit.

    ``read_seconds``: how long one question of a page may take. Writing (import, evaluation) has no such limit.
    """

    key: str | None = field(default=None, repr=False)
    read_only: bool = False  # an embedded file that is only looked at: no byte of it changes
    pool_size: int = 5  # project defaults, all: connections kept, and how many more at a rush
    pool_overflow: int = 15
    pool_wait_seconds: int = 20
    pool_recycle_seconds: int = 1800
    connect_seconds: int = 10
    read_seconds: int = 0
    idle_seconds: int = 60  # a transaction that does nothing for so long holds old rows for everybody: ended
    lock_seconds: int = 30  # as BUSY_TIMEOUT_MS
    role: str = ""  # on PostgreSQL: taken by every transaction that acts for somebody (``queries.acting``)


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
    if not path.exists():  # closing any other handle of a file drops the locks that SQLite holds on it in this process
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _set_up(dbapi: Any, key: str | None) -> None:
    dbapi.isolation_level = None  # we begin transactions ourselves
    unlock(dbapi, key)
    for pragma in ("journal_mode=WAL", f"busy_timeout={BUSY_TIMEOUT_MS}", "foreign_keys=ON", "synchronous=NORMAL"):
        dbapi.execute(f"PRAGMA {pragma}")


def _connected(path: Path, opening: Opening, record: Any) -> Any:
    """A connection; where nothing can be written beside the file (disk full or read-only), one that only reads.

    Such a one does without locks, so it is allowed only while no journal holds anything, and never goes back to the pool.
    """
    module = driver(opening.key)
    dbapi = module.connect(str(path), check_same_thread=False)
    try:
        _set_up(dbapi, opening.key)
        dbapi.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except module.OperationalError as error:
        dbapi.close()
        journal = path.with_name(path.name + "-wal")
        if any(word in str(error) for word in ("locked", "no such")) or (journal.exists() and journal.stat().st_size):
            raise
        dbapi = connect(path, opening.key, busy_ms=BUSY_TIMEOUT_MS, read_only=True, immutable=True)
        dbapi.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        record.info["reads_only"] = True
    except BaseException:
        dbapi.close()
        raise
    return dbapi


def _sqlite(url: URL, opening: Opening) -> Engine:
    in_memory = url.database in (None, "", ":memory:")
    path = Path(str(url.database))
    if not in_memory and not opening.read_only:
        _private_file(path)
    engine = create_engine(
        url,
        module=driver(opening.key),
        hide_parameters=True,  # an error may end up where people read: without a client's data
        connect_args={"check_same_thread": False},
        execution_options={"has_key": opening.key is not None},
        **({"poolclass": StaticPool} if in_memory else {}),
    )

    @event.listens_for(engine, "do_connect")
    def _do_connect(_dialect: Any, record: Any, _arguments: Any, _options: Any) -> Any:
        if opening.read_only:
            return connect(path, opening.key, busy_ms=BUSY_TIMEOUT_MS, read_only=True)
        return None if in_memory else _connected(path, opening, record)

    @event.listens_for(engine, "connect")
    def _on_connect(dbapi: Any, _record: Any) -> None:
        if in_memory:
            _set_up(dbapi, None)

    @event.listens_for(engine, "checkin")
    def _on_checkin(_dbapi: Any, record: Any) -> None:
        if record.info.pop("reads_only", False):
            record.invalidate()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("writer", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _postgresql(url: URL, opening: Opening) -> Engine:
    connecting = {
        name: value
        for name, value in (("application_name", "supervision"), ("connect_timeout", opening.connect_seconds))
        if name not in url.query and value
    }
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,  # a server that was started again is noticed before a page meets a dead connection
        pool_size=opening.pool_size,
        max_overflow=opening.pool_overflow,
        pool_timeout=opening.pool_wait_seconds,
        pool_recycle=opening.pool_recycle_seconds or -1,
        connect_args=connecting,
        execution_options={"role": opening.role},
    )

    @event.listens_for(engine, "connect")
    def _on_connect(dbapi: Any, _record: Any) -> None:
        dbapi.autocommit = True
        for name, seconds in (
            ("statement_timeout", opening.read_seconds),
            ("idle_in_transaction_session_timeout", opening.idle_seconds),
            ("lock_timeout", opening.lock_seconds),
        ):
            dbapi.execute(f"SET {name} = '{int(seconds)}s'")
        # the subplans of row security look dear to the planner: it would compile them for longer than they run (measured)
        dbapi.execute("SET jit = off")
        dbapi.autocommit = False

    return engine


def open_engine(url: str, opening: Opening | None = None) -> Engine:
    """An engine for the database at ``url``; an SQLite file is created private (0600) when it is not there.

    Raises UnusableInput for an unusable address and SupervisionError when the file or folder cannot be used.
    """
    parsed = normalised(url)
    opening = opening or Opening()
    try:
        return _sqlite(parsed, opening) if parsed.drivername == "sqlite" else _postgresql(parsed, opening)
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
            acting.begin(connection)
            yield connection


@contextmanager
def writing(engine: Engine, *, patient: bool = False) -> Iterator[Connection]:
    """A write transaction that takes the writer's place at once: all of it lands, or none.

    ``patient``: waits for other writers on a server as long as they take (migrations, of which only one should run).
    """
    with _clear_errors(engine), engine.connect().execution_options(writer=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            # fitting models or reading a large file between two statements is no idling, and storing takes its time
            connection.execute(
                text(
                    "SELECT set_config('statement_timeout', '0', true),"
                    " set_config('idle_in_transaction_session_timeout', '0', true)"
                )
            )
            if patient:
                connection.execute(text("SELECT set_config('lock_timeout', '0', true)"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})
        acting.begin(connection)
        yield connection


@contextmanager
def _clear_errors(engine: Engine) -> Iterator[None]:
    try:
        with clear_errors(engine):
            yield
    except PoolTimeout:
        raise DatabaseUnavailable(
            "Very many people use the database at this moment. Nothing was changed: try again in a minute."
        ) from None
