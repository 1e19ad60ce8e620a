"""The run chart: which quarters count, Laney's limits worked by hand, and each rule by a table."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.analytics import run_chart as rc

SCHEMA = {"ended_on": pl.Date, "improved": pl.Boolean}


def quarters(*counts: tuple[int, int], first: int = 2019) -> pl.DataFrame:
    """Part and whole of every quarter from the first of a year."""
    rows = [
        (date(first + k // 4, 3 * (k % 4) + 2, 10), one < part)
        for k, (part, n) in enumerate(counts)
        for one in range(n)
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def drawn(frame: pl.DataFrame) -> pl.DataFrame:
    return rc.run_chart(frame, date(2030, 1, 1)).filter(pl.col("n") > 0)


def test_limits_are_laneys_worked_by_hand() -> None:
    """Laney 2002: chance's sd .005, z -4, 4, 0, moving ranges 8 and 4, sigma_z = 6 / 1.128, half the width 3 * .005 * 5.3191."""
    low, high = rc.limits(np.full(3, 10_000.0), np.array([0.48, 0.52, 0.50]), 0.5)
    assert low == pytest.approx([0.420213] * 3, abs=1e-6)
    assert high == pytest.approx([0.579787] * 3, abs=1e-6)


def test_limits_widen_where_fewer_were_measured() -> None:
    low, high = rc.limits(np.array([25.0, 100.0]), np.array([0.5, 0.5]), 0.5)
    assert list(low) + list(high) == pytest.approx([0.2, 0.35, 0.8, 0.65])


def test_quarters_that_lie_closer_than_chance_do_not_narrow_the_limits() -> None:
    low, high = rc.limits(np.full(10, 100.0), np.full(10, 0.5), 0.5)
    assert (low[0], high[0]) == pytest.approx((0.35, 0.65))


@pytest.mark.parametrize(
    ("as_of", "lag", "last"),
    [
        (date(2019, 6, 30), 0, date(2019, 1, 1)),
        (date(2019, 7, 1), 0, date(2019, 4, 1)),
        (date(2019, 7, 1), 42, date(2019, 1, 1)),
        (date(2019, 8, 12), 42, date(2019, 4, 1)),
        (date(2019, 3, 31), 0, None),
    ],
)
def test_a_quarter_counts_once_it_is_over_and_silence_has_been_noticed(
    as_of: date, lag: int, last: date | None
) -> None:
    found = rc.run_chart(quarters((3, 10), (4, 10), (5, 10)), as_of, lag)
    assert (found["quarter_start"].max() if found.height else None) == last


def test_a_quarter_without_measured_episodes_is_a_gap() -> None:
    found = rc.run_chart(quarters((3, 10), (0, 0), (5, 10)), date(2019, 12, 31))
    assert found["n"].to_list() == [10, 0, 10]
    assert found.row(1, named=True) == {
        "quarter_start": date(2019, 4, 1),
        "n": 0,
        "part": 0,
        "share": None,
        "centre": 0.4,
        "low": None,
        "high": None,
        "provisional": True,
        "special": None,
    }


def test_nulls_are_not_counted_and_nothing_gives_an_empty_chart() -> None:
    rows = [(None, True), (date(2019, 1, 5), None), (date(2019, 1, 5), True)]
    assert drawn(pl.DataFrame(rows, schema=SCHEMA, orient="row"))["n"].to_list() == [1]
    empty = rc.run_chart(pl.DataFrame(schema=SCHEMA), date(2020, 1, 1))
    assert empty.schema == pl.Schema(rc.RUN_CHART)
    assert empty.is_empty()


@pytest.mark.parametrize(("count", "provisional"), [(1, True), (12, True), (13, False)])
def test_limits_are_provisional_under_thirteen_points(count: int, provisional: bool) -> None:
    assert drawn(quarters(*[(5, 10)] * count))["provisional"].unique().to_list() == [provisional]


@pytest.mark.parametrize("part", [0, 10])
def test_all_or_nobody_improved_is_no_signal(part: int) -> None:
    found = drawn(quarters(*[(part, 10)] * 8))
    assert found["special"].null_count() == 8
    assert found["low"].to_list() == found["high"].to_list() == [part / 10] * 8


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([20, 21] * 6, [None] * 12),
        ([20, 21] * 3 + [40] + [20, 21] * 3, [None] * 6 + ["beyond_limits"] + [None] * 6),
        ([18, 19] * 4 + [23, 22, 23, 22, 23, 22], ["shift"] * 8 + [None] * 6),
        ([22, 18, 19, 20, 21, 22, 23, 24, 19], [None] + ["trend"] * 7 + [None]),
        ([22, 24, 23, 22, 21, 20, 19, 18, 22], [None] + ["trend"] * 7 + [None]),
        ([22, 18, 19, 20, 20, 22, 23, 24, 19], [None] * 9),
        ([22, 18, 19, 20, 21, 22, 23, 19], [None] * 8),
    ],
    ids=["steady", "a point beyond", "seven on one side", "seven rising", "seven falling", "a tie ends it", "only six"],
)
def test_each_rule(parts: list[int], expected: list[str | None]) -> None:
    assert drawn(quarters(*[(part, 40) for part in parts]))["special"].to_list() == expected


def test_every_rule_names_its_source() -> None:
    assert all("NHS" in words for words in rc.RULES.values())


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(random: object) -> None:
    frame = quarters((3, 9), (0, 0), (5, 11), (2, 3))
    order = list(range(frame.height))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert rc.run_chart(frame[order], date(2030, 1, 1)).equals(rc.run_chart(frame, date(2030, 1, 1)))
