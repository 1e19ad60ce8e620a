"""A source database's cells as the text that a file would hold, and the place by which a row is called."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import sqlalchemy as sa


def cell(value: Any, timezone: str) -> str | None:
    """A driver's value as text, for databases that do not write it themselves."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return _local(value, timezone).isoformat(timespec="microseconds" if value.microsecond else "seconds")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (Decimal, float)):
        return f"{Decimal(repr(value)) if isinstance(value, float) else value:f}"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    return str(value)


def _local(stamp: datetime, timezone: str) -> datetime:
    if stamp.tzinfo is None:
        return stamp
    return stamp.astimezone(ZoneInfo(timezone) if timezone else None).replace(tzinfo=None)


def plain(texts: pl.Series, kind: Any, timezone: str) -> pl.Series:
    """Texts as the database wrote them in the one form that files have too."""
    if isinstance(kind, sa.Boolean):
        return texts.replace({"1": "true", "0": "false", "t": "true", "f": "false"})
    if isinstance(kind, sa.DateTime):
        frame = texts.to_frame("t")
        iso = pl.col("t").str.replace(r"^(\d{4}-\d{2}-\d{2}) (\d)", "${1}T$2").str.replace(r"\.0+($|[+Z-])", "$1")
        frame = frame.with_columns(t=iso.str.replace(r"([+-]\d{2})$", "${1}:00"))
        aware = frame.select(pl.col("t").str.contains(r"T.*(Z|[+-]\d{2}:?\d{2})$")).to_series().fill_null(False)
        if not aware.any():
            return frame["t"].alias(texts.name)
        local = [
            _local(datetime.fromisoformat(t), timezone).isoformat() if a else t
            for t, a in zip(frame["t"].to_list(), aware.to_list(), strict=True)
        ]
        return pl.Series(texts.name, local, dtype=pl.String)
    if isinstance(kind, (sa.Numeric, sa.Float)):
        return texts.to_frame("t").select(pl.col("t").str.replace(r"^([+-]?\d+)\.0$", "$1"))["t"].alias(texts.name)
    return texts


def placed(frame: pl.DataFrame, table: sa.Table, keys: list[Any]) -> pl.DataFrame:
    """The frame with file and line: the same for a row at every sync, so that what was set aside once is not told again."""
    name = f"{table.schema}.{table.name}" if table.schema else table.name
    labels = [f"_key{place}" for place in range(len(keys))]
    nothing = pl.lit(None, dtype=pl.Int64).alias("line")
    if len(keys) == 1 and isinstance(keys[0].type, sa.Integer):
        whole = frame["_key0"].cast(pl.Int64, strict=False)
        if whole.null_count() == 0:
            return frame.with_columns(pl.lit(name).alias("file"), whole.alias("line"))
    if keys:
        text = pl.concat_str([pl.col(label).fill_null("") for label in labels], separator=" ")
        return frame.with_columns(pl.format("{}, key {}", pl.lit(name), text.str.slice(0, 80)).alias("file"), nothing)
    digests = [hashlib.blake2b(repr(row).encode(), digest_size=6).hexdigest() for row in frame.iter_rows()]
    file = pl.Series("file", [f"{name}, row {one}" for one in digests], dtype=pl.String)
    return frame.with_columns(file, nothing)
