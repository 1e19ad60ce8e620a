"""What a column's cells look like: how many, how distinct, numbers, days, the most frequent words."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from dashboard.assist.formats import Written, written
from dashboard.intake.batch import PLACE
from dashboard.intake.check import REAL, WHOLE

WORDS = 200  # distinct words listed of a column; a closed list is never longer
CLOSED = 40  # more distinct words than these are no closed list


@dataclass(frozen=True)
class Profile:
    """One column. ``words``: the most frequent stripped cells with counts, ties in text order; ``low``/``high`` of numbers.

    ``leading_zero``: some whole number starts with a zero, so it is an id. Empty cells count in ``rows`` only.
    """

    name: str
    rows: int
    filled: int
    distinct: int
    words: tuple[tuple[str, int], ...]
    number: bool
    whole: bool
    decimal_comma: bool
    leading_zero: bool
    low: float | None
    high: float | None
    written: Written

    @property
    def unique(self) -> bool:
        """No filled cell stands twice, and none is empty."""
        return self.rows > 0 and self.distinct == self.rows

    @property
    def closed(self) -> bool:
        """Few distinct words that come again: a closed list, perhaps."""
        return 0 < self.distinct <= CLOSED and (self.distinct * 2 <= self.filled or self.distinct <= 3)


def cells_of(rows: pl.DataFrame, column: str) -> pl.Series:
    """The filled cells of a column without the blanks around them."""
    cells = rows[column].str.strip_chars()
    return cells.filter(cells.is_not_null() & (cells != ""))


def profile_of(rows: pl.DataFrame, column: str) -> Profile:
    """Looks at every cell of a text column."""
    cells = cells_of(rows, column)
    counted = cells.alias("word").value_counts(name="n").sort(["n", "word"], descending=[True, False])
    distinct = counted["word"]
    number = bool(len(distinct)) and bool(distinct.str.contains(REAL).all())
    comma = bool(len(distinct)) and not number and bool(distinct.str.contains(r"^[+-]?\d+(,\d+)?$").all())
    values = distinct.cast(pl.Float64, strict=False) if number else pl.Series([], dtype=pl.Float64)
    return Profile(
        name=column,
        rows=rows.height,
        filled=len(cells),
        distinct=len(distinct),
        words=tuple(counted.head(WORDS).iter_rows()),
        number=number,
        whole=number and bool(distinct.str.contains(WHOLE).all()),
        decimal_comma=comma,
        leading_zero=number and bool(distinct.str.contains(r"^0\d").any()),
        low=_edge(values.min()),
        high=_edge(values.max()),
        written=written(distinct),
    )


def _edge(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


@dataclass
class Source:
    """One table of a file as it was read: ``stem`` names it in a mapping, ``file`` on screen. All cells are text."""

    stem: str
    file: str
    columns: list[str]
    rows: pl.DataFrame
    ragged: int = 0
    _profiles: dict[str, Profile] = field(default_factory=dict, repr=False)
    _distinct: dict[str, pl.Series] = field(default_factory=dict, repr=False)

    def profile(self, column: str) -> Profile:
        """The column's profile, looked at once."""
        if column not in self._profiles:
            self._profiles[column] = profile_of(self.rows, column)
        return self._profiles[column]

    @cached_property
    def names(self) -> list[str]:
        """The columns that a mapping can read: those with a name that is not kept for the row's place."""
        return [name for name in self.columns if name in self.rows.columns and name not in PLACE]

    def distinct(self, column: str) -> pl.Series:
        """The distinct filled cells of a column."""
        if column not in self._distinct:
            self._distinct[column] = cells_of(self.rows, column).unique()
        return self._distinct[column]

    def unique_by(self, columns: list[str]) -> bool:
        """Whether no two rows share all of these cells."""
        return self.rows.select(columns).n_unique() == self.rows.height
