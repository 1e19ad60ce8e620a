"""A small contest in the suite: the shipped detector keeps its false-alarm rate, and its published record is true."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.analytics import detector_record as record
from dashboard.instruments.instrument import UNKNOWN_SEM
from tests.contests.fall_candidates import at_or_below, fell_since_last, shipped
from tests.contests.rupture import Sample, samples, score, side_by_side
from tests.simulators.alliance import FORMS, TOP, Rated, simulate

# twice the standard error of a mean over four forms of 2000 clients: percent of falls, false alarms per 100
TOLERANCE_FOUND, TOLERANCE_FALSE = 4.0, 0.2


@pytest.fixture(scope="module")
def drawn() -> dict[str, Sample]:
    return samples((7,), clients=2000)


def test_at_most_about_one_false_alarm_per_100_rated_sessions_in_every_form(drawn: dict[str, Sample]) -> None:
    for form, sets in drawn.items():
        for series, rated in sets:
            assert score(shipped(series), rated).false_per_100 <= 1.2, form


def test_more_than_half_of_the_rated_falls_are_found_and_not_far_fewer_in_any_form(drawn: dict[str, Sample]) -> None:
    found = {form: score(shipped(series), rated).found for form, [(series, rated)] in drawn.items()}
    assert np.mean(list(found.values())) > 0.5
    assert min(found.values()) > 0.45


@pytest.mark.parametrize(
    ("stated", "rule"),
    [
        (record.SHIPPED, shipped),
        (record.AT_EQUAL_RATE[0], lambda series: fell_since_last(series, 0.148)),
        (record.AT_EQUAL_RATE[1], lambda series: at_or_below(series, 0.583)),
        (record.WHERE_RATINGS_SCATTER_MORE, lambda series: shipped(series, UNKNOWN_SEM / 1.5)),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
def test_the_record_says_what_is_measured(stated: record.Measured, rule: object, drawn: dict[str, Sample]) -> None:
    found = [score(rule(series), rated) for sets in drawn.values() for series, rated in sets]  # type: ignore[operator]
    assert 100 * np.mean([one.found for one in found]) == pytest.approx(stated.found, abs=TOLERANCE_FOUND)
    assert 100 * np.mean([one.found_known for one in found]) == pytest.approx(
        stated.found_after_three, abs=TOLERANCE_FOUND
    )
    margin = max(TOLERANCE_FALSE, 0.1 * stated.false_per_100)
    assert np.mean([one.false_per_100 for one in found]) == pytest.approx(stated.false_per_100, abs=margin)
    assert 100 * np.mean([one.precision for one in found]) == pytest.approx(stated.precision, abs=6)


@pytest.mark.parametrize(
    ("stated", "rule"),
    [
        (record.AS_OTHERS_USE_THEM[0], lambda series: fell_since_last(series, 1 / TOP)),
        (record.AS_OTHERS_USE_THEM[1], lambda series: at_or_below(series, 35.9 / TOP)),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
def test_rules_of_other_products_raise_far_more_false_alarms(
    stated: record.Measured, rule: object, drawn: dict[str, Sample]
) -> None:
    found = [score(rule(series), rated) for sets in drawn.values() for series, rated in sets]  # type: ignore[operator]
    assert np.mean([one.false_per_100 for one in found]) == pytest.approx(stated.false_per_100, rel=0.1)
    assert 100 * np.mean([one.found for one in found]) == pytest.approx(stated.found, abs=TOLERANCE_FOUND)


def test_the_shipped_rule_beats_its_rivals_at_no_higher_rate() -> None:
    assert record.SHIPPED.worst_false_per_100 <= 1.0
    assert all(rival.worst_false_per_100 <= 1.0 for rival in record.AT_EQUAL_RATE)
    assert record.SHIPPED.found > max(rival.found for rival in record.AT_EQUAL_RATE)


def _one(ratings: list[float], start: int, due: int, end: int) -> tuple[np.ndarray, Rated]:
    rated = Rated(np.array(ratings), np.array([len(ratings)]), np.array([start]), np.array([due]), np.array([end]), 0)
    return side_by_side(rated), rated


@pytest.mark.parametrize(
    ("alarms", "found", "false"),
    [
        ([4], 1, 0),
        ([5], 1, 0),  # one rated session later
        ([6], 0, 0),  # two later, still in the fall: late, not false
        ([3], 0, 1),
        ([3, 4], 0, 1),  # it already stood
        ([4, 5, 6, 7], 1, 0),  # it stands on after the end
        ([4, 7], 1, 1),
    ],
)
def test_an_alarm_counts_where_it_begins(alarms: list[int], found: int, false: int) -> None:
    series, rated = _one([0.9] * 9, start=4, due=4, end=6)
    marks = np.zeros(series.shape, dtype=bool)
    marks[0, alarms] = True
    got = score(marks, rated)
    assert got.found == found
    assert got.false_per_100 == pytest.approx(100 * false / 6)


def test_simulated_clients_are_plausible() -> None:
    """About one in four has a fall; falls that no rating shows are counted apart; ratings lie on the scale."""
    for form in FORMS:
        rated = simulate(form, 1, 1500)
        with_fall = ((rated.start >= 0).sum() + rated.unseen) / 1500
        assert 0.2 < with_fall < 0.28
        assert rated.ratings.min() >= 0
        assert rated.ratings.max() <= 1
        assert (rated.due >= rated.start).all()
        assert (rated.end >= rated.due).all()
