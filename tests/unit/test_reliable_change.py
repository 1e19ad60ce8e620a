"""Reliable and clinically significant change against the published and hand-worked examples of the science notes."""

from __future__ import annotations

from math import sqrt

import polars as pl
import pytest

from dashboard.analytics.reliable_change import (
    change_category,
    cutoff,
    reliable_change_index,
    thresholds,
)
from dashboard.instruments import BUILT_IN
from dashboard.instruments.instrument import Instrument


def test_jacobson_and_truax_hypothetical_case_gives_rci_3_16() -> None:
    """Jacobson & Truax 1991: SD 7.5, r .80, 32.5 to 47.5 (worked example 1)."""
    assert 7.5 * sqrt(1 - 0.80) == pytest.approx(3.3541, abs=1e-4)
    assert sqrt(2) * 7.5 * sqrt(1 - 0.80) == pytest.approx(4.7434, abs=1e-4)
    assert reliable_change_index(32.5, 47.5, sd=7.5, reliability=0.80) == pytest.approx(3.1623, abs=1e-4)


NORMS = {"better": "higher", "mean_clinical": 40, "sd_clinical": 7.5, "mean_functional": 60}


@pytest.mark.parametrize(
    ("rule", "sd_functional", "expected"),
    [("a", 7.5, 55.0), ("b", 7.5, 45.0), ("c", 7.5, 50.0), ("b", 5.0, 50.0), ("c", 5.0, 52.0)],
)
def test_cutoffs_a_b_c_with_equal_and_unequal_spread(rule: str, sd_functional: float, expected: float) -> None:
    """Worked example 2; b uses the spread of the functional group, which only unequal spreads can show."""
    assert cutoff(rule, sd_functional=sd_functional, **NORMS) == pytest.approx(expected, abs=1e-9)


def test_a_cutoff_rule_without_its_norms_says_which_is_missing() -> None:
    with pytest.raises(ValueError, match="sd_functional"):
        cutoff("b", better="lower", mean_functional=7.0)


def test_core10_threshold_and_cutoff_reproduce_the_published_ones() -> None:
    """Barkham 2013 through worked example 11: 5.66 (published 6), cut-off c 10.46 (published 11)."""
    assert 1.645 * sqrt(2) * 7.7 * sqrt(1 - 0.90) == pytest.approx(5.6646, abs=1e-4)
    found = cutoff("c", better="lower", mean_clinical=19.7, sd_clinical=7.7, mean_functional=4.7, sd_functional=4.8)
    assert found == pytest.approx(10.46, abs=0.005)
    assert (BUILT_IN["core10"].reliable_threshold, BUILT_IN["core10"].cutoff) == (6, 11)


def category(instrument: Instrument, first: float, last: float, scores: int = 2) -> str:
    frame = pl.DataFrame(
        {"instrument": [instrument.key], "first": [float(first)], "last": [float(last)], "n": [scores]}
    )
    frame = frame.join(thresholds({instrument.key: instrument}), on="instrument")
    return str(frame.select(change_category(pl.col("first"), pl.col("last"), pl.col("n"))).item())


@pytest.mark.parametrize(
    ("key", "first", "last", "expected"),
    [
        # worked example 12, PHQ-9: reliable change 6, cut-off 10
        ("phq9", 18, 12, "reliable_improvement"),
        ("phq9", 18, 9, "recovered"),
        ("phq9", 14, 9, "no_reliable_change"),
        ("phq9", 9, 16, "reliable_worsening"),
        ("phq9", 12, 6, "recovered"),
        ("phq9", 16, 10, "reliable_improvement"),  # 10 is still clinical
        # worked example 13, ORS: reliable change 5, cut-off 25, higher is better
        ("ors", 18, 26, "recovered"),
        ("ors", 24, 27, "no_reliable_change"),
        ("ors", 30, 24, "reliable_worsening"),
        ("ors", 20, 25, "reliable_improvement"),
        # worked example 14, WHO-5: 48 is low, 52 is not
        ("who5", 38, 48, "reliable_improvement"),
        ("who5", 42, 52, "recovered"),
    ],
)
def test_categories_follow_the_published_rules_exactly_at_their_edges(
    key: str, first: float, last: float, expected: str
) -> None:
    assert category(BUILT_IN[key], first, last) == expected


@pytest.mark.parametrize(("last", "expected"), [(52.5 - 9.297, "no_reliable_change"), (52.5 - 9.298, "reliable")])
def test_jacobson_truax_is_strict_where_a_published_threshold_is_inclusive(last: float, expected: str) -> None:
    """1.96 x 4.7434 = 9.2971 points: a change must be larger."""
    own = Instrument(
        key="x",
        name="X",
        kind="outcome",
        minimum=0,
        maximum=100,
        better="lower",
        reliability=0.80,
        sd_clinical=7.5,
        licence="",
        source="Jacobson & Truax 1991",
    )
    assert category(own, 52.5, last).startswith(expected)


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_a_change_of_exactly_the_jacobson_truax_threshold_is_not_reliable(better: str) -> None:
    own = Instrument(
        key="x",
        name="X",
        kind="outcome",
        minimum=0,
        maximum=100,
        better=better,
        reliability=0.75,
        sd_clinical=10.0,
        licence="",
        source="test",
    )
    assert own.reliable_threshold is not None
    assert category(own, 50.0, 50.0 + own.reliable_threshold) == "no_reliable_change"
    assert category(own, 50.0, 50.0 - own.reliable_threshold) == "no_reliable_change"


def test_one_score_or_no_known_threshold_is_not_enough_data_and_never_no_change() -> None:
    assert category(BUILT_IN["phq9"], 18, 18, scores=1) == "not_enough_data"
    without = BUILT_IN["phq9"].model_copy(update={"reliable_change": None, "reliability": None})
    assert without.reliable_threshold is None
    assert category(without, 18, 3) == "not_enough_data"


def test_without_a_cutoff_a_reliable_improvement_is_not_called_recovered() -> None:
    assert category(BUILT_IN["phq9"].model_copy(update={"cutoff": None}), 20, 2) == "reliable_improvement"
