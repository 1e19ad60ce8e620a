"""When the models are fitted anew."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.analytics.refits import refit_days

START = date(2025, 1, 10)
LATE = date(2030, 1, 1)


def days(*counts: tuple[int, date]) -> list[date]:
    """So many endings on each day."""
    return [day for count, day in counts for _ in range(count)]


def test_no_refit_under_twenty_endings() -> None:
    assert refit_days([], LATE) == []
    assert refit_days(days((19, START)), LATE) == []


def test_below_three_hundred_the_day_of_the_twentieth_ending_is_a_refit() -> None:
    one_a_day = [START + timedelta(days=at) for at in range(45)]
    assert refit_days(one_a_day, LATE) == [START + timedelta(days=19), START + timedelta(days=39)]


def test_endings_of_the_same_day_belong_to_its_fit() -> None:
    later = START + timedelta(days=3)
    assert refit_days(days((35, START), (19, later)), LATE) == [START]
    assert refit_days(days((35, START), (20, later)), LATE) == [START, later]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (299, [START]),
        (300, [date(2025, 2, 1)]),
        (5000, [date(2025, 2, 1)]),
    ],
)
def test_from_three_hundred_on_only_the_first_of_a_month_counts(known: int, expected: list[date]) -> None:
    assert refit_days(days((known, START)), LATE) == expected


def test_a_first_of_the_month_without_twenty_new_endings_passes() -> None:
    known = days((400, START), (19, date(2025, 2, 20)), (1, date(2025, 3, 15)), (30, date(2025, 4, 1)))
    assert refit_days(known, LATE) == [date(2025, 2, 1), date(2025, 4, 1)]


def test_what_becomes_known_on_the_first_of_a_month_is_in_that_day_s_fit() -> None:
    assert refit_days(days((300, date(2025, 3, 1))), LATE) == [date(2025, 3, 1)]


def test_a_refit_still_to_come_is_not_listed() -> None:
    assert refit_days(days((300, START)), date(2025, 1, 31)) == []
    assert refit_days(days((300, START)), date(2025, 2, 1)) == [date(2025, 2, 1)]
    assert refit_days(days((20, START)), START - timedelta(days=1)) == []


@given(st.lists(st.integers(0, 400), max_size=700), st.integers(0, 400))
def test_what_became_known_later_never_moves_an_earlier_refit(offsets: list[int], until: int) -> None:
    known = [START + timedelta(days=at) for at in sorted(offsets)]
    day = START + timedelta(days=until)
    before = [one for one in known if one <= day]
    assert refit_days(before, day) == refit_days(known, day) == [one for one in refit_days(known, LATE) if one <= day]
