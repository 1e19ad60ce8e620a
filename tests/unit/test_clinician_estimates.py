"""Estimates per clinician: scale, limits and shrinkage; and that ordinary clinicians are rarely called unusual."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.analytics import clinician_estimates as ce
from dashboard.analytics.case_mix import CASES, MEASURES, expectations
from dashboard.analytics.intervals import wilson
from tests.contests.clinicians import Tally, contest
from tests.simulators.clinicians import Practice, practice

COUNTS = MEASURES[:3]


@cache
def found(clinicians: int, tau: float = 0.35, seed: int = 1, unusual: float = 0.0) -> ce.Estimates:
    cases = drawn(clinicians, tau, seed, unusual).cases
    return ce.estimates(cases, expectations(cases))


def drawn(clinicians: int, tau: float = 0.35, seed: int = 1, unusual: float = 0.0) -> Practice:
    return practice(clinicians, tau, seed, unusual=unusual, least_first=100)


@pytest.mark.parametrize("clinicians", [1, 2, 3, 8, 15, 40])
def test_every_clinician_has_every_measure_on_one_scale(clinicians: int) -> None:
    estimates = found(clinicians)
    frame = estimates.clinicians
    assert frame.height == 4 * clinicians
    assert frame.null_count().sum_horizontal().sum() == 0
    assert np.allclose(frame["rate"], frame["observed"] / frame["n"])
    ordered = (
        ("limit998_low", "limit95_low"),
        ("limit95_low", "limit95_high"),
        ("limit95_high", "limit998_high"),
        ("shrunken_low", "shrunken"),
        ("shrunken", "shrunken_high"),
        ("low", "rate"),
        ("rate", "high"),
    )
    for low, high in ordered:
        assert (frame[low] <= frame[high] + 1e-12).all(), (low, high)
    shares = frame.filter(pl.col("measure") != "outcome")
    for column in ("rate", "low", "high", "limit998_low", "limit998_high", "shrunken_low", "shrunken_high"):
        assert shares[column].is_between(0, 1).all(), column
    assert frame["reliability"].is_between(0, 1).all()
    assert estimates.practice["measure"].to_list() == list(MEASURES)


def test_limits_hold_what_is_expected_and_the_interval_is_wilsons() -> None:
    frame = found(15).clinicians
    expected = frame["expected"] / frame["n"]
    assert ((frame["limit95_low"] <= expected) & (expected <= frame["limit95_high"])).all()
    counts = frame.filter(pl.col("measure") == "dropout")
    for observed, n, low, high in counts.select("observed", "n", "low", "high").iter_rows():
        assert (low, high) == wilson(int(observed), n)


def test_estimates_lie_between_what_was_observed_and_what_is_expected() -> None:
    """Nearly: the centre is that of the average clinician, not of the average client."""
    frame = found(40).clinicians.with_columns(middle=pl.col("expected") / pl.col("n"))
    room = 0.03
    low, high = (pl.min_horizontal("rate", "middle") - room, pl.max_horizontal("rate", "middle") + room)
    assert frame.select(pl.col("shrunken").is_between(low, high).mean()).item() > 0.97
    spread = frame.group_by("measure").agg(
        own=(pl.col("rate") - pl.col("middle")).std(), shrunken=(pl.col("shrunken") - pl.col("middle")).std()
    )
    assert (spread["shrunken"] < spread["own"]).all()


def test_more_cases_are_more_reliable_and_less_shrunken() -> None:
    frame = found(40).clinicians.filter(pl.col("measure") == "dropout").sort("n")
    few, many = frame.head(10), frame.tail(10)
    assert few["reliability"].max() < many["reliability"].min()
    width = frame["shrunken_high"] - frame["shrunken_low"]
    assert width.head(10).mean() > width.tail(10).mean()


@pytest.mark.parametrize(("clinicians", "source"), [(1, ce.PUBLISHED), (7, ce.PUBLISHED), (8, ce.LEARNED)])
def test_with_fewer_than_eight_clinicians_tau_is_the_published_one(clinicians: int, source: str) -> None:
    """Science 6.5. Dropout: the root mean square of .4459 and .6887."""
    lines = found(clinicians).practice
    assert set(lines["tau_source"]) == {source}
    if source == ce.PUBLISHED:
        assert lines["tau"].to_list()[:3] == pytest.approx([0.5801, 0.4161, 0.6080], abs=1e-3)


def test_a_clinician_without_a_case_of_the_measure_does_not_count_towards_the_eight() -> None:
    cases = drawn(8).cases.with_columns(
        dropout=pl.when(pl.col("clinician_id") != 3).then("dropout"),
    )
    estimates = ce.estimates(cases, expectations(cases))
    line = estimates.practice.row(0, named=True)
    assert (line["clinicians"], line["tau_source"]) == (7, ce.PUBLISHED)
    row = estimates.clinicians.filter((pl.col("clinician_id") == 3) & (pl.col("measure") == "dropout")).row(
        0, named=True
    )
    assert row["n"] == 0
    assert all(value is None for name, value in row.items() if name not in ("clinician_id", "measure", "n"))


@pytest.mark.parametrize("tau", [0.0, 0.35, 0.7])
def test_tau_is_learned(tau: float) -> None:
    cases = practice(120, tau, 3, cases=(60, 200)).cases
    learned = ce.estimates(cases, expectations(cases)).practice.filter(pl.col("measure") == "reliable_improvement")
    assert learned["tau"][0] == pytest.approx(tau, abs=0.12)


def test_the_range_of_eight_in_ten_holds_eight_in_ten() -> None:
    estimates = found(40)
    for line in estimates.practice.iter_rows(named=True):
        own = estimates.clinicians.filter(pl.col("measure") == line["measure"])
        share = own["shrunken"].is_between(line["range_low"], line["range_high"]).mean()
        assert isinstance(share, float)
        assert 0.6 < share <= 1
        assert line["range_low"] < line["rate"] < line["range_high"]


def test_nobody_is_held_against_a_limit_that_they_moved() -> None:
    """A clinician whose clients leave far more often than any colleague's is found although they also raise the average."""
    estimates = found(15, 0.2, 1, 2.0)
    row = estimates.clinicians.filter((pl.col("clinician_id") == 0) & (pl.col("measure") == "dropout")).row(
        0, named=True
    )
    assert row["rate"] > row["limit998_high"]
    assert estimates.practice.row(0, named=True)["beyond998"] == 1


