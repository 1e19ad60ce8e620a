"""The published rules against the worked examples of the science notes."""

from __future__ import annotations

import pytest

from dashboard.analytics.fall_rules import gumz, individuals_chart


def test_individuals_chart_of_the_worked_example() -> None:
    """Worked example 17: mean 63.6, mean moving range 1.5, sigma 1.3298, limits 60.940 and 59.610; 55 and 58 lie below."""
    found = individuals_chart([62, 64, 63, 65, 64])
    assert found.middle == pytest.approx(63.6)
    assert found.spread == pytest.approx(1.3298, abs=1e-4)
    assert (found.minor, found.major) == (pytest.approx(60.940, abs=1e-3), pytest.approx(59.610, abs=1e-3))
    assert found.major > 55
    assert found.major > 58


def test_the_larger_of_own_spread_and_floor_keeps_a_flat_series_quiet() -> None:
    """Worked example 18: a fall of 1.15 is minor and not major at a floor of .6; without it, 8.9 spreads."""
    guarded, alone = gumz([5.2, 5.4, 5.1, 5.3], 0.6), gumz([5.2, 5.4, 5.1, 5.3], 0.0)
    assert guarded.spread == 0.6
    assert guarded.major < 4.1 <= guarded.minor
    assert alone.spread == pytest.approx(0.1291, abs=1e-4)
    assert (alone.middle - 4.1) / alone.spread == pytest.approx(8.9, abs=0.05)


def test_each_rule_says_how_many_ratings_it_needs() -> None:
    with pytest.raises(ValueError, match="three earlier"):
        gumz([1, 2], 0.1)
    with pytest.raises(ValueError, match="4 earlier"):
        individuals_chart([1, 2, 3])
