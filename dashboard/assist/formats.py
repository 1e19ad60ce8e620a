"""Which ways of writing a day or a time fit every cell of a column. Several that fit are a question for a person."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from dashboard.intake.check import DAY, EARLIEST_YEAR, OFFSET, TIME

_SHAPE = re.compile(
    r"^(?:(\d{1,4}) ?([/.\- ]) ?\d{1,2} ?\2 ?\d{1,4}|(\d{8})|(.*[^\W\d_]{3}.*?\d{2,4}))(?:(, |[T ])(\d{1,2}:.+))?$"
)
_ORDERS = (("d", "m", "Y"), ("m", "d", "Y"), ("Y", "m", "d"))
_NAMED = (
    "%d %B %Y", "%d. %B %Y", "%d-%B-%Y", "%d-%B-%y", "%d %B %y", "%B %d, %Y", "%B %d %Y",
)  # fmt: skip
_SOLID = ("%Y%m%d", "%d%m%Y", "%m%d%Y")
_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S%.f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p")
LATEST_YEAR = 2100  # a later year shows that the format is the wrong one
TRIED_FIRST = 20  # distinct cells that sort out most formats before the whole column is read

_PARTS = {
    "%Y": "year", "%y": "year (two digits)", "%m": "month", "%d": "day", "%B": "month (name)",
    "%H": "hour", "%M": "minute", "%S": "second", "%.f": "", "%I": "hour (12)", "%p": "am/pm",
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """How a column writes its days: ``days`` and ``times`` are the formats that fit every cell, best known first.

    ``iso``: every cell is a day, or a time, as our own tables write it, so that no format has to be named.
    """

    days: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    iso: bool = False
    clock: bool = False

    @property
    def any(self) -> bool:
        """Whether the column can be read as days at all."""
        return bool(self.days or self.times or self.iso)

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats that fit, of times where the column holds times."""
        return self.times if self.clock else self.days


def _read(cells: pl.Series, text: str) -> pl.Series:
    if any(part in text for part in ("%H", "%I")):
        return cells.str.to_datetime(text, strict=False, time_unit="us", exact=True)
    return cells.str.to_date(text, strict=False, exact=True).cast(pl.Datetime("us"))


def _fits(cells: pl.Series, text: str) -> bool:
    try:
        read = _read(cells, text)
    except (pl.exceptions.PolarsError, ValueError):
        return False
    return bool(read.is_not_null().all()) and bool(read.dt.year().is_between(EARLIEST_YEAR, LATEST_YEAR).all())


def _candidates(cell: str) -> list[str]:
    """Formats of the shape of one cell: its separators, and a clock where it has one."""
    found = _SHAPE.match(cell)
    if not found:
        return []
    first, separator, solid, _, gap, clock = found.groups()
    if first:
        joined = separator
        days = [
            joined.join(f"%{year if part == 'Y' else part}" for part in order)
            for year in ("Y", "y")
            for order in _ORDERS
        ]
    else:
        days = list(_SOLID if solid else _NAMED)
    return [f"{day}{gap}{time}" for day in days for time in _CLOCKS] if clock else days


def _formats(cells: pl.Series) -> tuple[str, ...]:
    near = [text for text in _candidates(cells[0]) if _fits(cells.head(TRIED_FIRST), text)]
    return tuple(text for text in near if len(cells) <= TRIED_FIRST or _fits(cells, text))


def written(cells: pl.Series) -> Written:
    """How the distinct, filled, stripped ``cells`` write days or times; nothing where one cell cannot be read so."""
    if not len(cells) or _SHAPE.match(cells[0]) is None:
        return Written()
    if bool(cells.str.contains(DAY).all()) and _fits(cells, "%Y-%m-%d"):
        return Written(days=("%Y-%m-%d",), iso=True)
    if bool((cells.str.contains(TIME) | cells.str.contains(OFFSET)).all()):
        return Written(times=_formats(cells), iso=True, clock=True)
    found = _formats(cells)
    if any("%H" in text or "%I" in text for text in found):
        return Written(times=found, clock=True)
    return Written(days=found)


def readings(cells: pl.Series, formats: tuple[str, ...], most: int = 3) -> list[tuple[str, dict[str, str]]]:
    """Cells that the formats read differently: (cell, format -> the day as 3 April 2026), at most ``most``."""
    if len(formats) < 2:
        return []
    read = {text: _read(cells, text) for text in formats}
    frame = pl.DataFrame({"cell": cells, **{str(i): days for i, days in enumerate(read.values())}})
    numbers = [str(i) for i in range(len(read))]
    differs = pl.any_horizontal(pl.col(numbers[0]) != pl.col(other) for other in numbers[1:])
    found = frame.filter(differs).head(most)
    if found.is_empty():
        found = frame.head(1)
    return [
        (row["cell"], {text: _said(row[str(i)]) for i, text in enumerate(read)}) for row in found.iter_rows(named=True)
    ]


def _said(value: object) -> str:
    return f"{value:%d %B %Y}".lstrip("0") if value is not None else "–"


def in_words(text: str) -> str:
    """A format for people: ``day/month/year`` for %d/%m/%Y."""
    return re.sub(r"%\.?[A-Za-z]", lambda found: _PARTS.get(found.group(), found.group()), text)


def invented(text: str) -> tuple[str, str]:
    """A made-up cell of that format and its day, where real cells may not be shown."""
    day = datetime(2026, 3, 4, 14, 30)
    return day.strftime(text.replace("%.f", "")), _said(day)
