"""Words and numbers inside a figure: imported names made harmless and short, shares, differences and days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from textwrap import wrap
from typing import Any

import polars as pl

from dashboard.harmless import for_figure, shown

LONGEST_NAME = 26  # characters beside a line: more leaves no room for the figure
NARROW = 20  # characters of one line of a label: two fifths of a phone's width
FEW = 10  # design: no percentage under so many
NIL = "–"
EMPTY = 150  # pixels of a figure that has nothing to draw yet and says so

Rows = pl.DataFrame | Sequence[Mapping[str, Any]]


def records(rows: Rows) -> list[dict[str, Any]]:
    """Rows as dictionaries, whichever way they come."""
    return rows.to_dicts() if isinstance(rows, pl.DataFrame) else [dict(row) for row in rows]


def name(text: str, longest: int = LONGEST_NAME) -> str:
    """A name as a figure can hold it: a long one is cut (the numbers have it whole), nothing in it is markup."""
    plain = " ".join(shown(text).split())
    return for_figure(plain if len(plain) <= longest else f"{plain[: longest - 1]}…")


def lines(text: str, width: int, most: int = 6) -> list[str]:
    """Text in lines of at most ``width`` characters, harmless; what is over after ``most`` lines is cut."""
    found = wrap(" ".join(shown(text).split()), width, max_lines=most, placeholder="…")
    return [for_figure(line) for line in found]


def label(text: str, n: int) -> list[str]:
    """A name with its number of episodes, in one or two short lines: ["A. Mbeki (n 34)"]."""
    plain, count = " ".join(shown(text).split()), f"(n {n:,})"
    if len(plain) + 1 + len(count) <= NARROW:
        return [f"{for_figure(plain)} {count}".strip()]
    room = NARROW - len(count) - 1
    first = (wrap(plain, NARROW) or [""])[0]
    rest = plain[len(first) :].strip()
    if not rest:
        return [for_figure(plain), count]
    return [for_figure(first), f"{name(rest, room)} {count}"]


def percent(share: float | None) -> str:
    """Whole percent."""
    return NIL if share is None else f"{round(100 * share)} %"


def counted(part: float, whole: int) -> str:
    """12 of 31 (39 %); under ten only 3 of 7."""
    said = f"{round(part):,} of {whole:,}"
    return f"{said} ({percent(part / whole)})" if whole >= FEW else said


def in_sd(value: float | None) -> str:
    """One decimal with its sign."""
    return NIL if value is None else signed(value)


def signed(value: float, digits: int = 1) -> str:
    """With its sign and a true minus; nought has none."""
    said = f"{value:+.{digits}f}".replace("-", "−")
    return said[1:] if float(f"{value:.{digits}f}") == 0 else said


def plural(count: int, one: str, many: str = "") -> str:
    """1 episode, 2 episodes."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def day(value: date) -> str:
    """20 Nov 2026."""
    return f"{value.day} {value:%b %Y}"


def quarter(first: date) -> str:
    """Q3 2026."""
    return f"Q{(first.month + 2) // 3} {first.year}"
