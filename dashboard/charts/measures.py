"""The four measures of closed episodes in figures, and what may be said of one clinician (never merged: science 6.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.charts.figure_text import NIL, counted, in_sd, percent

PROVISIONAL = 30  # science 6.4: under so many episodes an interval is provisional and drawn in grey
ENOUGH = 0.70  # science 6.4: reliability from which a statement about one person is made
CLOSE = 1e-9
LIMITS = ("limit95_low", "limit95_high", "limit998_low", "limit998_high")
AVERAGE = "cannot be told from average"
NO_STATEMENT = (
    "nothing can be said about one person"  # under what science 6.4 asks for; in the numbers only, never beside a name
)
HIGHER, LOWER = (f"{side} than expected, beyond chance and the case mix adjusted for" for side in ("higher", "lower"))


@dataclass(frozen=True)
class Scale:
    """How a measure is written: as percent, or in standard deviations. ``axis``: two lines; ``better`` in words."""

    name: str
    axis: str
    better: str
    more_is_better: bool
    is_share: bool = True

    def words(self, value: float | None) -> str:
        """A value on this scale."""
        return percent(value) if self.is_share else in_sd(value)

    def between(self, low: float | None, high: float | None) -> str:
        """8 to 34 %."""
        if low is None or high is None:
            return NIL
        return f"{round(100 * low)} to {round(100 * high)} %" if self.is_share else f"{in_sd(low)} to {in_sd(high)}"

    def drawn(self, value: float | None) -> float | None:
        """A value as the axis has it."""
        return None if value is None else 100 * value if self.is_share else value

    def observed(self, row: Mapping[str, Any]) -> str:
        """6 of 34 (18 %), or +0.5."""
        if row["rate"] is None:
            return NIL
        return counted(row["rate"] * row["n"], row["n"]) if self.is_share else in_sd(row["rate"])


SCALES = {
    "dropout": Scale(
        "Ended without a planned ending", "Ended without a planned ending,<br>% of episodes", "fewer is better for clients",
        False,
    ),
    "reliable_improvement": Scale(
        "Reliable improvement", "Reliable improvement,<br>% of measured episodes", "more is better for clients", True
    ),
    "reliable_worsening": Scale(
        "Reliable worsening", "Reliable worsening,<br>% of measured episodes", "fewer is better for clients", False
    ),
    "outcome": Scale(
        "Gain on the questionnaire", "Mean gain, standard deviations<br>of first scores", "more is better for clients", True,
        False,
    ),
}  # fmt: skip


def standing_words(row: Mapping[str, Any]) -> str:
    """What may be said of a row: most clinicians cannot be told from average, and few statements are ever made."""
    if not row["shown"]:
        return str(row["reason"] or "Not shown")
    rate = row["rate"]
    if rate is None or not row["n"]:
        return "No figure yet"
    if any(row[name] is None for name in LIMITS):
        return "nothing to compare with yet"
    if row["limit95_low"] - CLOSE <= rate <= row["limit95_high"] + CLOSE:
        return AVERAGE
    if not _outside_998(row) or (row["reliability"] or 0.0) < ENOUGH:
        return NO_STATEMENT
    return HIGHER if rate > row["limit998_high"] else LOWER


def told(row: Mapping[str, Any]) -> bool:
    """Whether a statement about this one clinician is made."""
    return standing_words(row) in (HIGHER, LOWER)


def hopeful(row: Mapping[str, Any], scale: Scale) -> bool:
    """Whether what is told of a row is the side that is hoped for."""
    return (standing_words(row) == HIGHER) == scale.more_is_better


def beyond(rows: Sequence[Mapping[str, Any]]) -> int:
    """How many are outside the 99.8 % limits, however few episodes they have."""
    return sum(standing_words(row) != AVERAGE and _outside_998(row) for row in rows if has_figure(row))


def _outside_998(row: Mapping[str, Any]) -> bool:
    if row["rate"] is None or row["limit998_low"] is None or row["limit998_high"] is None:
        return False
    return not row["limit998_low"] - CLOSE <= row["rate"] <= row["limit998_high"] + CLOSE


def at_once(rows: Sequence[Mapping[str, Any]]) -> str:
    """With two or more outside the 99.8 % limits the first question is another one (science 6.5); else nothing."""
    count = beyond(rows)
    return (
        f" · {count} are outside the 99.8 % limits: first read this as a question about data or case mix"
        if count > 1
        else ""
    )


def in_order(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """By name, whatever the database's collation; never by value."""
    return sorted(rows, key=lambda row: (str(row["label"]).casefold(), str(row["label"])))


def has_figure(row: Mapping[str, Any]) -> bool:
    """Whether a row has a figure and may show it; of any other only name, number of episodes and reason are read."""
    return bool(row["shown"] and row["rate"] is not None and row["n"])


def known(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows with a figure."""
    return [row for row in rows if has_figure(row)]
