"""Keeping what was known before a correction: the shared part of every table with a ``*_version`` twin.

Filling an empty field changes the row in place, in its earlier versions too. Changing a value that was given is a
correction: the old row is kept as a version and the new one is known from the day of the import.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from queries.frames import insert_frame, read_frame, update_frame
from queries.keys import next_id
from queries.tables import Base


def given(column: str) -> pl.Expr:
    """The import says something about it; an empty cell says nothing."""
    return pl.col(f"{column}_new").is_not_null()


def corrected(column: str) -> pl.Expr:
    """A value that was given is changed."""
    return given(column) & pl.col(column).is_not_null() & (pl.col(column) != pl.col(f"{column}_new"))


def filled(column: str) -> pl.Expr:
    """What was empty is said."""
    return given(column) & pl.col(column).is_null()


def keep_versions(connection: Connection, table: type[Base], practice_id: int, old: pl.DataFrame, today: date) -> None:
    """Writes the rows as they stood until today into the version table."""
    if old.is_empty():
        return
    first = next_id(connection, table)
    frame = old.with_columns(
        version_id=pl.int_range(pl.len(), dtype=pl.Int64) + first,
        practice_id=pl.lit(practice_id),
        superseded_on=pl.lit(today),
    )
    insert_frame(connection, table.__table__, frame)


def fill_versions(connection: Connection, table: Any, practice_id: int, rows: pl.DataFrame, columns: list[str]) -> None:
    """What was empty is now known from its clinical day, in the versions of before a correction too."""
    if rows.is_empty():
        return
    # the practice's versions are few and are read whole: a list of ids has a limit in every database
    statement = select(table.version_id, table.id, *(getattr(table, c) for c in columns)).where(
        table.practice_id == practice_id
    )
    earlier = read_frame(connection, statement).join(rows.select("id"), on="id", how="semi")
    if earlier.is_empty():
        return
    joined = earlier.join(rows.select("id", *columns), on="id", suffix="_fill")
    update_frame(
        connection,
        table.__table__,
        joined.select("version_id", *(pl.coalesce(c, f"{c}_fill").alias(c) for c in columns)),
        key="version_id",
    )
