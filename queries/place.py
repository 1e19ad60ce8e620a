"""Where the rows of an import go, what became of them, and the rows that they may belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from queries.frames import read_frame
from queries.keys import BY_HAND, of_source
from queries.tables import Client


@dataclass(frozen=True)
class Place:
    """Where rows go: practice, its secret for opaque ids, the source, and the import that brings them.

    ``undoings``: the imports by which others were undone; a row that names one of them has never been.
    """

    practice_id: int
    secret: str
    source: str
    import_id: int
    undoings: tuple[int, ...] = ()

    @property
    def by_hand(self) -> bool:
        """Rows entered by hand may belong to a client, clinician or episode of any source."""
        return self.source == BY_HAND


@dataclass(frozen=True)
class Count:
    """How many rows were new, changed, the same, wait for a parent, or were set aside.

    ``came``: rows that had waited since earlier calls and were taken in now; they are among the others too. ``rows_in``: the
    rows of this call. new + changed + unchanged + pending + aside = rows_in + came, always.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    pending: int = 0
    aside: int = 0
    came: int = 0
    rows_in: int = 0

    def as_dict(self) -> dict[str, int]:
        """For the report."""
        return {
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "waiting": self.pending,
            "set_aside": self.aside,
            "had_waited": self.came,
            "rows_in": self.rows_in,
        }


def known_ids(connection: Connection, table: Any, place: Place) -> pl.DataFrame:
    """source_id and id of the rows that rows of this place may belong to; of a merged client the surviving one's id.

    By hand: those of any source, named as ``keys.of_source`` says.
    """
    columns = [table.source_id, table.id, table.source, table.import_id]
    statement = select(*columns, *([Client.merged_into_id] if table is Client else [])).where(
        table.practice_id == place.practice_id
    )
    if not place.by_hand:
        statement = statement.where(table.source == place.source)
    found = read_frame(connection, statement).filter(~pl.col("import_id").is_in(list(place.undoings)).fill_null(False))
    if place.by_hand:
        named = [of_source(*row) for row in found.select("source", "source_id").iter_rows()]
        found = found.with_columns(source_id=pl.Series(named, dtype=pl.String))
    if table is Client:
        found = found.with_columns(id=survivors(found)["survivor_id"])
    return found.select("source_id", "id")


def survivors(clients: pl.DataFrame) -> pl.DataFrame:
    """id and ``survivor_id``, in the order of ``clients`` (id, merged_into_id): where a merged record's episodes have gone."""
    merged = clients.drop_nulls("merged_into_id")
    into = dict(merged.select("id", "merged_into_id").iter_rows())
    ends = []
    for one in clients["id"]:
        end, steps = one, 0
        while end in into and steps <= len(into):
            end, steps = into[end], steps + 1
        ends.append(end)
    return clients.select("id", survivor_id=pl.Series(ends, dtype=pl.Int64))
