"""Tables out: frames as CSV, JSON or Parquet, safe to open in a spreadsheet."""

from __future__ import annotations

import io

import polars as pl

from dashboard.harmless import HIDDEN, STORM

FORMATS = ("csv", "json", "parquet")
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # the wide ones are read alike in East Asia
PLAIN_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def spreadsheet_safe(frame: pl.DataFrame) -> pl.DataFrame:
    """Text cells without what nobody sees; those that a spreadsheet would run as a formula get a leading apostrophe.

    Numbers stay numbers.
    """
    text = [name for name, dtype in frame.schema.items() if dtype == pl.String()]
    frame = frame.with_columns(pl.col(name).str.replace_all(HIDDEN, "").str.replace_all(STORM, "$1") for name in text)
    starts = pl.any_horizontal
    return frame.with_columns(
        pl.when(
            starts(*[pl.col(name).str.starts_with(mark) for mark in DANGEROUS])
            & ~pl.col(name).str.contains(PLAIN_NUMBER)
        )
        .then(pl.lit("'") + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        for name in text
    )


def _with_iso_times(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S")
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.Datetime)
    )


def to_csv(frame: pl.DataFrame) -> bytes:
    """UTF-8, comma, one header line; empty means unknown; formula characters made harmless."""
    return spreadsheet_safe(_with_iso_times(frame)).write_csv().encode()


def to_json(frame: pl.DataFrame) -> bytes:
    """A list of objects; dates as ISO text, unknown as null."""
    return (_with_iso_times(frame).write_json() + "\n").encode()


def to_parquet(frame: pl.DataFrame) -> bytes:
    """Parquet with typed columns."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def to_bytes(frame: pl.DataFrame, kind: str) -> bytes:
    """The frame in one of FORMATS."""
    return {"csv": to_csv, "json": to_json, "parquet": to_parquet}[kind](frame)
