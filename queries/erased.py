"""Ids of erased people, kept as keyed hashes: a later file that names one of them brings nobody back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import polars as pl
from sqlalchemy import Connection, insert, select

from dashboard.intake.batch import REFUSED, SET_ASIDE, TABLES, Batch
from queries.intake_tables import ErasedKey
from queries.keys import BY_HAND
from queries.place import Place

SOURCE = "erased"  # the source of erased rows: no import, and no undoing of one, is of this source
REASON = "erased on request"
NAMES = {"client_id": "clients", "merged_into": "clients", "episode_id": "episodes", "appointment_id": "appointments"}
OF_A_CLIENT = ("clients", "episodes", "appointments", "scores")
Key = tuple[str, str, str]  # source, table, id


def hashed(secret: str, key: Key) -> str:
    """What is kept of an id: the same for the same one, useless without the practice's secret."""
    return hashlib.blake2b("\x1f".join(key).encode(), key=bytes.fromhex(secret), digest_size=20).hexdigest()


def remember(connection: Connection, practice_id: int, secret: str, keys: Iterable[Key], today: date) -> None:
    """Keeps the hashes of ids, those that are not there yet."""
    known = set(connection.execute(select(ErasedKey.key_hash).where(ErasedKey.practice_id == practice_id)).scalars())
    new = {}
    for source, table, one in keys:
        mark = hashed(secret, (source, table, one))
        if mark not in known:
            new[mark] = {
                "practice_id": practice_id,
                "source": source,
                "table_name": table,
                "key_hash": mark,
                "erased_on": today,
            }
    if new:
        connection.execute(insert(ErasedKey), list(new.values()))


def named(source: str, one: str) -> tuple[str, str]:
    """Source and id that a cell means: what is entered by hand names a row of another source before its id."""
    other, mark, rest = one.partition("\x1f")
    return (other, rest) if source == BY_HAND and mark else (source, one)


class _Known:
    """Which ids of a call are among the erased ones."""

    def __init__(self, secret: str, source: str, marks: set[str]) -> None:
        self.secret, self.source, self.marks = secret, source, marks

    def holds(self, column: str, one: str | None) -> bool:
        if one is None:
            return False
        source, rest = named(self.source, one)
        return hashed(self.secret, (source, NAMES[column], rest)) in self.marks

    def rows(self, frame: pl.DataFrame, columns: Iterable[str]) -> pl.Series:
        """True for the rows of which any of the columns names somebody erased."""
        found = pl.Series([False]).new_from_index(0, frame.height)
        for column in columns:
            if column in frame.columns and frame.height:
                ids = [one for one in frame[column].unique().to_list() if self.holds(column, one)]
                found = found | frame[column].is_in(ids).fill_null(False)
        return found


def _unsaid(known: _Known, aside: pl.DataFrame) -> pl.DataFrame:
    """Rows that reading refused, without what they say of an erased person."""
    if aside.is_empty():
        return aside
    about = []
    for row in aside.iter_rows(named=True):
        key = (row.get("row_key") or "").split("\x1f")[0]
        column = {
            "clients": "client_id",
            "episodes": "episode_id",
            "scores": "episode_id",
            "appointments": "appointment_id",
        }
        owner = column.get(row.get("table_name") or "")
        cell = row["column"] if row["column"] in NAMES else None
        about.append(
            (owner is not None and known.holds(owner, key)) or (cell is not None and known.holds(cell, row["value"]))
        )
    hidden = pl.Series(about, dtype=pl.Boolean)
    blank = [name for name in ("column", "value", *REFUSED) if name in aside.columns]
    return aside.with_columns(
        *(pl.when(hidden).then(None).otherwise(pl.col(name)).alias(name) for name in blank),
        reason=pl.when(hidden).then(pl.lit(REASON)).otherwise("reason"),
    )


def without_erased(connection: Connection, place: Place, batch: Batch, today: date) -> Batch:
    """The batch without the rows of erased people; each is set aside with file and line, and without what it said.

    A new episode of an erased client is refused too, and its id kept, so that what belongs to it does not wait for it.
    """
    statement = select(ErasedKey.key_hash).where(ErasedKey.practice_id == place.practice_id)
    marks = set(connection.execute(statement).scalars())
    if not marks:
        return batch
    known = _Known(place.secret, place.source, marks)
    tables = dict(batch.tables)
    rows_in = dict(batch.rows_in)
    said = [_unsaid(known, batch.set_aside)]
    for name in OF_A_CLIENT:
        rows = tables.get(name)
        if rows is None:
            continue
        columns = [c for c in NAMES if c in TABLES[name] and not (name == "scores" and c == "appointment_id")]
        hit = known.rows(rows, columns)
        if not hit.any():
            continue
        gone = rows.filter(hit)
        rows_in.setdefault(name, rows.height)
        tables[name] = rows.filter(~hit)
        said.append(gone.select("file", "line", reason=pl.lit(REASON)))
        if name == "episodes":
            new = [(*named(place.source, one), "episodes") for one in gone["episode_id"].unique().to_list()]
            keys = [(source, table, one) for source, one, table in new]
            remember(connection, place.practice_id, place.secret, keys, today)
            known.marks |= {hashed(place.secret, key) for key in keys}
    empty = pl.DataFrame(schema={**SET_ASIDE, **REFUSED})
    return replace(batch, tables=tables, rows_in=rows_in, set_aside=pl.concat([empty, *said], how="diagonal_relaxed"))
