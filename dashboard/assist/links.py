"""How files hang together: shared key columns, periods that a day falls into, and every column that one file can reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from dashboard.assist.names import tokens
from dashboard.assist.profile import Source

ENOUGH = 0.8  # project default: the share of a key's values that must be found in the other file
DEEPEST = 3  # files between a row and what is looked up for it
STARTS = frozenset({"start", "from", "opened", "begin", "von", "desde", "debut", "aufnahme", "admission", "intake"})
BIRTH = frozenset({"birth", "dob", "born", "geburt", "geburtsdatum", "naissance", "nacimiento"})
MANY = 0.05  # project default: from this share of rows with several matches on, a look-up is a most-frequent value
CHECKED = 2_000  # rows looked at to tell so
ENDS = frozenset({"end", "to", "closed", "until", "bis", "hasta", "fin", "entlassung", "discharge"})

Sources = dict[str, Source]


@dataclass(frozen=True)
class Reach:
    """A column that a mapping of one file can read: ``name`` as the mapping says it, ``steps`` the joins that bring it.

    ``many``: several rows of the other file match, so that its most frequent value counts.
    """

    name: str
    source: str
    column: str
    steps: tuple[dict[str, Any], ...] = ()
    many: bool = False

    @property
    def shown(self) -> str:
        """For a list on screen: the column, with its file where it is another one."""
        return f"{self.column}  ({self.source})" if self.steps else self.column


@dataclass
class _Frontier:
    """What is reached so far: bare column name -> (name in the mapping, source, column)."""

    columns: dict[str, tuple[str, Source, str]] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)


def id_like(name: str) -> bool:
    """A column whose name speaks of a key."""
    words = tokens(name)
    return bool(words) and words[-1] in {"id", "key", "ref", "nr", "uid", "code", "number", "编号", "kennung"}


def held(left: pl.Series, right: pl.Series) -> float:
    """The share of the distinct values of ``left`` that ``right`` has too; 0 where there are none."""
    if not len(left):
        return 0.0
    return float(left.is_in(right.implode()).sum()) / len(left)


def _day_columns(source: Source, words: frozenset[str]) -> list[str]:
    return [name for name in source.names if words & set(tokens(name)) and _plain_day(source, name)]


def _plain_day(source: Source, name: str) -> bool:
    profile = source.profile(name)
    return not profile.filled or (profile.written.iso and not profile.written.clock)


def period_of(source: Source) -> tuple[str, str] | None:
    """The columns that hold the first and the last day of a row's period; null where it has none."""
    starts, ends = _day_columns(source, STARTS), _day_columns(source, ENDS)
    return (starts[0], ends[0]) if starts and ends and starts[0] != ends[0] else None


def day_of(source: Source) -> str | None:
    """The column that says when a row happened: the first one that holds days or times in every filled cell."""
    days = [
        name
        for name in source.names
        if source.profile(name).filled and source.profile(name).written.iso and not BIRTH & set(tokens(name))
    ]
    clocks = [name for name in days if source.profile(name).written.clock]
    return next(iter(clocks or days), None)


def _keys(columns: dict[str, tuple[str, Source, str]], other: Source) -> dict[str, str]:
    """Columns that both sides have by name and whose values the other side knows: name in the mapping -> other's column."""
    found = {}
    for bare, (name, source, column) in columns.items():
        if bare not in other.names or not id_like(bare):
            continue
        if held(source.distinct(column), other.distinct(bare)) >= ENOUGH:
            found[name] = bare
    return found


def _least(keys: dict[str, str], other: Source) -> dict[str, str]:
    """One key alone where that is enough to name a row."""
    for name, column in keys.items():
        if other.profile(column).unique:
            return {name: column}
    return keys


