"""Clinicians, leave, supervision links and clients of a batch into their tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from queries.frames import insert_frame, read_frame, update_frame
from queries.keys import next_id, public_id
from queries.tables import Client, Clinician, Leave, SupervisionLink


@dataclass(frozen=True)
class Place:
    """Where rows go: practice, its secret for opaque ids, the source, and the import that brings them."""

    practice_id: int
    secret: str
    source: str
    import_id: int


@dataclass(frozen=True)
class Count:
    """How many rows were new, changed, the same, or wait for a parent."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    pending: int = 0

    def as_dict(self) -> dict[str, int]:
        """For the report."""
        return {"new": self.new, "changed": self.changed, "unchanged": self.unchanged, "waiting": self.pending}


def known_ids(connection: Connection, table: Any, place: Place) -> pl.DataFrame:
    """source_id and id of a source's rows."""
    statement = select(table.source_id, table.id).where(
        table.practice_id == place.practice_id, table.source == place.source
    )
    return read_frame(connection, statement)


def changed_where_given(columns: list[str]) -> pl.Expr:
    """True where the batch says something other than what stands; an empty cell says nothing."""
    return pl.any_horizontal(
        *(pl.col(f"{c}_new").is_not_null() & pl.col(c).ne_missing(pl.col(f"{c}_new")) for c in columns)
    )


def _upsert(
    connection: Connection, table: Any, kind: str, place: Place, rows: pl.DataFrame, columns: list[str]
) -> Count:
    """``rows``: source_id, known_from and ``columns``. Values that are given replace; nothing is emptied."""
    statement = select(table.id, table.source_id, *(getattr(table, c) for c in columns)).where(
        table.practice_id == place.practice_id, table.source == place.source
    )
    present = read_frame(connection, statement)
    rows = rows.sort("source_id")
    new = rows.join(present.select("source_id"), on="source_id", how="anti")
    if new.height:
        first = next_id(connection, table)
        new = new.with_columns(
            id=pl.int_range(pl.len(), dtype=pl.Int64) + first,
            practice_id=pl.lit(place.practice_id),
            source=pl.lit(place.source),
            import_id=pl.lit(place.import_id),
        )
        if "public_id" in table.__table__.c:
            opaque = [public_id(place.secret, kind, place.source, one) for one in new["source_id"]]
            new = new.with_columns(pl.Series("public_id", opaque))
        insert_frame(connection, table.__table__, new)
    both = present.join(rows.select("source_id", *columns), on="source_id", suffix="_new")
    moved = both.filter(changed_where_given(columns))
    update_frame(
        connection,
        table.__table__,
        moved.select("id", *(pl.coalesce(f"{c}_new", c).alias(c) for c in columns)),
    )
    return Count(new.height, moved.height, both.height - moved.height)


def store_clinicians(connection: Connection, place: Place, rows: pl.DataFrame) -> Count:
    """Adds and updates clinicians by source id."""
    columns = ["display_name", "started_on", "ended_on", "is_trainee"]
    frame = rows.select(pl.col("clinician_id").alias("source_id"), *columns, pl.col("recorded_on").alias("known_from"))
    return _upsert(connection, Clinician, "clinician", place, frame, columns)


def store_clients(connection: Connection, place: Place, rows: pl.DataFrame) -> Count:
    """Adds and updates clients by source id."""
    columns = ["client_code", "birth_year", "gender", "ethnicity"]
    frame = rows.select(pl.col("client_id").alias("source_id"), *columns, pl.col("recorded_on").alias("known_from"))
    return _upsert(connection, Client, "client", place, frame, columns)


def _links(
    connection: Connection, table: Any, place: Place, rows: pl.DataFrame, key: list[str], columns: list[str]
) -> Count:
    statement = select(table.id, *(getattr(table, c) for c in [*key, *columns])).where(
        table.practice_id == place.practice_id
    )
    present = read_frame(connection, statement)
    rows = rows.unique(key, keep="last", maintain_order=True).sort(key)
    new = rows.join(present.select(key), on=key, how="anti", nulls_equal=True)
    if new.height:
        first = next_id(connection, table)
        new = new.with_columns(
            id=pl.int_range(pl.len(), dtype=pl.Int64) + first,
            practice_id=pl.lit(place.practice_id),
            import_id=pl.lit(place.import_id),
        )
        insert_frame(connection, table.__table__, new)
    both = present.join(rows.select(*key, *columns), on=key, suffix="_new", nulls_equal=True)
    moved = both.filter(changed_where_given(columns)) if columns else both.clear()
    if moved.height:
        update_frame(
            connection, table.__table__, moved.select("id", *(pl.coalesce(f"{c}_new", c).alias(c) for c in columns))
        )
    return Count(new.height, moved.height, both.height - moved.height)


def store_leave(connection: Connection, place: Place, rows: pl.DataFrame) -> Count:
    """Adds leave; ``rows`` have clinician and cover as internal ids."""
    frame = rows.select(
        "clinician_id",
        pl.col("from").alias("from_day"),
        pl.col("to").alias("to_day"),
        "cover_id",
        pl.col("recorded_on").alias("known_from"),
    )
    return _links(connection, Leave, place, frame, ["clinician_id", "from_day", "to_day"], ["cover_id"])


def store_supervision(connection: Connection, place: Place, rows: pl.DataFrame) -> Count:
    """Adds supervision links and their ends; ``rows`` have both people as internal ids."""
    frame = rows.select(
        "supervisor_id",
        "supervisee_id",
        pl.col("from").alias("from_day"),
        pl.col("to").alias("to_day"),
        pl.col("recorded_on").alias("known_from"),
    )
    return _links(connection, SupervisionLink, place, frame, ["supervisor_id", "supervisee_id", "from_day"], ["to_day"])
