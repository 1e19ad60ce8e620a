"""Where the rows of the interval plot stand, in pixels, and the words that stand in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.charts.figure_text import label, lines, name
from dashboard.charts.measures import AVERAGE, HIGHER, LOWER, NO_STATEMENT, has_figure, standing_words

ROW, DENSE_ROW, MANY = 34, 17, 20  # pixels per clinician; with more than so many they stand closer, on one line each
LINE = 15  # pixels per line of words
REASON, SAID = 26, 30  # characters a line: what a phone has beside the names
DENSE_NAME, DENSE_REASON = 16, 30


@dataclass(frozen=True)
class Place:
    """Where a row stands: pixels from the top to its mark, how tall it is, and what is written there."""

    row: Mapping[str, Any]
    middle: float
    tall: float
    label: Sequence[str]
    words: Sequence[str]


def places_of(ordered: Sequence[Mapping[str, Any]]) -> tuple[list[Place], float]:
    """Rows from top to bottom in pixels: what needs more lines of words gets more room."""
    found, top = [], 0.0
    for row in ordered:
        named = label(str(row["label"]), row["n"])
        said = lines(standing_words(row), SAID if has_figure(row) else REASON)
        if has_figure(row) and (standing_words(row) in (AVERAGE, NO_STATEMENT) or len(ordered) == 1):
            said = []
        tall = max(ROW, LINE * len(named) + 4, 0 if has_figure(row) else LINE * len(said) + 6)
        found.append(Place(row, top + tall / 2, tall, named, said))
        top += tall + (LINE * len(said) if has_figure(row) else 0)
    return found, top


def dense_places(ordered: Sequence[Mapping[str, Any]]) -> tuple[list[Place], float]:
    """One line for each of many clinicians, in short; the numbers have every name, reason and word whole."""
    found = []
    for at, row in enumerate(ordered):
        said = standing_words(row)
        short = {HIGHER: "higher than expected", LOWER: "lower than expected"}.get(said, "")
        words = short if has_figure(row) else name(said.split(" (")[0], DENSE_REASON)
        named = f"{name(str(row['label']), DENSE_NAME)} (n {row['n']:,})"
        found.append(Place(row, (at + 0.5) * DENSE_ROW, DENSE_ROW, [named], [words] if words else []))
    return found, len(ordered) * DENSE_ROW
