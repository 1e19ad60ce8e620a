"""Falls in the alliance rating, and repair, against the worked examples of the science notes."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.analytics import rupture
from dashboard.instruments import BUILT_IN
from dashboard.instruments.instrument import UNKNOWN_SEM

FLOOR = UNKNOWN_SEM


@dataclass(frozen=True)
class Judged:
    """One rating's row."""

    mark: str
    reference: float | None
    major_below: float | None
    start: int | None
    state: str
    nadir: float | None
    back: bool


def judge(ratings: list[float], floor: float) -> list[Judged]:
    """One series alone."""
    found = rupture.judge(np.array(ratings, dtype=float), np.array([len(ratings)]), np.array([floor]))
    return [Judged(**row) for row in found.to_dicts()]


def scaled(values: list[float], low: float, high: float) -> list[float]:
    return [(value - low) / (high - low) for value in values]


def test_individuals_chart_limit_of_the_worked_example() -> None:
    """Worked example 17: 62, 64, 63, 65, 64 has mean 63.6, mean moving range 1.5, lower limit 59.610."""
    found = judge(scaled([62, 64, 63, 65, 64, 64], 0, 100), 0.0225)[-1]  # wide spread: the chart decides
    assert found.major_below == pytest.approx(0.59610, abs=1e-5)
    assert found.reference == pytest.approx((64 + 63 + 65 + 64) / 400)


def test_a_chart_needs_four_ratings() -> None:
    found = judge(scaled([62, 64, 63, 63], 0, 100), 0.0001)[-1]
    assert found.major_below == pytest.approx(0.63 - 2 * 0.01)  # rule G alone: twice the standard deviation of 1


def test_two_majors_and_a_repair_at_the_third_session() -> None:
    """Worked example 17: then 55 (major), 58 (major), 64: repaired."""
    found = judge(scaled([62, 64, 63, 65, 64, 55, 58, 64], 12, 84), FLOOR)
    assert [one.mark for one in found[5:]] == ["major", "major", "repaired"]
    assert [one.state for one in found[5:]] == ["open", "open", "repaired"]
    assert found[-1].start == 5


def test_the_larger_of_own_spread_and_measurement_error_keeps_a_flat_series_quiet() -> None:
    """Worked example 18 (Gumz 2012): 5.2, 5.4, 5.1, 5.3 then 4.1; a floor of .6 makes it 1.9 spreads, without it 8.9."""
    alone = judge([5.2, 5.4, 5.3, 4.2], 0.6)[-1]  # under four ratings there is no chart: rule G alone
    assert (alone.mark, alone.major_below) == ("minor", pytest.approx(5.3 - 1.2))
    quiet = judge([5.2, 5.4, 5.1, 5.3, 4.1], 10.0)[-1]
    assert quiet.reference == pytest.approx(5.25)
    own = (5.25 - judge([5.2, 5.4, 5.1, 5.3, 5.3], 0.0)[-1].major_below) / 2  # type: ignore[operator]
    assert own == pytest.approx(0.1291, abs=1e-4)
    assert pytest.approx(1.92, abs=0.01) == (5.25 - 4.1) / 0.6
    assert (5.25 - 4.1) / own == pytest.approx(8.9, abs=0.05)


def test_the_chart_may_call_major_what_twice_the_spread_does_not() -> None:
    """The default is rule G or rule X: the same fall lies below the chart's limit of 4.629."""
    found = judge([5.2, 5.4, 5.1, 5.3, 4.1], 0.6)[-1]
    assert found.major_below == pytest.approx(4.6293, abs=1e-4)
    assert found.mark == "major"


def test_a_drop_of_exactly_two_spreads_is_major_and_just_less_is_not() -> None:
    steady = [0.8, 0.8, 0.8]
    assert judge([*steady, 0.8 - 2 * FLOOR], FLOOR)[-1].mark == "major"
    assert judge([*steady, 0.8 - 2 * FLOOR + 0.001], FLOOR)[-1].mark == "minor"
    assert judge([*steady, 0.8 - FLOOR], FLOOR)[-1].mark == "minor"
    assert judge([*steady, 0.8 - FLOOR + 0.001], FLOOR)[-1].mark == "none"


def test_three_falls_in_a_row_that_sum_to_two_spreads_are_a_slow_leak() -> None:
    assert judge([0.80, 0.80, 0.80, 0.80, 0.77, 0.74, 0.70], FLOOR)[-1].mark == "major"
    assert judge([0.80, 0.80, 0.80, 0.80, 0.77, 0.77, 0.70], FLOOR)[-1].mark != "none"


@pytest.mark.parametrize(
    ("after", "state"),
    [
        ([0.60], "open"),
        ([0.60, 0.61], "open"),
        ([0.60, 0.61, 0.62], "open"),
        ([0.60, 0.61, 0.62, 0.62], "unrepaired"),  # three rated sessions passed
        ([0.60, 0.80], "repaired"),
        ([0.60, 0.61, 0.62, 0.80], "repaired"),  # the third rating after it still counts
        ([0.60, 0.61, 0.62, 0.62, 0.80], "unrepaired"),  # the fourth does not
        ([0.60, 0.74], "open"),  # more than half-way, but not yet within one spread
    ],
)
def test_repair_means_half_recovered_and_within_one_spread_in_three_ratings(after: list[float], state: str) -> None:
    assert judge([0.80, 0.80, 0.80, 0.80, *after], FLOOR)[-1].state == state


def test_under_three_earlier_ratings_there_is_nothing_to_compare_with() -> None:
    assert [one.state for one in judge([0.9, 0.2, 0.1], FLOOR)] == ["not_enough_data"] * 3


def test_ratings_in_a_rupture_do_not_lower_the_reference() -> None:
    found = judge([0.8, 0.8, 0.8, 0.5, 0.5, 0.5, 0.8, 0.8], FLOOR)
    assert found[-1].reference == pytest.approx(0.8)


@given(st.lists(st.integers(0, 20).map(lambda n: n / 20), min_size=1, max_size=25), st.integers(1, 25))
def test_a_later_rating_never_changes_what_an_earlier_one_said(ratings: list[float], length: int) -> None:
    assert judge(ratings, FLOOR)[:length] == judge(ratings[:length], FLOOR)


def test_steady_practices_with_known_noise_raise_few_majors() -> None:
    """At a measurement error equal to the floor fewer than one rating in eight is a major fall by chance alone."""
    draw = random.Random(3)
    majors = ratings = 0
    for _ in range(300):
        series = [min(1.0, max(0.0, 0.75 + draw.gauss(0, FLOOR))) for _ in range(16)]
        found = judge(series, FLOOR)
        majors += sum(1 for place, one in enumerate(found) if one.mark == "major" and one.start == place)
        ratings += len(series)
    assert 0 < majors / ratings < 1 / 8


def test_instruments_without_a_known_error_use_the_project_default() -> None:
    assert BUILT_IN["wai_sr"].sem_01 == UNKNOWN_SEM


@given(st.lists(st.lists(st.integers(0, 20).map(lambda n: n / 20), max_size=12), max_size=8))
def test_clients_judged_together_are_judged_as_if_alone(many: list[list[float]]) -> None:
    flat = np.array([rating for series in many for rating in series], dtype=float)
    lengths = np.array([len(series) for series in many], dtype=np.int64)
    together = rupture.judge(flat, lengths, np.full(len(many), FLOOR))
    alone = [one for series in many for one in judge(series, FLOOR)]
    assert [Judged(**row) for row in together.to_dicts()] == alone
