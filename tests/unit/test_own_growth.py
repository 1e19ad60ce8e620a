"""A clinician's own growth: intervals that hold, nothing from too few, colleagues only as a group."""

from __future__ import annotations

from datetime import date, timedelta
from math import sqrt
from typing import Any

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from dashboard.analytics.own_endings import ENDED, ORDER, SILENT, describes_a_group, own_endings
from dashboard.analytics.own_growth import GAINS, LEAST, beyond_expected, trend, unexpected_gains, upper_edge
from dashboard.analytics.problem_areas import AREAS, RESIDUALS, Spread, area_estimate, problem_areas, weight
from dashboard.contracts import ENDINGS
from dashboard.ui.own_growth_blocks import (
    WORDS,
    area_blocks,
    gain_blocks,
)
from dashboard.ui.view import Block, Cell, Fold, Para, Table

START = date(2024, 1, 10)
HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1))"


def gains(residuals: list[float | None], *, every: int = 40) -> pl.DataFrame:
    rows = [
        {
            "episode_id": n,
            "clinician_id": 1,
            "ended_on": START + timedelta(days=every * n),
            "gain": None if one is None else one + 0.5,
            "gain_expected": None if one is None else 0.5,
        }
        for n, one in enumerate(residuals)
    ]
    return pl.DataFrame(rows, schema=GAINS, orient="row")


def named(frame: pl.DataFrame, area: str | None = "grief") -> pl.DataFrame:
    return frame.with_columns(
        public_id=pl.format("p{}", "episode_id"),
        client_code=pl.lit(HOSTILE),
        problem_area=pl.lit(area, dtype=pl.String),
    )


def tables(blocks: list[Block]) -> list[Table]:
    found = [one for one in blocks if isinstance(one, Table)]
    for one in blocks:
        found += tables(list(one.blocks)) if isinstance(one, Fold) else []
    return found


# ------------------------------------------------------------------------------------------------- problem areas


def test_the_worked_example_of_clinician_by_area() -> None:
    # science, test 27: w_c .6826, theta_c .1365, w_d .2051, theta_cd .0470
    assert weight(40, 0.05, 0.93) == pytest.approx(0.6826, abs=1e-4)
    assert weight(12, 0.02, 0.93) == pytest.approx(0.2051, abs=1e-4)
    assert area_estimate(0.20, 40, None, 0)[0] == pytest.approx(0.1365, abs=1e-4)
    estimate, low, high = area_estimate(0.20, 40, -0.30, 12)
    assert estimate == pytest.approx(0.0470, abs=1e-4)
    assert low < estimate < high


@pytest.mark.parametrize(("n", "shown"), [(1, False), (46, False), (47, True), (200, True)])
def test_an_estimate_is_shown_from_47_measured_episodes_on(n: int, shown: bool) -> None:
    frame = pl.DataFrame(
        [{"episode_id": i, "clinician_id": 1, "area": "grief", "residual": 0.1} for i in range(n)]
        + [{"episode_id": 999, "clinician_id": 1, "area": "grief", "residual": None}],
        schema=RESIDUALS,
        orient="row",
    )
    row = problem_areas(frame).row(0, named=True)
    assert (row["shown"], row["episodes"], row["measured"]) == (shown, n + 1, n)
    assert (row["estimate"] is not None, row["low"] is not None, row["high"] is not None) == (shown,) * 3
    table = tables(area_blocks(problem_areas(frame)))[0]
    assert table.rows[0][1] == f"experience ({n + 1})"
    assert isinstance(table.rows[0][2], Cell)
    assert (table.rows[0][2].text != "") is shown


def test_the_interval_of_an_area_holds_the_truth_nineteen_times_in_twenty() -> None:
    draw = np.random.default_rng(1)
    spread, inside, trials = Spread(), 0, 4000
    for _ in range(trials):
        level = draw.normal(0, sqrt(spread.clinician))
        truth = level + draw.normal(0, sqrt(spread.area), 3)
        seen = [t + draw.normal(0, sqrt(spread.rest), 60) for t in truth]
        _, low, high = area_estimate(float(np.mean(seen)), 180, float(np.mean(seen[0])), 60)
        inside += low <= truth[0] <= high
    assert 0.93 <= inside / trials <= 0.97


