"""Scores near the cut-off, scores skipped, statuses changed: found where made, quiet where not, nothing from too few."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from dashboard.analytics.clustered import difference, odds_ratio
from dashboard.analytics.distributions import t_quantile
from dashboard.analytics.score_integrity import (
    LEAST,
    RELABELLED,
    SCORED,
    STATUSES_HELD,
    Compared,
    cliffs,
    relabelled,
    skipped,
    window_of,
)
from dashboard.instruments import BUILT_IN
from dashboard.ui.integrity_blocks import integrity_blocks
from dashboard.ui.view import Cell, Para, Table

CLOSED = date(2026, 6, 1)


def scored(
    *episodes: list[float | None], instrument: str = "phq9", closed: date | None = CLOSED, high: float = 99
) -> pl.DataFrame:
    rows = [
        {"episode_id": n, "session_number": place + 1, "outcome": value, "expected_low": -99.0, "expected_high": high,
         "closed_on": closed, "outcome_instrument": instrument, "baseline": next((v for v in values if v is not None), None)}
        for n, values in enumerate(episodes)
        for place, value in enumerate(values)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=SCORED, orient="row")


# ------------------------------------------------------------------------------------------------- shares of alike rows


def test_the_interval_is_the_cluster_robust_one_of_statsmodels() -> None:
    draw = np.random.default_rng(3)
    episode = np.repeat(np.arange(40), 6)
    first = draw.random(240) < 0.4
    yes = draw.random(240) < 0.3 + 0.2 * first + 0.2 * (episode % 2)
    found = difference(yes, first, episode)
    assert found is not None
    model = sm.OLS(yes.astype(float), sm.add_constant(first.astype(float)))
    fitted = model.fit(
        cov_type="cluster", cov_kwds={"groups": episode, "use_correction": False, "df_correction": True}, use_t=True
    )
    assert found.value == pytest.approx(fitted.params[1])
    half = (found.high - found.low) / 2
    expected = float(np.diff(fitted.conf_int()[1])[0]) / 2 * np.sqrt(40 / 39)
    assert half == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("first", [[True, True], [False, False]])
def test_one_side_only_or_one_episode_gives_no_difference(first: list[bool]) -> None:
    assert difference(np.array([True, False]), np.array(first), np.array([1, 2])) is None
    assert difference(np.array([True, False]), np.array([True, False]), np.array([1, 1])) is None


# ------------------------------------------------------------------------------------------------- cliffs


@pytest.mark.parametrize("key", ["phq9", "ors", "core10"])
def test_the_window_is_a_reliable_change(key: str) -> None:
    assert window_of(BUILT_IN[key]) == pytest.approx(BUILT_IN[key].reliable_threshold)


@pytest.mark.parametrize(
    ("instrument", "value", "near", "healthy"),
    [
        ("phq9", 3, 0, 0), ("phq9", 4, 1, 1), ("phq9", 9, 1, 1), ("phq9", 10, 1, 0), ("phq9", 15, 1, 0), ("phq9", 16, 0, 0),
        ("ors", 25, 1, 0), ("ors", 25.1, 1, 1), ("ors", 30, 1, 1), ("ors", 30.1, 0, 0), ("ors", 20, 0, 0), ("ors", 20.1, 1, 0),
    ],
)  # fmt: skip
def test_both_sides_of_the_cutoff_are_equally_wide(instrument: str, value: float, near: int, healthy: int) -> None:
    found = cliffs(scored(*[[value, value]] * LEAST, instrument=instrument), BUILT_IN)[0]
    assert (found.last, found.earlier) == (near * LEAST, near * LEAST)
    assert (found.last_healthy, found.earlier_healthy) == (healthy * LEAST, healthy * LEAST)
    assert found.jump is None  # on one side only nothing can be told


def courses(draw: np.random.Generator, episodes: int = 150, press: float = 0.0) -> list[list[float | None]]:
    """People who get better bit by bit; of those whose last score is just clinical some are pressed under the cut-off."""
    made: list[list[float | None]] = []
    for _ in range(episodes):
        level, slope = draw.normal(14, 3), draw.normal(-0.6, 0.4)
        values = np.clip(np.round(level + slope * np.arange(10) + draw.normal(0, 2, 10)), 0, 27)
        if 10 <= values[-1] <= 12 and draw.random() < press:
            values[-1] = draw.integers(7, 10)
        made.append(values.tolist())
    return made


def test_getting_better_is_no_cliff_though_last_scores_are_lower() -> None:
    draw = np.random.default_rng(5)
    found = [cliffs(scored(*courses(draw)), BUILT_IN)[0] for _ in range(200)]
    shares = [one.last_healthy / one.last - one.earlier_healthy / one.earlier for one in found]
    assert np.mean(shares) > 0.1  # what comparing shares would call a cliff
    called = [one.jump.low > 1 or one.jump.high < 1 for one in found if one.jump]
    assert len(called) == 200
    assert np.mean(called) <= 0.09


def test_a_jump_under_the_cutoff_is_found() -> None:
    draw = np.random.default_rng(6)
    found = [cliffs(scored(*courses(draw, 300, press=0.8)), BUILT_IN)[0].jump for _ in range(20)]
    assert np.mean([one is not None and one.low > 1 for one in found]) >= 0.9


def test_the_jump_is_the_coefficient_of_a_logistic_regression() -> None:
    draw = np.random.default_rng(7)
    x, episode = draw.integers(-5, 7, 400).astype(float), np.arange(400) // 4
    of = x > 0
    yes = draw.random(400) < 1 / (1 + np.exp(-(-1 + 0.1 * x + 0.7 * of)))
    found = odds_ratio(yes, of, x, episode)
    assert found is not None
    fitted = sm.Logit(yes.astype(float), np.column_stack([np.ones(400), of, x])).fit(
        disp=False, cov_type="cluster", cov_kwds={"groups": episode, "use_correction": False}
    )
    assert found.ratio == pytest.approx(np.exp(fitted.params[1]), rel=1e-5)
    half = (np.log(found.high) - np.log(found.low)) / 2 / t_quantile(0.975, 99) / np.sqrt(100 / 99)
    assert half == pytest.approx(fitted.bse[1], rel=1e-4)


@pytest.mark.parametrize(
    ("yes", "of", "given"),
    [
        ([True, True], [True, False], [1.0, 0.0]),
        ([True, False], [True, False], [1.0, 1.0]),
        ([True, False, True, False], [True, False, True, False], [1.0, -1.0, 2.0, -2.0]),
        ([], [], []),
    ],
)
def test_rows_that_part_completely_tell_no_odds(yes: list[bool], of: list[bool], given: list[float]) -> None:
    arrays = np.array(yes, dtype=bool), np.array(of, dtype=bool), np.array(given)
    assert odds_ratio(*arrays, np.arange(len(yes))) is None


def test_open_episodes_and_measures_without_a_cutoff_have_no_cliff() -> None:
    assert cliffs(scored(*[[9.0, 9.0]] * 40, closed=None), BUILT_IN) == []
    assert cliffs(scored(*[[9.0, 9.0]] * 40, instrument="srs"), BUILT_IN) == []
    few = cliffs(scored(*[[9.0, 11.0]] * (LEAST - 1)), BUILT_IN)[0]
    assert (few.last, few.earlier, few.jump) == (LEAST - 1, LEAST - 1, None)


# ------------------------------------------------------------------------------------------------- skipping


def test_sessions_left_unmeasured_after_a_bad_score_are_found() -> None:
    bad = [[10.0, 20.0, None, None]] * 40  # reliably worse, then nothing
    good = [[10.0, 9.0, 8.0, 7.0]] * 40
    found = skipped(scored(*bad, *good), BUILT_IN)["next"].found
    assert found is not None
    assert (found.one, found.other) == (0.0, 1.0)
    assert (found.one_n, found.other_n) == (40, 40 + 120)


@pytest.mark.parametrize(
    ("values", "high", "adverse"),
    [
        ([10.0, 11.0, 11.0], 99, 0),
        ([10.0, 11.0, 11.0], 10.5, 1),  # beyond the expected range at the second session
        ([10.0, 16.0, 16.0], 99, 1),  # six points: reliably worse
        ([10.0, 15.0, 15.0], 99, 0),
        ([None, 16.0, None], 99, 0),  # the first score is the baseline
    ],
)
def test_what_counts_as_going_badly(values: list[float | None], high: float, adverse: int) -> None:
    found = skipped(scored(values, high=high), BUILT_IN)["next"]
    assert found.one_n == adverse


def test_the_last_session_is_looked_at_in_closed_episodes_only() -> None:
    rows = [[10.0, 20.0, None]] * 40 + [[10.0, 9.0, 8.0]] * 40
    closed, still_open = skipped(scored(*rows), BUILT_IN)["last"], skipped(scored(*rows, closed=None), BUILT_IN)["last"]
    assert closed.found is not None
    assert (closed.found.one, closed.found.other) == (0.0, 1.0)
    assert (still_open.one_n, still_open.other_n) == (0, 0)


@given(st.permutations(range(60)))
def test_the_order_of_sessions_changes_nothing(order: list[int]) -> None:
    frame = scored(*[[9.0, 20.0, None, 8.0, 11.0, 10.0][k:] + [7.0] * k for k in range(6) for _ in range(2)]).head(60)
    assert skipped(frame[order], BUILT_IN) == skipped(frame, BUILT_IN)
    assert cliffs(frame[order], BUILT_IN) == cliffs(frame, BUILT_IN)


def test_an_empty_practice_has_nothing_to_compare() -> None:
    nothing = scored()
    assert cliffs(nothing, BUILT_IN) == []
    assert skipped(nothing, BUILT_IN) == {"next": Compared(None, 0, 0), "last": Compared(None, 0, 0)}


# ------------------------------------------------------------------------------------------------- statuses


def held(*rows: tuple[int, str, date, str]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=STATUSES_HELD, orient="row")


DAY, LATER = date(2026, 2, 10), date(2026, 5, 20)


@pytest.mark.parametrize(
    ("rows", "counted"),
    [
        ([(1, "no_show", DAY, "cancelled_by_clinician")], [(date(2026, 1, 1), "no_show", "cancelled_by_clinician", 1)]),
        ([(1, "booked", DAY, "attended")], []),
        ([(1, "attended", DAY, "attended")], []),  # another column was corrected
        (
            [(1, "no_show", DAY, "no_show"), (1, "attended", LATER, "no_show")],
            [(date(2026, 1, 1), "no_show", "attended", 1), (date(2026, 4, 1), "attended", "no_show", 1)],
        ),
        ([(1, "no_show", date(2027, 1, 1), "attended")], []),  # after the day asked for
        ([], []),
    ],
)
def test_statuses_changed_later_are_counted_by_quarter_and_direction(
    rows: list[tuple[int, str, date, str]], counted: list[Any]
) -> None:
    found = relabelled(held(*rows), date(2026, 11, 20))
    assert found.rows() == counted
    assert found.schema == pl.Schema(RELABELLED)


# ------------------------------------------------------------------------------------------------- words


def test_each_look_says_what_may_be_ordinary_and_what_to_ask() -> None:
    frame = scored(*[[10.0, 20.0, None, 9.0]] * 40, *[[10.0, 9.0, 8.0, 7.0]] * 40)
    changes = relabelled(held((1, "no_show", DAY, "cancelled_by_clinician")), CLOSED)
    blocks = integrity_blocks(cliffs(frame, BUILT_IN), skipped(frame, BUILT_IN), changes, BUILT_IN)
    tables = [one for one in blocks if isinstance(one, Table)]
    assert len(tables) == 3
    assert all("Ordinary reasons:" in one.note and "To ask:" in one.note for one in tables)
    assert tables[2].rows == [["2026, quarter 1", "did not attend, then cancelled by clinician", "1"]]
    assert isinstance(tables[1].rows[0][3], Cell)
    assert tables[1].rows[0][3].text.endswith("points")


def test_too_little_is_said_in_words() -> None:
    nothing = scored()
    blocks = integrity_blocks([], skipped(nothing, BUILT_IN), relabelled(held(), CLOSED), BUILT_IN)
    assert sum(isinstance(one, Para) for one in blocks) == 2
    table = next(one for one in blocks if isinstance(one, Table))
    assert [row[3] for row in table.rows] == [Cell(sub=f"too few: {LEAST} of each are needed")] * 2
