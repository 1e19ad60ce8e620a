"""Rows that could not be taken in as given: set aside with a reason, or waiting for their parent to come."""

from __future__ import annotations

import hashlib

import polars as pl
from sqlalchemy import Connection, delete, select, update

from dashboard.intake.batch import KEYS, REFUSED, SAID_OR_NOT, SET_ASIDE, TABLES
from queries.frames import insert_frame, read_frame
from queries.keys import next_id
from queries.place import Place
from queries.tables import PendingRow, SetAside

MANY_IDS = 30_000  # below SQLite's limit of bound values in one statement


def _hashed(texts: list[str]) -> list[str]:
    return [hashlib.blake2b(text.encode(), digest_size=16).hexdigest() for text in texts]


def _as_json(table: str, rows: pl.DataFrame) -> pl.Series:
    text = rows.select(pl.col(c).cast(pl.String) if t.is_temporal() else pl.col(c) for c, t in TABLES[table].items())
    return text.select(pl.struct(pl.all()).struct.json_encode().alias("row"))["row"]


def record_set_aside(connection: Connection, place: Place, rows: pl.DataFrame, marks: list[str] | None = None) -> int:
    """Stores SET_ASIDE rows, with or without REFUSED, that are not there yet. Returns how many were new.

    ``marks`` are their fingerprints.
    """
    if rows.is_empty():
        return 0
    absent = [name for name in REFUSED if name not in rows.columns]
    rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
    if marks is None:
        joined = rows.select(
            pl.concat_str(pl.col(*SET_ASIDE).cast(pl.String).fill_null(""), separator="\x1f").alias("t")
        )["t"]
        marks = _hashed([f"{place.source}\x1f{text}" for text in joined])
    frame = rows.with_columns(pl.Series("fingerprint", marks)).unique("fingerprint", keep="first", maintain_order=True)
    known = read_frame(
        connection,
        select(SetAside.fingerprint, SetAside.id, SetAside.resolved_import_id).where(
            SetAside.practice_id == place.practice_id
        ),
    )
    again = known.filter(pl.col("resolved_import_id").is_in(list(place.undoings)).fill_null(False))
    again = again.join(frame, on="fingerprint", how="semi")
    _reopen(connection, again["id"].to_list(), import_id=place.import_id)
    new = frame.join(known, on="fingerprint", how="anti")
    if new.height:
        first = next_id(connection, SetAside)
        new = new.with_columns(
            id=pl.int_range(pl.len(), dtype=pl.Int64) + first,
            practice_id=pl.lit(place.practice_id),
            source=pl.lit(place.source),
            import_id=pl.lit(place.import_id),
        )
        insert_frame(connection, SetAside.__table__, new)
    return new.height + again.height


def _reopen(connection: Connection, ids: list[int], **also: int) -> None:
    for start in range(0, len(ids), MANY_IDS):
        part = SetAside.id.in_(ids[start : start + MANY_IDS])
        connection.execute(update(SetAside).where(part).values(resolved_import_id=None, **also))


def waiting_rows(connection: Connection, place: Place) -> dict[str, pl.DataFrame]:
    """Rows of this source kept from earlier imports, by table, in the order in which they came."""
    found = read_frame(
        connection,
        select(PendingRow.id, PendingRow.table_name, PendingRow.row, PendingRow.set_aside_id, PendingRow.fingerprint)
        .where(PendingRow.practice_id == place.practice_id, PendingRow.source == place.source)
        .order_by(PendingRow.id),
    )
    tables = {}
    for name in found["table_name"].unique().to_list():
        part = found.filter(pl.col("table_name") == name)
        schema = {c: pl.String() if t.is_temporal() else t for c, t in TABLES[name].items()}
        rows = part["row"].str.json_decode(pl.Struct(schema)).struct.unnest()
        rows = rows.with_columns(
            pl.col(c).str.to_date("%Y-%m-%d")
            if t == pl.Date()
            else pl.col(c).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us")
            for c, t in TABLES[name].items()
            if t.is_temporal()
        )
        tables[name] = rows.with_columns(
            file=pl.lit(None, dtype=pl.String),
            line=pl.lit(None, dtype=pl.Int64),
            pending_id=part["id"],
            set_aside_id=part["set_aside_id"],
            fingerprint=part["fingerprint"],
        )
        said = [c for c in SAID_OR_NOT if c in TABLES[name]]
        tables[name] = tables[name].with_columns(pl.col(c).fill_null(False) for c in said)
    return tables


