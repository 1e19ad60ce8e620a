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


def test_a_fall_two_minors_deep_is_marked_and_mends_at_the_third_session() -> None:
    """The series of worked example 17: 55 (major), 58 (minor, still in the rupture), 64: repaired."""
    found = judge(scaled([62, 64, 63, 65, 64, 55, 58, 64], 12, 84), FLOOR)
    assert [one.mark for one in found[5:]] == ["major", "minor", "repaired"]
    assert [one.state for one in found[5:]] == ["open", "open", "repaired"]
    assert found[-1].start == 5


def test_a_small_wobble_in_a_flat_series_is_no_fall() -> None:
    """The series of worked example 18 (Gumz 2012): 5.2, 5.4, 5.1, 5.3 then 4.1, measured with an error of .6."""
    assert judge([5.2, 5.4, 5.1, 5.3, 4.1], 0.6)[-1].mark == "minor"
    assert judge([5.2, 5.4, 5.1, 5.3, 4.1], 0.1)[-1].mark == "major"


def test_the_reference_is_the_mean_of_the_first_four_and_then_each_new_rating_counts_a_quarter() -> None:
    found = judge([0.70, 0.80, 0.75, 0.79, 0.80, 0.80], FLOOR)
    assert [one.reference for one in found[:3]] == [None] * 3
    assert found[3].reference == pytest.approx((0.70 + 0.80 + 0.75) / 3)
    assert found[4].reference == pytest.approx((0.70 + 0.80 + 0.75 + 0.79) / 4)
    assert found[5].reference == pytest.approx(0.76 * 0.75 + 0.80 * 0.25)


def test_the_spread_is_the_clients_own_drawn_towards_the_measurement_error() -> None:
    """Three ratings: two distances from the level of their day, against four as large as the floor."""
    own = 0.04**2 / 2 + 0.06**2 / 1.5  # each over 1 + the level's own error (1, then a half)
    spread = ((4 * FLOOR**2 + own) / 6) ** 0.5
    found = judge([0.80, 0.84, 0.88, 0.9], FLOOR)[-1]
    assert found.major_below == pytest.approx(0.84 - 2.8 * spread)


def test_a_perfectly_flat_series_never_has_less_than_the_least_spread() -> None:
    found = judge([0.8] * 40, FLOOR)[-1]
    assert found.major_below == pytest.approx(0.8 - 2.8 * 0.6 * FLOOR)


def test_a_drop_of_exactly_two_point_eight_spreads_is_major_and_of_one_is_minor() -> None:
    spread = FLOOR * (4 / 6) ** 0.5
    steady = [0.8, 0.8, 0.8]
    assert judge([*steady, 0.8 - 2.8 * spread], FLOOR)[-1].mark == "major"
    assert judge([*steady, 0.8 - 2.8 * spread + 0.001], FLOOR)[-1].mark == "minor"
    assert judge([*steady, 0.8 - spread], FLOOR)[-1].mark == "minor"
    assert judge([*steady, 0.8 - spread + 0.001], FLOOR)[-1].mark == "none"


def test_a_slow_leak_is_major_though_none_of_its_ratings_alone_would_be() -> None:
    calm = [0.80] * 6
    steps = [0.75, 0.725, 0.715]
    assert [one.mark for one in judge([*calm, *steps], FLOOR)[6:]] == ["minor", "minor", "major"]
    assert [judge([*calm, step], FLOOR)[-1].mark for step in steps] == ["minor"] * 3


def test_a_rating_back_at_the_level_forgets_earlier_small_falls() -> None:
    calm = [0.80] * 6
    assert judge([*calm, 0.73, 0.84, 0.73], FLOOR)[-1].mark == "minor"


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
    """At noise as large as the floor fewer than one rating in fifty begins a major fall by chance alone."""
    draw = random.Random(3)
    majors = ratings = 0
    for _ in range(300):
        series = [min(1.0, max(0.0, 0.75 + draw.gauss(0, FLOOR))) for _ in range(16)]
        found = judge(series, FLOOR)
        majors += sum(1 for place, one in enumerate(found) if one.mark == "major" and one.start == place)
        ratings += len(series)
    assert 0 < majors / ratings < 1 / 50


def test_instruments_without_a_known_error_use_the_project_default() -> None:
    assert BUILT_IN["wai_sr"].sem_01 == UNKNOWN_SEM


@given(st.lists(st.lists(st.integers(0, 20).map(lambda n: n / 20), max_size=12), max_size=8))
def test_clients_judged_together_are_judged_as_if_alone(many: list[list[float]]) -> None:
    flat = np.array([rating for series in many for rating in series], dtype=float)
    lengths = np.array([len(series) for series in many], dtype=np.int64)
    together = rupture.judge(flat, lengths, np.full(len(many), FLOOR))
    alone = [one for series in many for one in judge(series, FLOOR)]
    assert [Judged(**row) for row in together.to_dicts()] == alone
