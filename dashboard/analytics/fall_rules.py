"""The two published rules for a fall in one series, as printed in science 4.4. The detector in ``rupture`` differs by contest.

Both take the ratings before (oldest first, any scale, higher better) and say below what a rating is a minor or a major fall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, stdev

MOVING_RANGE = 1.128  # expected range of two standard normal values, in standard deviations
CHART_MINIMUM = 4


@dataclass(frozen=True)
class Limits:
    """``middle``: the reference; ``spread``: one unit of it; ``minor`` and ``major``: ratings below are such a fall."""

    middle: float
    spread: float
    minor: float
    major: float


def gumz(before: Sequence[float], floor: float) -> Limits:
    """Rule G (Gumz 2012): one and two spreads below the mean of the last four; the spread is their SD or, if larger, ``floor``.

    A rating exactly at a limit counts as a fall. Needs at least three ratings.
    """
    recent = before[-4:]
    if len(recent) < 3:
        raise ValueError("rule G needs three earlier ratings")
    middle, spread = fmean(recent), max(stdev(recent), floor)
    return Limits(middle, spread, middle - spread, middle - 2 * spread)


def individuals_chart(before: Sequence[float]) -> Limits:
    """Rule X: two and three sigma below the mean, sigma = mean moving range / 1.128. Needs at least four ratings."""
    if len(before) < CHART_MINIMUM:
        raise ValueError(f"rule X needs {CHART_MINIMUM} earlier ratings")
    middle = fmean(before)
    sigma = fmean(abs(later - earlier) for earlier, later in pairwise(before)) / MOVING_RANGE
    return Limits(middle, sigma, middle - 2 * sigma, middle - 3 * sigma)