def _step(
    columns: dict[str, tuple[str, Source, str]], base: Source, other: Source
) -> tuple[dict[str, Any], bool] | None:
    """The join to another file, and whether it finds many rows; null where the files share no key."""
    keys = _keys(columns, other)
    if not keys:
        return None
    keys = _least(keys, other)
    step: dict[str, Any] = {"file": other.stem, "on": keys}
    if other.unique_by(list(keys.values())):
        return step, False
    if (mine := period_of(base)) and (day := day_of(other)) and other.profile(day).written.clock:
        return step | {"within": {"day": day, "start": mine[0], "end": mine[1]}}, True
    own_day = next(((n, source, c) for n, source, c in columns.values() if c == day_of(source)), None)
    if not mine and own_day and (theirs := period_of(other)):
        name, source, column = own_day
        pairs = {next(c for n, s, c in columns.values() if n == left): right for left, right in keys.items()}
        if all(left in source.names for left in pairs) and _single(source, column, other, pairs, theirs):
            return step | {"within": {"day": name, "start": theirs[0], "end": theirs[1]}}, False
    return step, True


def _single(source: Source, day: str, other: Source, keys: dict[str, str], period: tuple[str, str]) -> bool:
    """Whether a day and the keys name at most one row of the other file, nearly always."""
    left = (
        source.rows.head(CHECKED)
        .select(*(pl.col(one).alias(f"k{i}") for i, one in enumerate(keys)), day=_day(day))
        .with_row_index("row")
    )
    right = other.rows.select(
        *(pl.col(one).alias(f"k{i}") for i, one in enumerate(keys.values())), start=_day(period[0]), end=_day(period[1])
    )
    met = left.join(right, on=[f"k{i}" for i in range(len(keys))]).filter(
        (pl.col("day") >= pl.col("start")) & (pl.col("end").is_null() | (pl.col("day") <= pl.col("end")))
    )
    if met.is_empty():
        return False
    counts = met.group_by("row").len()["len"]
    return float((counts > 1).sum()) / len(counts) < MANY


def _day(column: str) -> pl.Expr:
    return pl.col(column).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)


def reachable(base: Source, sources: Sources) -> dict[str, Reach]:
    """Every column that a row of ``base`` can be given, nearest first: its own, and those of files it shares a key with.

    A file whose key names one row, or whose period holds the row's day, is looked up in; of one with many rows the most
    frequent value can be taken, from the file itself only.
    """
    found = {name: Reach(name, base.stem, name) for name in base.names}
    columns = {name: (name, base, name) for name in base.names}
    steps: dict[str, tuple[dict[str, Any], ...]] = {base.stem: ()}
    edge = [base.stem]
    for depth in range(DEEPEST):
        reached: list[str] = []
        for stem in sorted(sources):
            if stem in steps:
                continue
            made = _step(columns, base, sources[stem])
            if made is None or (made[1] and depth > 0):
                continue
            step, many = made
            before = _needed(step, steps)
            path = (*before, step)
            for column in sources[stem].names:
                name = f"{stem}.{column}"
                found[name] = Reach(name, stem, column, path, many)
            if many:
                continue
            steps[stem] = path
            reached.append(stem)
        for stem in reached:
            for column in sources[stem].names:
                columns.setdefault(column, (f"{stem}.{column}", sources[stem], column))
        edge = reached
        if not edge:
            break
    return found


def _needed(step: dict[str, Any], steps: dict[str, tuple[dict[str, Any], ...]]) -> tuple[dict[str, Any], ...]:
    """The joins that must stand before this one, because it reads their columns."""
    named = [*step["on"], *(step.get("within") or {}).values()]
    before: list[dict[str, Any]] = []
    for name in named:
        stem = name.partition(".")[0]
        for one in steps.get(stem, ()):
            if "." in name and one not in before:
                before.append(one)
    return tuple(before)


def joins_for(columns: Iterable[str], reach: dict[str, Reach], present: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The joins that these columns need, in order; one that is there already stays as the person has it."""
    kept = {one["file"]: one for one in present}
    needed: list[dict[str, Any]] = []

    def add(step: dict[str, Any]) -> None:
        if all(one["file"] != step["file"] for one in needed):
            needed.append(step)

    for name in columns:
        stem = name.partition(".")[0]
        known = reach.get(name)
        if known is not None:
            for step in known.steps:
                own = kept.get(step["file"], step)
                add(own | {"most": known.column} if known.many and step is known.steps[-1] else own)
        elif "." in name and stem in kept:
            for one in present[: [p["file"] for p in present].index(stem) + 1]:
                add(one)
    return needed
