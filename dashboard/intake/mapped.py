"""Another system's tables through a mapping: raw tables in our columns, every row still with its own file and line."""

from __future__ import annotations

from collections.abc import Mapping as Named
from dataclasses import dataclass

import polars as pl

from dashboard.errors import UnusableInput
from dashboard.intake.batch import PLACE, SET_ASIDE
from dashboard.intake.cells import ISO_DAY, named_columns, unfit, value_of
from dashboard.intake.mapping import UNPIVOT_NAME, UNPIVOT_VALUE, Join, Mapping, Target
from dashboard.intake.read import RawTable
from dashboard.intake.references import columns_read
from dashboard.intake.reshape import as_table, one_row_per_cell
from dashboard.intake.sources import SourceTable

# names that rows on their way here carry themselves
RESERVED = frozenset((*PLACE, "_row", "_field", "_cell", "_counted", "_place"))


@dataclass(frozen=True)
class Tally:
    """How the rows of one source became rows of one table.

    Without unpivot: ``read`` = ``not_meant`` + ``repeated`` + ``set_aside`` + ``rows``. With unpivot every row that is left gives
    as many cells as the mapping lists: ``rows`` + ``empty``. ``not_meant``: kept out by where; ``repeated``: by once_by; neither
    is an error.
    """

    table: str
    file: str
    read: int
    not_meant: int
    repeated: int
    set_aside: int
    empty: int
    rows: int


@dataclass(frozen=True)
class Mapped:
    """Our tables, what was set aside on the way (SET_ASIDE), how rows were counted, and what the sources lacked, by file."""

    tables: list[RawTable]
    aside: pl.DataFrame
    tallies: list[Tally]
    absent: dict[str, list[str]]


def _refuse_reserved(wanted: dict[str, set[str]], mapping: Mapping) -> None:
    for source, columns in sorted(wanted.items()):
        if found := sorted(one for one in columns if one in RESERVED or one.startswith("_key_")):
            raise UnusableInput(
                f"Mapping '{mapping.name}', {source}: a source column called '{found[0]}' cannot be read. Give it another name "
                "with names in [[source]]. Nothing was imported."
            )


def _need(frame: pl.DataFrame, column: str, mapping: Mapping, where: str) -> str:
    if column not in frame.columns:
        raise UnusableInput(
            f"Mapping '{mapping.name}', {where}: there is no source column '{column}'. Correct the mapping. Nothing was imported."
        )
    return column


def _joined(
    frame: pl.DataFrame, join: Join, sources: dict[str, pl.DataFrame], mapping: Mapping, where: str
) -> pl.DataFrame:
    other = sources[join.file.lower()]
    for left, theirs in join.on.items():
        _need(frame, left, mapping, where)
        _need(other, theirs, mapping, f"{where}, file {join.file}")
    keys = list(join.on)
    right = other.drop(list(PLACE)).rename({name: f"{join.file}.{name}" for name in other.columns if name not in PLACE})
    right = right.with_columns(pl.col(f"{join.file}.{name}").alias(f"_key_{left}") for left, name in join.on.items())
    right_keys = [f"_key_{left}" for left in keys]
    numbered = frame.with_row_index("_row")
    found = _within(
        numbered.join(right, left_on=keys, right_on=right_keys, how="inner", maintain_order="left_right"),
        join,
        mapping,
        where,
    )
    if join.most is not None:
        column = f"{join.file}.{_need(other, join.most, mapping, where)}"
        found = (
            found.drop_nulls(column)
            .group_by("_row", column)
            .len()
            .sort(["_row", "len", column], descending=[False, True, False])
        )
        columns = [column]
    else:
        columns = [c for c in found.columns if c.startswith(f"{join.file}.")]
        if (chosen := join.earliest or join.latest) is not None:
            by = f"{join.file}.{_need(other, chosen, mapping, where)}"
            latest = join.latest is not None
            found = found.sort("_row", by, descending=[False, latest], nulls_last=True, maintain_order=True)
    first = found.unique("_row", keep="first", maintain_order=True).select("_row", *columns)
    return numbered.join(first, on="_row", how="left", maintain_order="left").drop("_row")


def _within(frame: pl.DataFrame, join: Join, mapping: Mapping, where: str) -> pl.DataFrame:
    if join.within is None:
        return frame

    def day(column: str, own_first: bool) -> pl.Expr:
        names = [column, f"{join.file}.{column}"]
        names = [name for name in (names if own_first else reversed(names)) if name in frame.columns]
        if not names:
            _need(frame, column, mapping, where)
        return pl.col(names[0]).str.slice(0, 10).str.to_date(ISO_DAY, strict=False)

    on, start, end = day(join.within.day, True), day(join.within.start, False), day(join.within.end, False)
    return frame.filter((on >= start) & (end.is_null() | (on <= end)))


def _meant(frame: pl.DataFrame, target: Target, mapping: Mapping, where: str) -> pl.DataFrame:
    for one in target.where:
        column = pl.col(_need(frame, one.column, mapping, where))
        if one.one_of is not None:
            rule = column.fill_null("").is_in(list(one.one_of))
        elif one.not_in is not None:
            rule = ~column.fill_null("").is_in(list(one.not_in))
        else:
            rule = column.is_not_null()
        frame = frame.filter(rule)
    return frame


