"""Databases that can be copied, compared whole and thrown away, of both kinds."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Protocol

import sqlalchemy as sa
from alembic import command

from queries import growth_tables, intake_tables, meeting_tables, pattern_tables
from queries.engine import open_engine, reading, writing
from queries.schema import _config, migrate
from queries.tables import Base
from tests.postgres import Server

WHOLE = (meeting_tables, pattern_tables, growth_tables, intake_tables)  # importing them is what adds their tables
MIGRATING = Lock()  # alembic keeps the migration under way in its module: one at a time in a process
# when a run was made differs between two runs that did the same; so does the content's packing
RUN_COLUMNS = {"imported_at", "evaluated_at", "at", "created_at", "made_at"}
ACTS = {"audit"}  # a second run is a second act
EVALUATION = {
    "evaluation", "fitted_model", "episode_state", "session_state", "flag", "episode_expectation", "clinician_estimate",
    "practice_estimate",
}  # fmt: skip


@dataclass(frozen=True)
class State:
    """A database's content in two hashes: what was imported, and what was evaluated from it; ``sound``: it checks as whole."""

    data: str
    evaluation: str
    sound: bool


def _unsigned(value: object) -> object:
    return 0.0 if isinstance(value, float) and value == 0 else value  # SQLite keeps no sign of a zero


def state(url: str) -> State:
    """Reads every table, each row as text, in the order of its columns' text."""
    engine = open_engine(url)
    hashes = {True: hashlib.sha256(), False: hashlib.sha256()}
    sound = True
    try:
        with reading(engine) as connection:
            if engine.dialect.name == "sqlite":
                sound = connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
                sound = sound and not connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            inspector = sa.inspect(connection)
            there = set(inspector.get_table_names())
            for table in sorted(Base.metadata.tables.values(), key=lambda one: one.name):
                if table.name not in there or table.name in ACTS:
                    continue
                # an evaluation made a second time has a number of its own
                volatile = RUN_COLUMNS | ({"id", "evaluation_id"} if table.name in EVALUATION else set())
                known = {column["name"] for column in inspector.get_columns(table.name)} - volatile
                columns = [c for c in table.columns if c.name in known]
                statement = sa.select(*columns)
                if table.name == "evaluation":  # those of before are noted, not shown
                    statement = statement.where(table.c.is_current)
                rows = sorted(repr(tuple(map(_unsigned, row))) for row in connection.execute(statement))
                into = hashes[table.name in EVALUATION]
                into.update(f"{table.name}:{len(rows)}".encode())
                for row in rows:
                    into.update(row.encode())
            if "alembic_version" in there:
                version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
                hashes[False].update(repr(version).encode())
    finally:
        engine.dispose()
    return State(hashes[False].hexdigest(), hashes[True].hexdigest(), sound)


class Databases(Protocol):
    """Makes databases of one kind."""

    kind: str

    def empty(self) -> str:
        """A new database without a schema."""

    def copy(self, url: str) -> str:
        """A copy of one that nobody uses."""

    def drop(self, url: str) -> None:
        """Removes it."""


@dataclass
class Embedded:
    """SQLite files in a folder."""

    folder: Path
    kind: str = "SQLite"

    def empty(self) -> str:
        """A file that is not there yet."""
        return f"sqlite:///{self.folder / uuid.uuid4().hex[:12]}.sqlite"

    def copy(self, url: str) -> str:
        """A copy of the file."""
        other = self.empty()
        shutil.copy(sa.make_url(url).database or "", sa.make_url(other).database or "")
        return other

    def drop(self, url: str) -> None:
        """The file and what stands beside it."""
        for path in self.folder.glob(f"{Path(sa.make_url(url).database or '').name}*"):
            path.unlink()


@dataclass
class OnServer:
    """Databases of one PostgreSQL server."""

    server: Server
    kind: str = "PostgreSQL"
    made: list[str] = field(default_factory=list)

    def _run(self, statement: str) -> None:
        admin = sa.create_engine(self.server.url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(statement)
        admin.dispose()

    def _url(self, name: str) -> str:
        return sa.make_url(self.server.url).set(database=name).render_as_string(hide_password=False)

    def empty(self) -> str:
        """A database of its own."""
        name = f"f_{uuid.uuid4().hex[:12]}"
        self._run(f"CREATE DATABASE {name}")
        return self._url(name)

    def copy(self, url: str) -> str:
        """A copy by the server."""
        name = f"f_{uuid.uuid4().hex[:12]}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {sa.make_url(url).database}")
        return self._url(name)

    def drop(self, url: str) -> None:
        """With whatever connection is left in it."""
        self._run(f"DROP DATABASE IF EXISTS {sa.make_url(url).database} WITH (FORCE)")


def at_revision(url: str, revision: str) -> None:
    """Brings a database up to a revision, the newest with ``head``."""
    engine = open_engine(url)
    MIGRATING.acquire()
    try:
        if revision == "head":
            migrate(engine)
            return
        config = _config()
        with writing(engine) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        MIGRATING.release()
        engine.dispose()
