"""VLAD and risk-adjusted CUSUM against published figures, and the run length against simulation."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.analytics import sequential
from dashboard.analytics.newton import chance

P = np.array([0.1, 0.2, 0.3, 0.15, 0.25, 0.1])
Y = np.array([0.0, 1, 1, 0, 1, 1])


@pytest.mark.parametrize(
    ("parsonnet", "ratio", "without", "with_event"),
    [(0, 2.0, -0.0243, 0.6688), (50, 2.0, -0.4333, 0.2598), (0, 0.5, 0.0124, -0.6808), (50, 0.5, 0.3164, -0.3768)],
)
def test_weights_are_those_of_steiner(parsonnet: int, ratio: float, without: float, with_event: float) -> None:
    """Steiner et al. 2000, 2014, as in the tests of the R package vlad (science, test 31)."""
    p = chance(np.array([-3.68 + 0.077 * parsonnet]))
    assert [float(one[0]) for one in sequential.weights(p, ratio)] == pytest.approx([without, with_event], abs=1e-4)


def test_cusum_and_vlad_follow_the_worked_sequence() -> None:
    """Science, test 31."""
    level, signal = sequential.cusum(P, Y, 2.0, np.inf)
    assert level == pytest.approx([0, 0.5108, 0.9416, 0.8018, 1.2719, 1.8697], abs=1e-4)
    assert not signal.any()
    assert sequential.vlad(P, Y) == pytest.approx([0.1, -0.7, -1.4, -1.25, -2.0, -2.9])
    assert sequential.vlad(P, Y, adverse=False) == pytest.approx([-0.1, 0.7, 1.4, 1.25, 2.0, 2.9])


def test_after_a_signal_the_cusum_starts_again() -> None:
    level, signal = sequential.cusum(P, Y, 2.0, 0.9)
    assert signal.tolist() == [False, False, True, False, False, True]
    assert level[3:] == pytest.approx([0.0, 0.4700, 1.0678], abs=1e-4)


@pytest.mark.parametrize(("ratio", "threshold"), [(2.0, 1.0), (2.0, 2.2), (0.5, 1.7)])
def test_run_length_is_that_of_a_simulation(ratio: float, threshold: float) -> None:
    draw = np.random.default_rng(5)
    caseload = chance(draw.normal(-1.4, 0.7, 300))
    p = draw.choice(caseload, 1_500_000)
    signals = int(sequential.cusum(p, (draw.random(len(p)) < p).astype(float), ratio, threshold)[1].sum())
    assert signals > 1000
    assert sequential.run_length(caseload, ratio, threshold) == pytest.approx(len(p) / signals, rel=0.05)


@pytest.mark.parametrize(("base", "cases"), [(-1.4, 400.0), (-3.0, 2500.0), (0.2, 40.0)])
def test_the_threshold_is_the_smallest_that_keeps_false_signals_rare(base: float, cases: float) -> None:
    p = chance(np.random.default_rng(1).normal(base, 0.5, 200))
    h = sequential.threshold_for(p, 2.0, cases)
    assert sequential.run_length(p, 2.0, h) >= cases > sequential.run_length(p, 2.0, h - 0.01)


def dated(days: list[int], observed: list[bool | None], expected: list[float | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "ended_on": [date(2024, 1, 1) + timedelta(days=day) for day in days],
            "episode_id": list(range(len(days))),
            "observed": observed,
            "expected": expected,
        },
        schema={"ended_on": pl.Date, "episode_id": pl.Int64, "observed": pl.Boolean, "expected": pl.Float64},
    )


def steady(cases: int, change: float = 0.0, seed: int = 3) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    p = chance(draw.normal(-1.4, 0.5, cases))
    happens = draw.random(cases) < chance(np.log(p / (1 - p)) + change * (np.arange(cases) >= cases // 2))
    return dated([3 * one for one in range(cases)], happens.tolist(), p.tolist())


def test_false_signals_come_ten_years_apart() -> None:
    quiet = [sequential.monitor(steady(200, seed=seed)) for seed in range(100, 160)]
    assert all(one.years is not None and one.years >= 10 for one in quiet)
    assert quiet[0].per_year == pytest.approx(200 / (199 * 3) * 365.25)
    watched = 60 * 199 * 3 / 365.25
    assert sum(int(one.frame["signal"].sum()) for one in quiet) <= watched / 10


def test_a_rise_in_the_odds_is_found_within_a_year() -> None:
    found = sequential.monitor(steady(400, 1.0)).frame.filter("signal")["number"].to_list()
    assert any(200 < number < 320 for number in found)


def test_nothing_to_monitor_has_no_threshold() -> None:
    for frame in (dated([], [], []), dated([1], [None], [0.2]), dated([1], [True], [None])):
        found = sequential.monitor(frame)
        assert (found.threshold, found.run_length, found.years, found.frame.height) == (None, None, None, 0)
        assert found.frame.schema == pl.Schema(sequential.MONITORED)


def test_one_case_is_followed() -> None:
    assert sequential.monitor(dated([0], [True], [0.2])).frame.row(0)[2:5] == pytest.approx((1, -0.8, 0.5108), abs=1e-4)


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(30)))
def test_order_of_rows_does_not_matter(order: list[int]) -> None:
    frame = steady(30).with_columns(ended_on=pl.lit(date(2024, 5, 1)))
    assert sequential.monitor(frame[order]).frame.equals(sequential.monitor(frame).frame)
