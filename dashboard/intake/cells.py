"""One of our columns from a source's: words, dates, counted days and numbers, exactly as the mapping says.

What does not fit is left as it is, so that the checks set it aside with its own text.
"""

from __future__ import annotations

import re

import polars as pl

from dashboard.intake.mapping import Column

BRACES = re.compile(r"\{([^{}]+)\}")
ISO_DAY = "%Y-%m-%d"
WHOLE_DAY = r"^\d{4}-\d{2}-\d{2}$"
ISO_TIME = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$"
MOST_STEPS = 100_000  # days, weeks or months beyond which a number counts no steps of any treatment
COMMA = r"^[+-]?\d+(,\d+)?$"


def named_columns(spec: Column) -> list[str]:
    """The source columns that a column is made of."""
    names = BRACES.findall(spec.template or "") + ([spec.column] if spec.column is not None else [])
    if spec.days_from is not None and not re.match(WHOLE_DAY, spec.days_from):
        names = [*names, spec.days_from]
    return list(dict.fromkeys(names))


def value_of(spec: Column) -> pl.Expr:
    """The column's text, from a frame whose empty cells are null; a template of empty cells only is empty."""
    if spec.constant is not None:
        return pl.lit(spec.constant)
    value: pl.Expr
    if spec.template is not None:
        parts = BRACES.split(spec.template)  # words and column names in turn
        pieces = [pl.lit(one) if place % 2 == 0 else pl.col(one).fill_null("") for place, one in enumerate(parts)]
        filled = pl.any_horizontal(pl.col(one).is_not_null() for one in parts[1::2])
        value = pl.when(filled).then(pl.concat_str(pieces))
    else:
        value = pl.col(str(spec.column))
    if spec.values:
        other = pl.lit(spec.other) if spec.other is not None else value
        given = value.replace_strict(spec.values, default=other, return_dtype=pl.String)
        value = pl.when(value.is_not_null()).then(given)
    if spec.empty is not None:
        value = value.fill_null(spec.empty)
    if spec.date is not None:
        value = pl.coalesce(value.str.to_date(spec.date, strict=False).dt.strftime(ISO_DAY), value)
    if spec.time is not None:
        made = value.str.to_datetime(spec.time, strict=False, time_unit="us").dt.strftime("%Y-%m-%dT%H:%M:%S")
        value = pl.coalesce(made.str.slice(0, 10) if spec.part == "day" else made, value)
    elif spec.part == "day":
        # with an offset the day is not the one that is written: such a time is left as it is
        value = pl.when(value.str.contains(ISO_TIME)).then(value.str.slice(0, 10)).otherwise(value)
    if spec.days_from is not None:
        given_day = (
            pl.lit(spec.days_from) if re.match(WHOLE_DAY, spec.days_from) else pl.col(spec.days_from).str.slice(0, 10)
        )
        first = given_day.str.to_date(ISO_DAY, strict=False)
        step = value.cast(pl.Int64, strict=False) - spec.first
        step = pl.when(step.is_between(-MOST_STEPS, MOST_STEPS)).then(step)
        value = pl.coalesce((first + pl.duration(days=step * spec.step_days)).dt.strftime(ISO_DAY), value)
    if spec.decimal == ",":
        # a point in such a column is no decimal point: the text is kept, and unfit() names it
        value = pl.when(value.str.contains(COMMA)).then(value.str.replace(",", ".", literal=True)).otherwise(value)
    if spec.times is not None:
        made = (value.cast(pl.Float64, strict=False) * spec.times).cast(pl.String)
        value = pl.coalesce(made, value)
    return value


def unfit(spec: Column) -> pl.Expr | None:
    """True where a cell would be read as another number than it says; null where the column cannot hold such."""
    if spec.decimal == "." or spec.column is None or spec.values:
        return None
    return pl.col(spec.column).is_not_null() & ~pl.col(spec.column).str.contains(COMMA)
