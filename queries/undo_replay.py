"""A source's imports stored once more in a database of their own, in memory, with the very code that stored them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, insert, select

from dashboard.intake.batch import Batch
from queries.engine import open_engine, writing
from queries.frames import insert_frame, read_frame
from queries.intake_tables import ErasedKey
from queries.keys import BY_HAND, of_source
from queries.place import Place
from queries.store import PARENTS, store_batch
from queries.tables import (
    Base,
    Client,
    Clinician,
    Episode,
    Import,
    PendingRow,
    Practice,
    PracticeInstrument,
    Score,
    SetAside,
)
from queries.undo_tables import COMPARED

# the tables that storing a batch touches: what it writes and reads, and nothing else
STORED: tuple[Any, ...] = (
    Practice,
    Import,
    *(table for one in COMPARED.values() for table in (one.table, one.versions)),
    PracticeInstrument,
    SetAside,
    PendingRow,
    ErasedKey,
)


@dataclass(frozen=True)
class Made:
    """An import that counts: when it was made, and how."""

    id: int
    on: date
    at: datetime
    kind: str


@contextmanager
def replayed(
    connection: Connection, place: Place, made: Sequence[Made], batches: Sequence[tuple[int, Batch]]
) -> Iterator[tuple[Connection, dict[int, int]]]:
    """A connection to the imports as they would have been, each on its own day, and its import ids as they really are."""
    engine = open_engine("sqlite://")
    try:
        with writing(engine) as scratch:
            Base.metadata.create_all(scratch, tables=[table.__table__ for table in STORED])
            scratch.execute(
                insert(Practice).values(
                    id=place.practice_id, name="again", secret=place.secret, created_at=datetime(2000, 1, 1)
                )
            )
            if place.by_hand:
                _with_other_sources(connection, scratch, place, batches)
            when = {one.id: one for one in made}
            ids: dict[int, int] = {}
            for import_id, batch in batches:
                one = when[import_id]
                stored = store_batch(
                    scratch, place.practice_id, place.source, batch, today=one.on, now=one.at, username=None,
                    kind=one.kind, keep=False,
                )  # fmt: skip
                if stored.import_id is not None:
                    ids[stored.import_id] = import_id
            yield scratch, ids
            scratch.rollback()
    finally:
        engine.dispose()


def _with_other_sources(
    connection: Connection, scratch: Connection, place: Place, batches: Sequence[tuple[int, Batch]]
) -> None:
    """What rows entered by hand belong to and came from another source, as it stands today."""
    named: dict[Any, set[str]] = {Clinician: set(), Client: set(), Episode: set()}
    for _, batch in batches:
        for name, rows in batch.tables.items():
            for column, table, _ in PARENTS[name]:
                named[table].update(one for one in rows[column].drop_nulls() if "\x1f" in one)
    episodes = _of_other_sources(connection, place, Episode, named[Episode], [])
    clients = episodes["client_id"].to_list()
    clinicians = episodes["clinician_id"].to_list()
    parents = {
        Clinician: _of_other_sources(connection, place, Clinician, named[Clinician], clinicians),
        Client: _of_other_sources(connection, place, Client, named[Client], clients).with_columns(
            merged_into_id=pl.lit(None, dtype=pl.Int64)
        ),
        Episode: episodes,
    }
    columns = [column for column in Score.__table__.c if column.name != "import_id"]
    scores = read_frame(connection, select(*columns).where(Score.practice_id == place.practice_id))
    theirs = scores.join(episodes.select(episode_id="id", of="source"), on="episode_id")
    kept = theirs.filter(pl.coalesce("source", "of") != place.source).drop("of")
    for table, rows in {**parents, Score: kept}.items():
        insert_frame(scratch, table.__table__, rows)


def _of_other_sources(
    connection: Connection, place: Place, table: Any, named: set[str], also: list[int]
) -> pl.DataFrame:
    columns = [column for column in table.__table__.c if column.name != "import_id"]
    found = read_frame(
        connection, select(*columns).where(table.practice_id == place.practice_id, table.source != BY_HAND)
    )
    names = [of_source(*row) for row in found.select("source", "source_id").iter_rows()]
    return found.filter(pl.Series(names, dtype=pl.String).is_in(list(named)) | pl.col("id").is_in(also))