def stood_for(
    waiting: dict[str, pl.DataFrame], keys: dict[str, pl.DataFrame]
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Waiting rows without those of the ``keys``, and those (pending_id, set_aside_id): rows of the call stand for them."""
    found = dict(waiting)
    over = [pl.DataFrame(schema={"pending_id": pl.Int64(), "set_aside_id": pl.Int64()})]
    for name in keys.keys() & waiting.keys():
        theirs = waiting[name].join(keys[name], on=list(KEYS[name]), how="semi", nulls_equal=True)
        over.append(theirs.select("pending_id", "set_aside_id"))
        found[name] = waiting[name].join(
            theirs.select("pending_id"), on="pending_id", how="anti", maintain_order="left"
        )
    return found, pl.concat(over)


def keep_waiting(
    connection: Connection, place: Place, table: str, orphans: pl.DataFrame, column: str
) -> tuple[pl.DataFrame, int, list[str]]:
    """Keeps rows whose ``column`` names an unknown parent, and says so.

    Returns SET_ASIDE rows, how many are new, and the fingerprints of the rows that wait.
    """
    reported = orphans.select(
        "file",
        "line",
        pl.lit(column).alias("column"),
        pl.col(column).alias("value"),
        pl.format(
            "{} '{}' is not known yet; the row is kept and tried again at the next import",
            pl.lit(column),
            pl.col(column),
        ).alias("reason"),
    ).cast(pl.Schema(SET_ASIDE))
    if orphans.is_empty():
        return reported, 0, []
    rows = _as_json(table, orphans)
    marks = _hashed([f"{place.source}\x1f{table}\x1f{text}" for text in rows])
    new = record_set_aside(connection, place, reported, marks)
    known = read_frame(
        connection,
        select(SetAside.id.label("set_aside_id"), SetAside.fingerprint, SetAside.resolved_import_id).where(
            SetAside.practice_id == place.practice_id
        ),
    )
    there = read_frame(
        connection,
        select(PendingRow.fingerprint).where(
            PendingRow.practice_id == place.practice_id,
            PendingRow.source == place.source,
            PendingRow.table_name == table,
        ),
    )
    frame = (
        pl.DataFrame({"row": rows, "fingerprint": marks})
        .unique("fingerprint", maintain_order=True)
        .join(there, on="fingerprint", how="anti")
        .join(known, on="fingerprint", how="inner", maintain_order="left")
    )
    if frame.height:
        first = next_id(connection, PendingRow)
        frame = frame.with_columns(
            id=pl.int_range(pl.len(), dtype=pl.Int64) + first,
            practice_id=pl.lit(place.practice_id),
            source=pl.lit(place.source),
            table_name=pl.lit(table),
        )
        insert_frame(connection, PendingRow.__table__, frame.drop("resolved_import_id"))
        settled = frame.drop_nulls("resolved_import_id")
        _reopen(connection, settled["set_aside_id"].to_list())
        new += settled.height
    return reported, new, marks


def settle(connection: Connection, place: Place, taken: pl.DataFrame) -> None:
    """Rows that waited and are taken in now: no longer pending, and their set-aside row says which import did it."""
    for start in range(0, taken.height, MANY_IDS):
        part = taken.slice(start, MANY_IDS)
        connection.execute(delete(PendingRow).where(PendingRow.id.in_(part["pending_id"].to_list())))
        connection.execute(
            update(SetAside)
            .where(SetAside.id.in_(part["set_aside_id"].to_list()))
            .values(resolved_import_id=place.import_id)
        )


def mend(connection: Connection, place: Place, table: str, keys: pl.Series, refused: pl.DataFrame) -> int:
    """Rows refused by earlier imports whose ``keys`` (row_key) are taken in now: they name this import and are open no longer.

    A key of which this call refuses a row too (``refused``: REFUSED) is not mended. Returns how many rows were.
    """
    found = read_frame(
        connection,
        select(SetAside.id, SetAside.row_key).where(
            SetAside.practice_id == place.practice_id,
            SetAside.source == place.source,
            SetAside.table_name == table,
            SetAside.resolved_import_id.is_(None),
            SetAside.import_id != place.import_id,
        ),
    )
    again = refused.filter(pl.col("table_name") == table).select("row_key")
    mended = (
        found.join(keys.unique().to_frame("row_key"), on="row_key", how="semi")
        .join(again, on="row_key", how="anti")["id"]
        .to_list()
    )
    for start in range(0, len(mended), MANY_IDS):
        connection.execute(
            update(SetAside)
            .where(SetAside.id.in_(mended[start : start + MANY_IDS]))
            .values(resolved_import_id=place.import_id)
        )
    return len(mended)
