"""Keeping what was known before a correction: the shared part of every table with a ``*_version`` twin.

Filling an empty field changes the row in place, in its earlier versions too. Changing a value that was given is a
correction: the old row is kept as a version and the new one is known from the day of the import. A withdrawn row is known
until the day of its withdrawal; given again it is known from the day of that import, and what was known before it is a version.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from queries.frames import insert_frame, read_frame, update_frame
from queries.keys import next_id
from queries.place import Place
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
    """Writes the rows as they stood until today, or until their own ``superseded_on``, into the version table."""
    if old.is_empty():
        return
    first = next_id(connection, table)
    if "superseded_on" not in old.columns:
        old = old.with_columns(superseded_on=pl.lit(today))
    frame = old.with_columns(version_id=pl.int_range(pl.len(), dtype=pl.Int64) + first, practice_id=pl.lit(practice_id))
    insert_frame(connection, table.__table__, frame)


def fill_versions(connection: Connection, table: Any, practice_id: int, rows: pl.DataFrame, columns: list[str]) -> None:
    """What was empty is now known from its clinical day, in the versions of before a correction too."""
    if rows.is_empty():
        return
    # the practice's versions are few and are read whole: a list of ids has a limit in every database
    statement = select(table.version_id, table.id, *(getattr(table, c) for c in columns)).where(
        table.practice_id == practice_id, table.undo_id.is_(None)
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


def insert_rows(connection: Connection, table: Any, place: Place, new: pl.DataFrame) -> None:
    """Adds rows with ids of their own. ``new`` has every column but id, practice_id and import_id."""
    if new.is_empty():
        return
    first = next_id(connection, table)
    frame = new.with_columns(
        id=pl.int_range(pl.len(), dtype=pl.Int64) + first,
        practice_id=pl.lit(place.practice_id),
        import_id=pl.lit(place.import_id),
    )
    insert_frame(connection, table.__table__, frame)


def without_undone(place: Place, present: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that stand or stood, and those that an undone import had brought: they are as if they had never been."""
    never = pl.col("import_id").is_in(list(place.undoings)).fill_null(False)
    return present.filter(~never), present.filter(never)


def give_rows(
    connection: Connection, table: Any, place: Place, new: pl.DataFrame, undone: pl.DataFrame, key: list[str]
) -> None:
    """Adds rows; one that an undone import had brought takes its place again, with everything it has now."""
    again = new.join(undone.select("id", *key), on=key, how="inner", nulls_equal=True)
    insert_rows(connection, table, place, new.join(undone.select(key), on=key, how="anti", nulls_equal=True))
    if again.height:
        absent = {"withdrawn_on": pl.lit(None, dtype=pl.Date)} if "withdrawn_on" in table.__table__.c else {}
        frame = again.with_columns(import_id=pl.lit(place.import_id), **absent)
        update_frame(connection, table.__table__, frame.drop(key))


def back_again(today: date) -> tuple[pl.Expr, pl.Expr]:
    """Of rows given now: whether the row had been withdrawn, and whether on an earlier day, so that there is a gap to keep."""
    gone = pl.col("withdrawn_on").is_not_null()
    return gone, gone & (pl.col("withdrawn_on") != pl.lit(today))