def _checked(
    frame: pl.DataFrame, target: Target, mapping: Mapping, where: str
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    aside = []
    for one in target.check:
        wrong = pl.col(_need(frame, one.column, mapping, where)).ne_missing(pl.lit(one.equals))
        aside.append(_set_aside(frame.filter(wrong), one.column, one.column, one.reason))
        frame = frame.filter(~wrong)
    return frame, aside


def _set_aside(rows: pl.DataFrame, column: str, cell: str, reason: str) -> pl.DataFrame:
    return rows.select(
        "file",
        "line",
        pl.lit(column, dtype=pl.String).alias("column"),
        pl.col(cell).str.slice(0, 200).alias("value"),
        pl.lit(reason, dtype=pl.String).alias("reason"),
    )


def _table(
    target: Target, sources: dict[str, pl.DataFrame], mapping: Mapping
) -> tuple[RawTable, list[pl.DataFrame], Tally]:
    where = f"table {target.table}"
    frame = sources[target.file.lower()]
    read = frame.height
    for join in target.join:
        frame = _joined(frame, join, sources, mapping, where)
    frame = _meant(frame, target, mapping, where)
    not_meant = read - frame.height
    frame, aside = _checked(frame, target, mapping, where)
    left = frame.height
    if target.order_by is not None:
        frame = frame.sort(_need(frame, target.order_by, mapping, where), nulls_last=True, maintain_order=True)
    if target.once_by == "_all":
        frame = frame.head(1)
    elif target.repeated_by:
        by = [_need(frame, one, mapping, where) for one in target.repeated_by]
        frame = frame.unique(by, keep="first", maintain_order=True)
    repeated = left - frame.height
    named = {name: f"{where}, column {ours}" for ours, one in target.columns.items() for name in named_columns(one)}
    cells = frame.height
    if target.unpivot:
        cells *= len(target.unpivot)
        for name in target.unpivot:
            _need(frame, name, mapping, f"{where}, unpivot")
        kept = [_need(frame, n, mapping, at) for n, at in named.items() if n not in (UNPIVOT_NAME, UNPIVOT_VALUE)]
        frame = one_row_per_cell(frame, target.unpivot, kept)
    for name, at in named.items():
        _need(frame, name, mapping, at)
    empty = cells - frame.height
    aside_by_checks = sum(one.height for one in aside)
    for ours, one in target.columns.items():
        wrong = unfit(one)
        if wrong is not None:
            aside.append(_set_aside(frame.filter(wrong), ours, str(one.column), "not a number with a decimal comma"))
            frame = frame.filter(~wrong)
    misfit = sum(one.height for one in aside) - aside_by_checks
    rows = frame.select(*(value_of(one).alias(ours) for ours, one in target.columns.items()), *PLACE)
    raw = RawTable(target.table, target.file, list(target.columns), rows, pl.DataFrame(schema=SET_ASIDE))
    tally = Tally(target.table, target.file, read, not_meant, repeated, aside_by_checks + misfit, empty, rows.height)
    return raw, aside, tally


def _clean(frame: pl.DataFrame, wanted: set[str]) -> pl.DataFrame:
    """The wanted columns without spaces around their cells; an empty cell is null, whatever kind of source it came from."""
    kept = [name for name in frame.columns if name in wanted and name not in PLACE]
    return frame.select(*(pl.col(name).str.strip_chars().replace("", None) for name in kept), *PLACE)


def mapped_tables(raws: Named[str, SourceTable], mapping: Mapping) -> Mapped:
    """Our tables from the source tables by name.

    Raises UnusableInput where a source or a column that the mapping names is not there.
    """
    given = mapping.sources & set(raws)
    missing = sorted(mapping.sources - given)
    targets = [one for one in mapping.table if mapping.needs(one) <= given]
    if needed := [name for name in missing if not targets or not mapping.layout(name).optional]:
        raise UnusableInput(
            f"Mapping '{mapping.name}' needs the file '{needed[0]}', which is not among those given. Nothing was imported."
        )
    aside = [pl.DataFrame(schema=SET_ASIDE), *(raws[name].ragged for name in sorted(given))]
    wanted = columns_read(mapping)
    _refuse_reserved(wanted, mapping)
    frames = {name: _clean(raws[name].rows, wanted[name]) for name in given}
    absent = {name: ["it was not given; what the mapping makes from it is left out"] for name in missing}
    for eav in (one for one in mapping.eav if one.file.lower() in given):
        source = frames[eav.file.lower()]
        for column in (*eav.key, eav.name, eav.value):
            _need(source, column, mapping, f"eav {eav.makes}")
        made, doubled, lacking = as_table(source, eav, wanted.get(eav.makes.lower(), set()))
        frames[eav.makes.lower()] = made
        aside.append(doubled)
        if lacking:
            absent.setdefault(eav.file, []).extend(f"no row holds the field {name}" for name in lacking)
    tables, tallies = [], []
    for target in targets:
        table, set_aside, tally = _table(target, frames, mapping)
        tables.append(table)
        tallies.append(tally)
        aside += set_aside
    # a row that fails a check is set aside once, however many of our tables it would have fed
    whole = pl.concat([one.cast(pl.Schema(SET_ASIDE)) for one in aside]).unique(keep="first", maintain_order=True)
    return Mapped(tables, whole, tallies, absent)


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
