"""Another system's database, read only: its tables by reflection, the columns asked for as text, all of one moment.

Every cell becomes the text that a file would hold: days and times in ISO form (a time with an offset in the practice's time
zone), numbers exact, yes and no as true and false, an empty cell as null.
"""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.sql.compiler import SQLCompiler

from dashboard.errors import SupervisionError, UnusableInput
from queries.source_cells import cell, placed, plain

FETCH = 50_000
COPY_BYTES = 32 * 1024 * 1024
TIMEOUT_SECONDS = 600  # project default: one statement at the source may take this long
NULL_MARK = "~NULL~"
NAMED = 8  # project default: how many of the source's tables or columns an error names


@dataclass(frozen=True)
class SourceRows:
    """One table as read: ``rows`` all text with file and line, the newest ``mark`` of its watermark column (null: none)."""

    rows: pl.DataFrame
    mark: str | None


def address_of(url: str) -> str:
    """What messages and the audit call a source: kind, host and database, never a user or a password.

    Raises UnusableInput for something that is no database address.
    """
    return _address(_parsed(url))


def _address(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return f"sqlite {Path(str(url.database)).name}"
    port = f":{url.port}" if url.port else ""
    return f"{url.get_backend_name()} {url.host or 'localhost'}{port}/{url.database or ''}"


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UnusableInput(
            "--source-db is not a database address. Use sqlite:///FILE, postgresql://USER@HOST/NAME or another SQLAlchemy URL."
        ) from None
    if parsed.drivername in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database or ""))
        if not path.is_file():
            raise UnusableInput(f"There is no SQLite file {path}. Check the address of --source-db.")

        def connect() -> sqlite3.Connection:
            # nothing can be written through it, whatever a statement says
            made = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, isolation_level=None)
            made.execute("PRAGMA query_only=ON")
            return made

        return sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool)
    try:
        return sa.create_engine(url, poolclass=sa.NullPool)
    except (NoSuchModuleError, ModuleNotFoundError):
        raise UnusableInput(
            f"There is no driver for '{url.drivername}' here. Install the Python package that SQLAlchemy's page on this "
            "database names, into the environment of this program."
        ) from None


@contextmanager
def reading_source(url: str, timezone: str) -> Iterator[SourceDatabase]:
    """The database at ``url`` in one read-only transaction. ``timezone``: the practice's ('' means the machine's).

    Raises UnusableInput for an address that cannot be used, and SupervisionError where the source fails on the way.
    """
    parsed = _parsed(url)
    engine = _engine(parsed)
    where = _address(parsed)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                _settle(connection)
                yield SourceDatabase(connection, where, timezone)
                connection.rollback()
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as error:
        said = str(getattr(error, "orig", None) or error).strip().split("\n", 1)[0][:200]
        if parsed.password:
            said = said.replace(str(parsed.password), "***")
        raise SupervisionError(
            f"The source database ({where}) could not be read: {said}. Nothing was written; check it and sync again."
        ) from None
    finally:
        engine.dispose()