def test_a_lone_clinician_is_held_against_nobody() -> None:
    for row in found(1).clinicians.iter_rows(named=True):
        assert row["limit95_low"] <= row["rate"] <= row["limit95_high"]
        assert row["limit95_high"] - row["limit95_low"] > 0.4


def test_counts_of_those_not_told_apart_leave_out_the_few() -> None:
    estimates = found(15)
    for line in estimates.practice.iter_rows(named=True):
        own = estimates.clinicians.filter((pl.col("measure") == line["measure"]) & (pl.col("n") >= 10))
        inside = own.filter(pl.col("rate").is_between("limit95_low", "limit95_high")).height
        assert (line["not_told_apart"], line["of"]) == (inside, own.height)


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_next_to_nothing_breaks_nothing(rows: int) -> None:
    cases = drawn(1).cases.head(rows)
    estimates = ce.estimates(cases, expectations(cases))
    assert estimates.clinicians.height == (4 if rows else 0)
    assert estimates.practice["of"].to_list() == [0] * 4
    if rows == 1:
        assert estimates.clinicians.filter(pl.col("measure") == "outcome")["low"].to_list() == [None]


@pytest.mark.parametrize("value", [True, False])
def test_all_or_nobody_dropping_out_leaves_everybody_ordinary(value: bool) -> None:
    cases = drawn(10).cases.with_columns(dropout=pl.lit(value))
    line = ce.estimates(cases, expectations(cases)).practice.row(0, named=True)
    assert (line["not_told_apart"], line["beyond998"]) == (line["of"], 0)
    assert np.isfinite([line["tau"], line["range_low"], line["range_high"]]).all()


@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 10))
def test_order_of_rows_and_nulls_do_not_matter(random, clinicians: int) -> None:
    cases = practice(clinicians, 0.3, 7, cases=(1, 12)).cases
    holes = [random.random() < 0.3 for _ in range(cases.height)]
    cases = cases.with_columns(
        dropout=pl.when(pl.Series(holes)).then(None).otherwise("dropout"),
        latest=pl.when(~pl.Series(holes)).then("latest"),
        improved=pl.when(~pl.Series(holes)).then("improved"),
    )
    order = list(range(cases.height))
    random.shuffle(order)
    shuffled = CASES.check(cases[order])
    one, other = (ce.estimates(frame, expectations(frame)) for frame in (cases, shuffled))
    assert one.clinicians.equals(other.clinicians)
    assert one.practice.equals(other.practice)


def test_ordinary_clinicians_are_rarely_called_unusual() -> None:
    """A fast part of ``python -m tests.contests clinicians``: at most 7 % outside 95 %, 1.5 % outside 99.8 %."""
    together: dict[str, Tally] = {measure: Tally() for measure in MEASURES}
    for (measure, *_), tally in contest((8, 15), (0.0, 0.35), 150, power=False).items():
        together[measure].add(tally)
    for tally in together.values():
        assert tally.share("shipped", 95) <= 0.07
        assert tally.share("shipped", 998) <= 0.015
        assert tally.held / tally.clinicians > 0.9
        assert tally.share("tau2", 95) > tally.share("shipped", 95)
