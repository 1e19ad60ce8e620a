"""Candidate rules for a major fall in the alliance rating, each with one threshold left to set.

Every rule takes series side by side (row: a series, column: a rating, 0-1, NaN after the last) and a threshold, and says which
ratings it calls a major fall. None looks ahead; all that compare with the client's own level share one walk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics import rupture
from dashboard.instruments.instrument import UNKNOWN_SEM

EPSILON = 1e-9
CHART = 2.66

Reals = NDArray[np.float64]
Marks = NDArray[np.bool_]


@dataclass(frozen=True)
class Candidate:
    """``marks(series, threshold)``; the threshold that meets a false-alarm rate lies between ``low`` and ``high``.

    ``rising``: a higher threshold raises fewer alarms.
    """

    name: str
    marks: Callable[[Reals, float], Marks]
    low: float
    high: float
    rising: bool = True


def fell_since_last(series: Reals, points: float) -> Marks:
    """A fall of so much (0-1) from the rating before: the 'fell by 1 point' rule where ``points`` is 1 / 40."""
    marks = np.zeros(series.shape, dtype=bool)
    marks[:, 1:] = series[:, :-1] - series[:, 1:] >= points - EPSILON
    return marks


def at_or_below(series: Reals, cut: float) -> Marks:
    """At or below one cut for everyone: the 'below 36' rule where ``cut`` is .9."""
    return np.asarray(series <= cut + EPSILON)


def shipped(series: Reals, floor: float = UNKNOWN_SEM) -> Marks:
    """What ``rupture.judge`` calls major, as shipped."""
    held = ~np.isnan(series)
    found = rupture.judge(series[held], held.sum(axis=1), np.full(len(series), floor))
    marks = np.zeros(series.shape, dtype=bool)
    marks[held] = (found["mark"] == "major").to_numpy()
    return marks


def _own_level(series: Reals, threshold: float, kind: str) -> Marks:
    """Rules against the client's own level. In a rupture the level stands still; it ends as in ``rupture``.

    plain: rule G or X or slow leak with all limits times the threshold; fixed: a drop of the threshold; shrunken, predictive,
    ewma, cusum: in shrunken spreads.
    """
    count, length = series.shape
    outside = np.zeros(count, dtype=np.int64)
    level, squares, kept, error = np.zeros(count), np.zeros(count), np.zeros(count), np.ones(count)
    total, moves, last = np.zeros(count), np.zeros(count), np.zeros(count)
    inside = np.zeros(count, dtype=bool)
    recent = np.full((count, 4), np.nan)
    reference, spread, nadir = np.zeros(count), np.full(count, UNKNOWN_SEM), np.zeros(count)
    marks = np.zeros(series.shape, dtype=bool)
    for place in range(length):
        rating = series[:, place]
        live = ~np.isnan(rating)
        if kind == "plain":
            used = np.clip(outside, 1, 4)
            middle = np.nansum(recent, axis=1) / used
            deviation = np.sqrt(np.nansum((recent - middle[:, None]) ** 2, axis=1) / np.maximum(used - 1, 1))
            now = np.maximum(deviation, UNKNOWN_SEM)
        else:
            middle = level
            now = np.sqrt((4 * UNKNOWN_SEM**2 + squares) / (4 + np.maximum(outside - 1, 0)))
        reference, spread = np.where(inside, reference, middle), np.where(inside, spread, now)
        fell = reference - rating
        z = fell / spread
        carried = np.where(inside, 0.0, kept)
        if kind == "plain":
            limit = total / np.maximum(outside, 1) - threshold * CHART * moves / np.maximum(outside - 1, 1)
            major = (z >= 2 * threshold - EPSILON) | ((outside >= 4) & (z >= 1) & (rating < limit - EPSILON))
            if place >= 3:
                steps = series[:, place - 3 : place + 1]
                leak = (np.diff(steps, axis=1) < -EPSILON).all(axis=1)
                major |= leak & (z >= 1) & (steps[:, 0] - steps[:, -1] >= 2 * threshold * spread - EPSILON)
        elif kind == "fixed":
            major = fell >= threshold - EPSILON
        elif kind == "shrunken":
            major = z >= threshold - EPSILON
        elif kind == "predictive":
            major = z / np.sqrt(1 + error) >= threshold - EPSILON
        elif kind == "ewma":
            carried = 0.7 * z + 0.3 * carried
            major = (carried >= threshold - EPSILON) & (z >= 1)
        else:
            carried = np.maximum(0.0, carried + z - 1.0)
            major = carried >= threshold - EPSILON
        major &= live & (outside >= rupture.REFERENCE_MINIMUM)
        marks[:, place] = major
        nadir = np.where(inside, np.fmin(nadir, rating), nadir)
        back = inside & (rating >= reference - 0.5 * (reference - nadir) - EPSILON) & (fell <= spread + EPSILON)
        starts = major & ~inside
        nadir = np.where(starts, rating, nadir)
        inside = (inside & ~back) | starts
        kept = np.where(live & ~inside & (outside >= rupture.REFERENCE_MINIMUM), carried, 0.0)
        rows = np.flatnonzero(live & ~inside)
        value, first = rating[rows], outside[rows] == 0
        weight, away = np.maximum(1 / (outside[rows] + 1), 0.25), value - level[rows]
        squares[rows] += np.where(first, 0.0, away**2 / (1 + error[rows]))
        error[rows] = (1 - weight) ** 2 * error[rows] + weight**2
        level[rows] += weight * away
        moves[rows] += np.where(first, 0.0, np.abs(value - last[rows]))
        total[rows] += value
        last[rows] = value
        recent[rows, outside[rows] % 4] = value
        outside[rows] += 1
    return marks


def _own(name: str, kind: str, low: float, high: float) -> Candidate:
    return Candidate(name, lambda series, threshold: _own_level(series, threshold, kind), low, high)


CUSUM = _own("shrunken spread, one-sided CUSUM", "cusum", 0.3, 5.0)
FELL = Candidate("fell by c points since the last", fell_since_last, 0.02, 0.5)
BELOW = Candidate("below c for everyone", at_or_below, 0.3, 1.0, rising=False)
FIXED = _own("fixed drop of c points from own level", "fixed", 0.02, 0.5)
PLAIN = _own("rule G or X or slow leak (before)", "plain", 0.8, 4.0)
CANDIDATES = (
    CUSUM,
    _own("shrunken spread, EWMA", "ewma", 0.5, 5.0),
    _own("shrunken spread, one rating", "shrunken", 1.0, 5.0),
    _own("shrunken spread, predictive z", "predictive", 1.0, 5.0),
    PLAIN,
    FIXED,
    FELL,
    BELOW,
)