def _settle(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        for setting in (f"statement_timeout = {TIMEOUT_SECONDS * 1000}", "datestyle = 'ISO'", "timezone = 'UTC'"):
            connection.exec_driver_sql(f"SET LOCAL {setting}")
    elif connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")


class SourceDatabase:
    """A source open for reading; see ``reading_source``."""

    def __init__(self, connection: Connection, where: str, timezone: str) -> None:
        """Keeps the connection; nothing is read yet."""
        self._connection = connection
        self._where = where
        self._timezone = timezone
        self._inspector = sa.inspect(connection)

    def has(self, name: str) -> bool:
        """Whether there is such a table or view (``schema.table``)."""
        return self._look(name) is not None

    def _found(self, name: str) -> sa.Table:
        found = self._look(name)
        if found is not None:
            return found
        here = sorted([*self._inspector.get_table_names(), *self._inspector.get_view_names()])
        raise UnusableInput(
            f"The source database ({self._where}) has no table '{name}'. It has {_some(here)}. "
            "Correct the mapping. Nothing was imported."
        )

    def _look(self, name: str) -> sa.Table | None:
        schema, _, plain = name.rpartition(".")
        for in_schema, table in ((None, name), (schema or None, plain)):
            try:
                known = [*self._inspector.get_table_names(in_schema), *self._inspector.get_view_names(in_schema)]
            except NoSuchTableError:
                continue  # no such schema
            same = [one for one in known if one == table] or [one for one in known if one.lower() == table.lower()]
            if len(same) == 1:
                columns = [sa.Column(c["name"], c["type"]) for c in self._inspector.get_columns(same[0], in_schema)]
                made = sa.Table(same[0], sa.MetaData(), *columns, schema=in_schema)
                made.info["key"] = self._inspector.get_pk_constraint(same[0], in_schema)["constrained_columns"]
                return made
        return None

    def read(self, name: str, wanted: set[str], watermark: str | None, since: str | None) -> SourceRows:
        """The ``wanted`` columns of a table or view (``schema.table``), those that it has, as text.

        With ``since`` only rows whose ``watermark`` is that or later, or empty: rows of one and the same time are never lost.
        A row's place is the table and its whole-number key as its line; another key, or the row's digest, stands in the name.
        Raises UnusableInput for a table or a watermark column that is not there.
        """
        table = self._found(name)
        by_name = {c.name.lower(): c for c in table.columns} | {c.name: c for c in table.columns}
        chosen = {w: by_name.get(w, by_name.get(w.lower())) for w in sorted(wanted)}
        columns = {w: column for w, column in chosen.items() if column is not None}
        mark = None
        order = [table.c[one] for one in table.info["key"]]
        condition = None
        if watermark is not None:
            growing = by_name.get(watermark, by_name.get(watermark.lower()))
            if growing is None:
                raise UnusableInput(
                    f"The source table '{name}' has no column '{watermark}', which the mapping names as watermark. "
                    f"It has {_some([c.name for c in table.columns])}. Nothing was imported."
                )
            mark = self._connection.execute(sa.select(self._mark(growing))).scalar_one_or_none()
            first = growing.asc().nulls_first() if self._connection.dialect.name == "postgresql" else growing
            order = [first, *order]
            if since is not None:
                condition = growing.is_(None) | (growing >= self._bound(since, growing))
        keys = {f"_key{place}": table.c[one] for place, one in enumerate(table.info["key"])}
        labelled = {**{f"c{place}": c for place, c in enumerate(columns.values())}, **keys} or {"_one": sa.literal("1")}
        statement = sa.select(*(self._text(c).label(label) for label, c in labelled.items())).select_from(table)
        if condition is not None:
            statement = statement.where(condition)
        frame = self._fetched(statement.order_by(*order) if order else statement, list(labelled))
        frame = frame.with_columns(
            plain(frame[label], column.type, self._timezone) for label, column in labelled.items()
        )
        frame = placed(frame, table, list(keys.values()))
        named = {f"c{place}": w for place, w in enumerate(columns)}
        return SourceRows(frame.select(*(pl.col(c).alias(w) for c, w in named.items()), "file", "line"), mark)

    def _text(self, column: Any) -> Any:
        """The column as the driver should hand it over: text that the database writes itself, where we know how it does."""
        if self._connection.dialect.name in ("postgresql", "sqlite"):
            return sa.cast(column, sa.Text())
        return column

    def _mark(self, column: Any) -> Any:
        newest = sa.func.max(column)
        if self._connection.dialect.name == "sqlite":
            # a cast keeps 15 digits of a real number, which may lie above the number itself
            exact = sa.func.printf("%.17g", newest)
            return sa.case((sa.func.typeof(newest) == "real", exact), else_=sa.cast(newest, sa.Text()))
        return sa.cast(newest, sa.Text())

    def _bound(self, since: str, column: Any) -> Any:
        if self._connection.dialect.name == "sqlite":
            return sa.literal(since, sa.Text())  # compared by the column's own affinity
        if isinstance(column.type, sa.types.NullType):
            return sa.literal(since)  # a type of the source's own: left to the source to compare
        return sa.cast(sa.literal(since, sa.Text()), column.type)

    def _fetched(self, statement: Any, names: list[str]) -> pl.DataFrame:
        if self._connection.dialect.name == "postgresql":
            return _copied(self._connection, statement, names)
        schema = dict.fromkeys(names, pl.String())
        parts = [pl.DataFrame(schema=schema)]
        if self._connection.dialect.name == "sqlite":
            result = self._connection.execute(statement)
            cursor = result.cursor  # what the database wrote as text needs no row objects
            assert cursor is not None  # noqa: S101 - a select has one
            while rows := cursor.fetchmany(FETCH):
                parts.append(pl.DataFrame(rows, schema=schema, orient="row"))
        else:
            result = self._connection.execution_options(stream_results=True).execute(statement)
            while made := result.fetchmany(FETCH):
                texts = [[cell(value, self._timezone) for value in row] for row in made]
                parts.append(pl.DataFrame(texts, schema=schema, orient="row"))
        result.close()
        return pl.concat(parts)


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "") or "none"


def _copied(connection: Connection, statement: Any, names: list[str]) -> pl.DataFrame:
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - a Select always compiles to SQL
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - an open connection has one
    schema = dict.fromkeys(names, pl.String())
    parts = [pl.DataFrame(schema=schema)]
    buffer = bytearray()

    def flush() -> None:
        if buffer:
            parts.append(
                pl.read_csv(
                    io.BytesIO(bytes(buffer)),
                    has_header=False,
                    null_values=NULL_MARK,
                    empty_string_is_null=False,
                    schema=schema,
                )
            )
            buffer.clear()

    copy_out = f"COPY ({compiled.string}) TO STDOUT (FORMAT csv, NULL '{NULL_MARK}')"
    with driver.cursor() as cursor, cursor.copy(copy_out, compiled.construct_params()) as copy:
        for row in copy:  # PostgreSQL hands over whole rows, one at a time
            buffer += row
            if len(buffer) > COPY_BYTES:
                flush()
    flush()
    return pl.concat(parts)
