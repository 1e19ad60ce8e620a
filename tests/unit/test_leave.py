"""Days of leave do not count towards a limit of days without contact."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from dashboard.analytics.leave import passes
from dashboard.contracts import LEAVE

BASE = date(2026, 3, 2)


def day(number: int) -> date:
    return BASE + timedelta(days=number)


@pytest.mark.parametrize(
    ("words", "away", "passing"),
    [
        ("no leave", [], 28),
        ("a week inside", [(10, 16)], 35),
        ("leave that began before the last session counts from it on", [(-5, 4)], 32),
        ("leave after the limit has passed", [(40, 50)], 28),
        ("leave on the very day of the limit", [(28, 30)], 31),
        ("two leaves", [(3, 5), (20, 24)], 36),
        ("the second is reached only because of the first", [(3, 9), (30, 31)], 37),
        ("two that overlap count once", [(3, 9), (5, 12)], 38),
        ("one inside another counts once", [(3, 12), (5, 6)], 38),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_limit_passes_later_by_the_days_of_leave(
    words: str, away: list[tuple[int, int]], passing: int, turned: bool
) -> None:
    rows = [{"episode_id": 1, "from_day": day(a), "to_day": day(b)} for a, b in away]
    leave = pl.DataFrame(list(reversed(rows)) if turned else rows, schema=LEAVE.schema)
    bases = pl.DataFrame({"episode_id": [1, 2], "base": [BASE, BASE]})
    assert passes(bases, leave, 28)[-1].to_list() == [day(passing), day(28)], words
