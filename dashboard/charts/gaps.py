"""Where a line must break: a session without a rating is a gap, never a straight line across it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date


def breaks(days: Sequence[date], sessions: Sequence[date]) -> list[bool]:
    """Per rating, whether the line from the one before must not be drawn; ``sessions`` are attended days, sorted.

    A rating may be given at a session or before it; two sessions since the last rating mean that one went unrated.
    """
    found = [False] * len(days)
    for place in range(1, len(days)):
        between = bisect_right(sessions, days[place]) - bisect_right(sessions, days[place - 1])
        found[place] = between > 1
    return found
