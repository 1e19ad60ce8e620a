"""Words and numbers inside a figure: imported names made harmless and short, shares, differences and days."""

from __future__ import annotations

from datetime import date
from html import escape

LONGEST_NAME = 26  # characters beside a line: more leaves no room for the figure
NIL = "–"
EMPTY = 150  # pixels of a figure that has nothing to draw yet and says so


def name(text: str, longest: int = LONGEST_NAME) -> str:
    """A name as a figure can hold it: a long one is cut (the numbers have it whole), nothing in it is markup."""
    plain = " ".join(text.split())
    return escape(plain if len(plain) <= longest else f"{plain[: longest - 1]}…")


def percent(share: float | None) -> str:
    """Whole percent."""
    return NIL if share is None else f"{round(100 * share)} %"


def in_sd(value: float | None) -> str:
    """One decimal with its sign."""
    return NIL if value is None else f"{value:+.1f}".replace("-", "−")


def day(value: date) -> str:
    """20 Nov 2026."""
    return f"{value.day} {value:%b %Y}"


def quarter(first: date) -> str:
    """Q3 2026."""
    return f"Q{(first.month + 2) // 3} {first.year}"
