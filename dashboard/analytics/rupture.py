"""Falls in the alliance rating and whether they mended (science 4.4), for many clients at once.

Ratings are rescaled to 0-1. Reference R: mean of the last up to four ratings outside a rupture, at least three of them.
Spread S: the larger of their standard deviation and the instrument's error of measurement, so that a small wobble in a flat
series is not called a fall (Gumz 2012). Major: R - s >= 2 S (rule G), or s below the individuals chart's lower limit,
mean - 2.66 mean moving range, of at least four such ratings (rule X), or three falls in a row that sum to 2 S. Minor: >= 1 S.
Rule X and the slow leak count only where the rating also lies 1 S below R: a flat series has limits of no width.

All series are walked in step, first ratings first: everything a rating is judged by is earlier than it, so a longer series
never changes what a shorter one said.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

EPSILON = 1e-9
REFERENCE_RATINGS = 4
REFERENCE_MINIMUM = 3
CHART_MINIMUM = 4
CHART_FACTOR = 2.66  # 3 / 1.128, limits of an individuals chart
REPAIR_RATINGS = 3
LEAK = 3

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
        self.recent = np.zeros((count, REFERENCE_RATINGS))
        self.outside = np.zeros(count, dtype=np.int64)
        self.outside_sum = np.zeros(count)
        self.moves = np.zeros(count)
        self.last = np.zeros(count)
        self.in_rupture = np.zeros(count, dtype=bool)
        self.start = np.full(count, -1, dtype=np.int64)
        self.state = np.full(count, TOO_FEW, dtype=np.int8)
        self.nadir = np.full(count, np.nan)
        self.reference = np.full(count, np.nan)
        self.spread = floor.copy()

    def settle_reference(self, left: int) -> NDArray[np.bool_]:
        """Reference and spread of the series outside a rupture that have enough ratings; which series can be judged."""
        calm = ~self.in_rupture[:left] & (self.outside[:left] >= REFERENCE_MINIMUM)
        used = np.minimum(self.outside[:left], REFERENCE_RATINGS)
        divisor = np.maximum(used, 1)
        middle = self.recent[:left].sum(axis=1) / divisor
        held = np.arange(REFERENCE_RATINGS) < used[:, None]
        squares = np.where(held, (self.recent[:left] - middle[:, None]) ** 2, 0.0).sum(axis=1)
        deviation = np.sqrt(squares / np.maximum(used - 1, 1))
        self.reference[:left] = np.where(calm, middle, self.reference[:left])
        self.spread[:left] = np.where(calm, np.maximum(deviation, self.floor[:left]), self.spread[:left])
        return calm | self.in_rupture[:left]

    def chart_limit(self, left: int) -> Reals:
        """Rule X: lower limit of an individuals chart of the ratings outside ruptures; minus infinity under four of them."""
        count = np.maximum(self.outside[:left], 1)
        limit = self.outside_sum[:left] / count - CHART_FACTOR * self.moves[:left] / np.maximum(count - 1, 1)
        return np.where(self.outside[:left] >= CHART_MINIMUM, limit, -np.inf)

    def keep_outside(self, which: NDArray[np.bool_], rating: Reals) -> None:
        """Counts ratings among those outside a rupture."""
        rows = np.flatnonzero(which)
        value = rating[rows]
        self.recent[rows, self.outside[rows] % REFERENCE_RATINGS] = value
        self.moves[rows] += np.where(self.outside[rows] > 0, np.abs(value - self.last[rows]), 0.0)
        self.outside_sum[rows] += value
        self.last[rows] = value
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
        _step(walked, ratings, at, position, left, (mark, back, below))
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
    ratings: Reals,
    at: NDArray[np.int64],
    position: int,
    left: int,
    said: tuple[NDArray[np.int8], NDArray[np.bool_], Reals],
) -> None:
    """One rating further in every series that has one: judges it and moves the series' state on."""
    mark, back, below = said
    rating = ratings[at]
    was_in_rupture = walked.in_rupture[:left].copy()
    can = walked.settle_reference(left)
    reference, spread = walked.reference[:left], walked.spread[:left]
    fell = reference - rating
    limit = np.maximum(reference - 2 * spread, np.minimum(walked.chart_limit(left), reference - spread))
    with np.errstate(invalid="ignore"):
        minor = can & (fell >= spread - EPSILON)
        major = minor & (
            (fell >= 2 * spread - EPSILON) | (rating < limit - EPSILON) | _leaked(ratings, at, position, spread)
        )
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
    walked.keep_outside(~walked.in_rupture[:left], rating)


def _leaked(ratings: Reals, at: NDArray[np.int64], position: int, spread: Reals) -> NDArray[np.bool_]:
    """Whether three falls in a row, this rating's the last, sum to two spreads."""
    if position < LEAK:
        return np.zeros(len(at), dtype=bool)
    steps = [ratings[at - back] for back in range(LEAK, -1, -1)]
    falling = np.logical_and.reduce([later < earlier - EPSILON for earlier, later in pairwise(steps)])
    return falling & (steps[0] - steps[-1] >= 2 * spread - EPSILON)
