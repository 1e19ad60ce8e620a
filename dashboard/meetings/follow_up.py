"""What became of an agreed action: its state in words and the scores before and since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

OPEN, DONE, NOT_DONE, NOT_MEASURABLE = "open", "done", "not_done", "not_measurable"
STATES = {OPEN: "Open", DONE: "Done", NOT_DONE: "Not done", NOT_MEASURABLE: "Not yet measurable"}


@dataclass(frozen=True)
class Scores:
    """The last score up to the day it was agreed and those since, (day, value), in time order; either may be absent."""

    before: tuple[date, float] | None
    since: list[tuple[date, float]]

    @property
    def change(self) -> float | None:
        """Latest since minus the one before, in the questionnaire's own points; null where either is missing."""
        return None if self.before is None or not self.since else self.since[-1][1] - self.before[1]


def scores_around(points: list[tuple[date, float]], agreed_on: date) -> Scores:
    """Splits a client's totals (in time order) at the day of the meeting; a score of that day was known in it."""
    before = [one for one in points if one[0] <= agreed_on]
    return Scores(before[-1] if before else None, [one for one in points if one[0] > agreed_on])


def due(actions: pl.DataFrame, today: date) -> pl.DataFrame:
    """Open actions whose day has come, or that named none and were agreed before today; in the order of that day.

    ``actions``: state, look_again_on, agreed_on.
    """
    undated = pl.col("look_again_on").is_null() & (pl.col("agreed_on") < today)
    come = undated | (pl.col("look_again_on") <= today)
    return actions.filter((pl.col("state") == OPEN) & come).sort(["look_again_on", "agreed_on"], nulls_last=True)
