"""Falls in the alliance rating and whether they mended (science 4.4), for many clients at once: "possible ruptures".

Ratings are rescaled to 0-1. Reference R: the client's own earlier ratings outside a rupture, at least three of them; their mean
for the first four, then each new one counts a quarter. Spread S: how far such ratings lay from the reference of their day,
drawn towards the instrument's error of measurement as if four more ratings had shown that error, and never under 0.6 of it, so
that a small wobble in a flat series is not called a fall (Gumz 2012). Minor: R - s >= 1 S. Major: a one-sided cumulative sum of
(R - s) / S - 1 over the ratings outside ruptures, never below nought, reaches 1.8: one fall of 2.8 S, or smaller ones in a row
(slow leaks). The rules printed in science 4.4 are in ``fall_rules``.

Three, half-way and one S are from the notes. The quarter, four, 0.6, 1 and 1.8 are project defaults: this form won a contest
on simulated series, set for at most one false major alarm in 100 ratings (``detector_record``, ``python -m tests.contests
rupture``). No number here comes from a practice's data.

All series are walked in step, first ratings first: everything a rating is judged by is earlier than it, so a longer series
never changes what a shorter one said.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

EPSILON = 1e-9
REFERENCE_MINIMUM = 3
NEWEST_WEIGHT = 0.25
ERROR_COUNTS_AS = 4
LEAST_SPREAD = 0.6
ALLOWANCE = 1.0
DECISION = 1.8
REPAIR_RATINGS = 3

MARKS = ("none", "minor", "major", "repaired")
STATES = ("not_enough_data", "none", "open", "repaired", "unrepaired")
NONE, MINOR, MAJOR, MENDED = range(4)
TOO_FEW, CALM, OPEN, REPAIRED, UNREPAIRED = range(5)

Reals = NDArray[np.float64]


class _Series:
    """The state of every series after the ratings walked so far; longest series first, so that those left are a head."""

    def __init__(self, floor: Reals) -> None:
        count = len(floor)
        self.floor = floor
        self.outside = np.zeros(count, dtype=np.int64)
        self.level = np.zeros(count)
        self.level_error = np.ones(count)  # variance of the level, in variances of one rating
        self.squares = np.zeros(count)
        self.fallen = np.zeros(count)
        self.in_rupture = np.zeros(count, dtype=bool)
        self.start = np.full(count, -1, dtype=np.int64)
        self.state = np.full(count, TOO_FEW, dtype=np.int8)
        self.nadir = np.full(count, np.nan)
        self.reference = np.full(count, np.nan)
        self.spread = floor.copy()

    def settle_reference(self, left: int) -> NDArray[np.bool_]:
        """Reference and spread of the series outside a rupture that have enough ratings; which series can be judged."""
        calm = ~self.in_rupture[:left] & (self.outside[:left] >= REFERENCE_MINIMUM)
        floor = self.floor[:left]
        compared = np.maximum(self.outside[:left] - 1, 0)
        own = np.sqrt((ERROR_COUNTS_AS * floor**2 + self.squares[:left]) / (ERROR_COUNTS_AS + compared))
        spread = np.maximum(own, np.maximum(LEAST_SPREAD * floor, EPSILON))
        self.reference[:left] = np.where(calm, self.level[:left], self.reference[:left])
        self.spread[:left] = np.where(calm, spread, self.spread[:left])
        return calm | self.in_rupture[:left]

    def keep_outside(self, which: NDArray[np.bool_], rating: Reals) -> None:
        """Counts ratings among those outside a rupture."""
        rows = np.flatnonzero(which)
        value, weight = rating[rows], np.maximum(1 / (self.outside[rows] + 1), NEWEST_WEIGHT)
        away, error = value - self.level[rows], self.level_error[rows]
        self.squares[rows] += np.where(self.outside[rows] > 0, away**2 / (1 + error), 0.0)
        self.level[rows] += weight * away
        self.level_error[rows] = (1 - weight) ** 2 * error + weight**2
        self.outside[rows] += 1


def judge(ratings: Reals, lengths: NDArray[np.int64], floors: Reals) -> pl.DataFrame:
    """What every rating said on its day, one row per rating in the order given.

    ``ratings``: all series one behind the other, each in time order, 0-1, higher better; ``lengths`` and ``floors``: one per
    series (floor: the instrument's error of measurement on the same scale). Columns: reference, major_below, mark, state
    (none, open, repaired, unrepaired, not_enough_data), start (position in the series of the latest rupture's first rating;
    null without one), nadir (its lowest rating so far), back (near the reference).
    """
    order = np.argsort(-lengths, kind="stable")
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)[order] if len(lengths) else lengths
    walked = _Series(floors[order])
    total = len(ratings)
    reference, below, nadir = (np.full(total, np.nan) for _ in range(3))
    mark, state = np.full(total, NONE, dtype=np.int8), np.full(total, TOO_FEW, dtype=np.int8)
    start, back = np.full(total, -1, dtype=np.int64), np.ones(total, dtype=bool)
    for position in range(int(lengths.max()) if len(lengths) else 0):
        left = int(np.searchsorted(-lengths[order], -position, side="left"))
        at = first[:left] + position
        _step(walked, ratings[at], at, position, left, (mark, back, below))
        judged = walked.in_rupture[:left] | (walked.state[:left] != TOO_FEW)
        reference[at] = np.where(judged, walked.reference[:left], np.nan)
        state[at] = walked.state[:left]
        start[at] = walked.start[:left]
        nadir[at] = walked.nadir[:left]
    return pl.DataFrame({"reference": reference, "major_below": below, "nadir": nadir}).with_columns(
        pl.col("reference", "major_below", "nadir").fill_nan(None),
        mark=pl.Series(mark).replace_strict(dict(enumerate(MARKS)), return_dtype=pl.String),
        state=pl.Series(state).replace_strict(dict(enumerate(STATES)), return_dtype=pl.String),
        start=pl.Series(start).replace(-1, None),
        back=pl.Series(back),
    )


def _step(
    walked: _Series,
    rating: Reals,
    at: NDArray[np.int64],
    position: int,
    left: int,
    said: tuple[NDArray[np.int8], NDArray[np.bool_], Reals],
) -> None:
    """One rating further in every series that has one: judges it and moves the series' state on."""
    mark, back, below = said
    was_in_rupture = walked.in_rupture[:left].copy()
    can = walked.settle_reference(left)
    reference, spread, carried = walked.reference[:left], walked.spread[:left], walked.fallen[:left]
    limit = reference - (ALLOWANCE + DECISION - carried) * spread
    with np.errstate(invalid="ignore"):
        minor = can & (reference - rating >= spread - EPSILON)
        major = can & (rating <= limit + EPSILON)
        walked.nadir[:left] = np.where(was_in_rupture, np.minimum(walked.nadir[:left], rating), walked.nadir[:left])
        returned = (
            was_in_rupture
            & (rating >= reference - 0.5 * (reference - walked.nadir[:left]) - EPSILON)
            & (rating >= reference - spread - EPSILON)
        )
    mended = returned & (walked.state[:left] == OPEN)
    late = was_in_rupture & ~returned & (position - walked.start[:left] >= REPAIR_RATINGS)
    falls = can & ~was_in_rupture & major
    mark[at] = np.select([mended, major, minor], [MENDED, MAJOR, MINOR], NONE)
    below[at] = np.where(can, limit, np.nan)
    back[at] = ~(was_in_rupture & ~returned) & ~falls
    state = walked.state[:left]
    walked.state[:left] = np.select(
        [mended, late, falls, can & (state == TOO_FEW)], [REPAIRED, UNREPAIRED, OPEN, CALM], state
    )
    walked.start[:left] = np.where(falls, position, walked.start[:left])
    walked.nadir[:left] = np.where(falls, rating, walked.nadir[:left])
    walked.in_rupture[:left] = (was_in_rupture & ~returned) | falls
    summed = np.maximum(0.0, carried + (reference - rating) / spread - ALLOWANCE)
    walked.fallen[:left] = np.where(can & ~was_in_rupture & ~falls, summed, 0.0)
    walked.keep_outside(~walked.in_rupture[:left], rating)
