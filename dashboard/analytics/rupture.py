"""Falls in the alliance rating and whether they mended, one client at a time (science 4.4).

Ratings are rescaled to 0-1. Reference R: mean of the last up to four ratings outside a rupture, at least three of them.
Spread S: the larger of their standard deviation and the instrument's error of measurement, so that a small wobble in a flat
series is not called a fall (Gumz 2012). Major: R - s >= 2 S (rule G), or s below the individuals chart's lower limit,
mean - 2.66 mean moving range, of at least four such ratings (rule X), or three falls in a row that sum to 2 S. Minor: >= 1 S.
Rule X and the slow leak count only where the rating also lies 1 S below R: a flat series has limits of no width.

Everything a rating is judged by is earlier than it, so a longer series never changes what a shorter one said.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import fsum, sqrt

EPSILON = 1e-9
REFERENCE_RATINGS = 4
REFERENCE_MINIMUM = 3
CHART_MINIMUM = 4
CHART_FACTOR = 2.66  # 3 / 1.128, limits of an individuals chart
REPAIR_RATINGS = 3
LEAK = 3


@dataclass(frozen=True)
class Judged:
    """What one rating said on its day (0-1 scale). ``start``: position of the latest rupture's first rating, or None."""

    mark: str
    reference: float | None
    major_below: float | None
    start: int | None
    state: str
    nadir: float | None
    back: bool


def _mean(values: list[float]) -> float:
    return fsum(values) / len(values)


def spread_of(references: list[float], floor: float) -> float:
    """S: standard deviation of the reference ratings, never under the instrument's own error of measurement."""
    middle = _mean(references)
    return max(sqrt(fsum((value - middle) ** 2 for value in references) / (len(references) - 1)), floor)


def chart_limit(baseline: list[float]) -> float | None:
    """Rule X: lower limit of an individuals chart of the ratings outside ruptures; null under four of them."""
    if len(baseline) < CHART_MINIMUM:
        return None
    moving = fsum(abs(b - a) for a, b in pairwise(baseline)) / (len(baseline) - 1)
    return _mean(baseline) - CHART_FACTOR * moving


def judge(ratings: list[float], floor: float) -> list[Judged]:
    """One ``Judged`` per rating, in order. ``state`` is none, open, repaired, unrepaired or not_enough_data."""
    outside: list[float] = []
    found: list[Judged] = []
    start: int | None = None
    state, nadir, frozen, spread = "none", 0.0, 0.0, floor
    in_rupture = False
    for position, rating in enumerate(ratings):
        recent = outside[-REFERENCE_RATINGS:]
        if not in_rupture and len(recent) < REFERENCE_MINIMUM:
            outside.append(rating)
            found.append(Judged("none", None, None, None, "not_enough_data", None, True))
            continue
        if not in_rupture:
            frozen, spread = _mean(recent), spread_of(recent, floor)
        limit = chart_limit(outside)
        below = max(frozen - 2 * spread, min(limit if limit is not None else -1.0, frozen - spread))
        fell = frozen - rating
        leaked = (
            position >= LEAK
            and all(ratings[i] < ratings[i - 1] - EPSILON for i in range(position - LEAK + 1, position + 1))
            and ratings[position - LEAK] - rating >= 2 * spread - EPSILON
            and fell >= spread - EPSILON
        )
        major = fell >= 2 * spread - EPSILON or (rating < below - EPSILON and fell >= spread - EPSILON) or leaked
        mark = "major" if major else "minor" if fell >= spread - EPSILON else "none"
        back = True
        if in_rupture:
            nadir = min(nadir, rating)
            back = rating >= frozen - 0.5 * (frozen - nadir) - EPSILON and rating >= frozen - spread - EPSILON
            if back:
                in_rupture = False
                if state == "open":
                    state = "repaired"
                    mark = "repaired"
                outside.append(rating)
            elif start is not None and position - start >= REPAIR_RATINGS:
                state = "unrepaired"
        elif major:
            in_rupture, start, state, nadir, back = True, position, "open", rating, False
        else:
            outside.append(rating)
        found.append(Judged(mark, frozen, below, start, state, nadir if start is not None else None, back))
    return found
