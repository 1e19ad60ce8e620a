"""Another system's files through a mapping: raw tables in our columns, every row still with its own file and line."""

from __future__ import annotations

import re

import polars as pl

from dashboard.errors import UnusableInput
from dashboard.intake.batch import PLACE, SET_ASIDE
from dashboard.intake.mapping import Column, Join, Mapping, Target
from dashboard.intake.read import RawTable

BRACES = re.compile(r"\{([^{}]+)\}")
ISO_DAY = "%Y-%m-%d"


def _need(frame: pl.DataFrame, column: str, mapping: Mapping, where: str) -> str:
    if column not in frame.columns:
        raise UnusableInput(
            f"Mapping '{mapping.name}', {where}: there is no source column '{column}'. Correct the mapping. Nothing was imported."
        )
    return column


def _joined(
    frame: pl.DataFrame, join: Join, sources: dict[str, pl.DataFrame], mapping: Mapping, where: str
) -> pl.DataFrame:
    other = sources[join.file]
    for left, theirs in join.on.items():
        _need(frame, left, mapping, where)
        _need(other, theirs, mapping, f"{where}, file {join.file}")
    keys = list(join.on)
    right = other.drop(list(PLACE)).rename({name: f"{join.file}.{name}" for name in other.columns if name not in PLACE})
    right = right.with_columns(pl.col(f"{join.file}.{name}").alias(f"_key_{left}") for left, name in join.on.items())
    right_keys = [f"_key_{left}" for left in keys]
    if join.most is not None:
        column = f"{join.file}.{_need(other, join.most, mapping, where)}"
        numbered = frame.with_row_index("_row")
        counted = (
            _within(numbered.join(right, left_on=keys, right_on=right_keys, how="inner"), join)
            .drop_nulls(column)
            .group_by("_row", column)
            .len()
            .sort(["_row", "len", column], descending=[False, True, False])
            .unique("_row", keep="first", maintain_order=True)
            .select("_row", column)
        )
        return numbered.join(counted, on="_row", how="left", maintain_order="left").drop("_row")
    numbered = frame.with_row_index("_row")
    found = _within(numbered.join(right, left_on=keys, right_on=right_keys, how="inner"), join)
    found = found.unique("_row", keep="first", maintain_order=True)
    return numbered.join(
        found.select("_row", *(c for c in found.columns if c.startswith(f"{join.file}."))),
        on="_row",
        how="left",
        maintain_order="left",
    ).drop("_row")


def _day(column: str) -> pl.Expr:
    return pl.col(column).str.slice(0, 10).str.to_date(ISO_DAY, strict=False)


def _within(frame: pl.DataFrame, join: Join) -> pl.DataFrame:
    if join.within is None:
        return frame
    day, start, end = (
        _day(join.within.day if join.within.day in frame.columns else f"{join.file}.{join.within.day}"),
        _side(frame, join, join.within.start),
        _side(frame, join, join.within.end),
    )
    return frame.filter((day >= start) & (end.is_null() | (day <= end)))


def _side(frame: pl.DataFrame, join: Join, column: str) -> pl.Expr:
    own = f"{join.file}.{column}"
    return _day(own if own in frame.columns else column)


def _value(frame: pl.DataFrame, spec: Column, mapping: Mapping, where: str) -> pl.Expr:
    if spec.constant is not None:
        return pl.lit(spec.constant)
    if spec.template is not None:
        names = BRACES.findall(spec.template)
        for name in names:
            _need(frame, name, mapping, where)
        return pl.format(BRACES.sub("{}", spec.template), *(pl.col(name) for name in names))
    column = _need(frame, str(spec.column), mapping, where)
    value = pl.col(column).str.strip_chars()
    if spec.values:
        other = pl.lit(spec.other) if spec.other is not None else value
        given = value.replace_strict(spec.values, default=other, return_dtype=pl.String)
        value = pl.when(value.is_not_null() & (value != "")).then(given)
    if spec.date is not None:
        made = value.str.to_date(spec.date, strict=False).dt.strftime(ISO_DAY)
        value = pl.coalesce(made, value)  # what does not fit stays as it is, and is set aside with its text
    if spec.time is not None:
        made = value.str.to_datetime(spec.time, strict=False).dt.strftime("%Y-%m-%dT%H:%M:%S")
        value = pl.coalesce(made.str.slice(0, 10) if spec.part == "day" else made, value)
    if spec.days_from is not None:
        first = pl.lit(spec.days_from).str.to_date(ISO_DAY)
        made = (first + pl.duration(days=value.cast(pl.Int64, strict=False))).dt.strftime(ISO_DAY)
        value = pl.coalesce(made, value)
    if spec.times is not None:
        made = (value.cast(pl.Float64, strict=False) * spec.times).cast(pl.String)
        value = pl.coalesce(made, value)
    return value


def _table(target: Target, sources: dict[str, pl.DataFrame], mapping: Mapping) -> RawTable:
    where = f"table {target.table}"
    frame = sources[target.file]
    for join in target.join:
        frame = _joined(frame, join, sources, mapping, where)
    if target.once_by == "_all":
        frame = frame.head(1)
    elif target.once_by is not None:
        frame = frame.unique(_need(frame, target.once_by, mapping, where), keep="first", maintain_order=True)
    columns = [
        _value(frame, one, mapping, f"{where}, column {name}").alias(name) for name, one in target.columns.items()
    ]
    rows = frame.select(*columns, *PLACE)
    return RawTable(target.table, target.file, list(target.columns), rows, pl.DataFrame(schema=SET_ASIDE))


def mapped_tables(
    raws: dict[str, tuple[list[str], pl.DataFrame, pl.DataFrame]], mapping: Mapping
) -> tuple[list[RawTable], pl.DataFrame]:
    """Our tables from the source files (stem to columns, rows, ragged rows), and the source rows of the wrong width.

    Raises UnusableInput where a file or a column that the mapping names is not there.
    """
    missing = sorted(mapping.sources - set(raws))
    if missing:
        raise UnusableInput(
            f"Mapping '{mapping.name}' needs the file '{missing[0]}', which is not among those given. Nothing was imported."
        )
    ragged = pl.concat([pl.DataFrame(schema=SET_ASIDE), *(raws[name][2] for name in sorted(mapping.sources))])
    frames = {name: raws[name][1] for name in mapping.sources}
    return [_table(target, frames, mapping) for target in mapping.table], ragged


def sessions_of_scores(scores: pl.DataFrame) -> pl.DataFrame:
    """An attended session for every episode and day with a score, for sources that keep no appointments."""
    return (
        scores.filter(~pl.col("withdrawn"))
        .sort(["episode_id", "taken_on", "file", "line"])
        .unique(["episode_id", "taken_on"], keep="first", maintain_order=True)
        .select(
            pl.format("{}-{}", "episode_id", pl.col("taken_on").cast(pl.String)).alias("appointment_id"),
            "episode_id",
            pl.col("taken_on").cast(pl.Datetime("us")).alias("starts_at"),
            pl.lit("attended").alias("status"),
            pl.lit(None, dtype=pl.String).alias("mode"),
            pl.lit(None, dtype=pl.Date).alias("booked_on"),
            "recorded_on",
            pl.lit(False).alias("withdrawn"),
            "file",
            "line",
        )
    )
