"""FHIR's times to the practice's day and time. What is no full date stays as it is, so that it is set aside with its text."""

from __future__ import annotations

import polars as pl

from dashboard.intake.check import local_times


def practice_time(column: pl.Series, timezone: str) -> pl.Series:
    """Practice time without an offset as text; more than microseconds are cut, since they change no minute."""
    cut = column.str.replace(r"(\.\d{6})\d+", "${1}")
    times = local_times(cut, timezone).dt.strftime("%Y-%m-%dT%H:%M:%S")
    return pl.select(pl.coalesce(times, column)).to_series().alias(column.name)


def practice_day(column: pl.Series, timezone: str) -> pl.Series:
    """The practice's day as text; a year or a month alone, or no date at all, stays as it is."""
    times = practice_time(column, timezone)
    full = times.str.contains(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$")
    return pl.select(pl.when(full).then(times.str.slice(0, 10)).otherwise(times)).to_series().alias(column.name)


def as_date(column: str) -> pl.Expr:
    """A day's text as a date; null where it is none."""
    return pl.col(column).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