@given(st.permutations(range(12)), st.integers(0, 11))
def test_order_and_missing_values_change_no_area(order: list[int], missing: int) -> None:
    rows: list[dict[str, Any]] = [
        {"episode_id": n, "clinician_id": n % 2, "area": None if n == missing else "ab"[n % 3 // 2], "residual": n / 10}
        for n in range(12)
    ]
    rows[missing]["residual"] = None
    one = problem_areas(pl.DataFrame([rows[n] for n in order], schema=RESIDUALS, orient="row"))
    assert one.equals(problem_areas(pl.DataFrame(rows, schema=RESIDUALS, orient="row")))
    assert one.schema == pl.Schema(AREAS)


def test_a_clinician_without_any_measured_episode_has_experience_only() -> None:
    frame = pl.DataFrame(
        [{"episode_id": 1, "clinician_id": 1, "area": HOSTILE, "residual": None}], schema=RESIDUALS, orient="row"
    )
    row = problem_areas(frame).row(0, named=True)
    assert (row["episodes"], row["measured"], row["estimate"]) == (1, 0, None)
    assert tables(area_blocks(problem_areas(frame)))[0].rows[0][0] == Cell(HOSTILE)
    assert isinstance(area_blocks(problem_areas(frame.clear()))[1], Para)


# ------------------------------------------------------------------------------------------------- trend


def test_the_slope_is_that_of_least_squares() -> None:
    draw = np.random.default_rng(2)
    values = draw.normal(0, 1, 30).tolist()
    found = trend(gains(values))
    assert found.slope is not None
    x = np.arange(30) * 40 / 365.25
    fitted = sm.OLS(np.array(values), sm.add_constant(x)).fit()
    assert found.slope.per_year == pytest.approx(fitted.params[1])
    assert (found.slope.low, found.slope.high) == pytest.approx(tuple(fitted.conf_int()[1]))


@pytest.mark.parametrize(
    ("measured", "every", "blocks", "slope"),
    [(0, 40, False, False), (9, 100, False, False), (10, 41, True, True), (10, 10, True, False), (40, 1, True, False)],
)
def test_too_few_or_too_close_together_say_nothing(measured: int, every: int, blocks: bool, slope: bool) -> None:
    found = trend(gains([*[0.1 * (-1) ** n for n in range(measured)], None, None], every=every))
    assert (found.blocks.height > 0, found.slope is not None) == (blocks, slope)
    assert bool(found.why) is not slope
    if not blocks:
        assert f"{measured} of {LEAST}" in found.why


def test_half_years_begin_in_january_and_july_and_share_one_spread() -> None:
    found = trend(gains([0.1, -0.1] * 6, every=45))
    assert [one.month in (1, 7) and one.day == 1 for one in found.blocks["half"]] == [True] * found.blocks.height
    assert found.blocks["n"].sum() == 12
    widths = (found.blocks["high"] - found.blocks["low"]) * found.blocks["n"].sqrt()
    assert widths.to_list() == pytest.approx([widths[0]] * found.blocks.height)


@given(st.permutations(range(14)))
def test_the_order_of_episodes_changes_no_trend(order: list[int]) -> None:
    frame = gains([0.1 * (n % 5) if n % 4 else None for n in range(14)])
    one, other = trend(frame[order]), trend(frame)
    assert one.blocks.equals(other.blocks)
    assert one.slope == other.slope


# ------------------------------------------------------------------------------------------------- gains to learn from


def test_one_in_ten_of_the_practice_is_beyond_the_edge_and_nobody_in_a_small_one() -> None:
    everyone = gains([n / 10 for n in range(41)])
    edge = upper_edge(everyone)
    assert edge == pytest.approx(3.6)
    assert unexpected_gains(everyone, edge)["residual"].to_list() == pytest.approx([4.0, 3.9, 3.8, 3.7])
    assert upper_edge(everyone.head(29)) is None
    assert unexpected_gains(everyone, None).is_empty()


def test_gains_carry_a_link_and_a_question_and_text_stays_text() -> None:
    table = tables(gain_blocks(named(gains([0.0, 2.0, None])), 1.0))[0]
    assert table.rows == [
        [Cell(HOSTILE, href="episode?episode=p1"), "19 Feb 2024", Cell("+2.50", sub="expected +0.50"), "What helped?"]
    ]
    assert isinstance(gain_blocks(named(gains([0.0])), 1.0)[1], Para)
    assert isinstance(gain_blocks(named(gains([9.0])), None)[1], Para)


def test_what_is_not_measured_is_left_out() -> None:
    assert beyond_expected(gains([None, 0.2]))["episode_id"].to_list() == [1]


# ------------------------------------------------------------------------------------------------- ways of ending


def counted(own: dict[str | None, int], others: list[dict[str | None, int]]) -> pl.DataFrame:
    rows = [(who, ending, n) for who, one in enumerate([own, *others]) for ending, n in one.items()]
    schema = {"clinician_id": pl.Int64(), "ending": pl.String(), "episodes": pl.Int64()}
    return pl.DataFrame(rows, schema=schema, orient="row")


FIVE: list[dict[str | None, int]] = [{"planned": 6} for _ in range(5)]


@pytest.mark.parametrize(
    ("others", "shown"),
    [
        ([], False),
        (FIVE, True),
        (FIVE[:4], False),
        ([{"planned": 5}, *FIVE[:4]], False),
        ([{"planned": 20}, *FIVE[:4]], True),
        ([{"planned": 25}, *FIVE[:4]], False),
        ([{"planned": 10}] * 4, False),
        ([{"planned": 10}] * 4 + [{"planned": 0}], False),
    ],
)
def test_colleagues_are_shown_only_as_a_group(others: list[dict[str | None, int]], shown: bool) -> None:
    frame = counted({"planned": 3, None: 2}, others)
    found = own_endings(frame, 0)
    assert (found["practice_share"].null_count() == 0) is shown
    assert found["n"].to_list() == [3, 2]
    assert found["ending"].to_list() == ["planned", "unknown"]
    assert describes_a_group(frame.filter(pl.col("clinician_id") != 0)) is shown


def test_an_ending_only_colleagues_had_stands_with_a_nought() -> None:
    found = own_endings(counted({SILENT: 3}, [{"planned": 5, "moved": 1} for _ in range(5)]), 0)
    assert found.rows() == [
        ("planned", 0, pytest.approx(25 / 30)),
        ("moved", 0, pytest.approx(5 / 30)),
        (SILENT, 3, 0.0),
    ]
    assert own_endings(counted({}, FIVE), 0).schema == pl.Schema(ENDED)


def test_every_way_of_ending_has_words() -> None:
    assert set(WORDS) == {*ENDINGS, SILENT} == set(ORDER)


@given(st.lists(st.sampled_from(ORDER), min_size=1, max_size=20), st.integers(0, 6))
def test_shares_sum_to_one_wherever_they_are_shown(endings: list[str], colleagues: int) -> None:
    counts: dict[str | None, int] = {one: endings.count(one) for one in endings}
    found = own_endings(counted(counts, [counts] * colleagues), 0)
    assert found["n"].sum() == len(endings)
    if found["practice_share"].null_count() == 0:
        assert found["practice_share"].sum() == pytest.approx(1)
        assert colleagues >= 5
