"""Cumulative incidence with competing endings, against worked numbers, two independent computations and simulation."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.analytics.ending_rules import AS_AGREED, LEFT, NOT_KNOWN_YET, OTHERWISE
from dashboard.analytics.intervals import wilson
from dashboard.analytics.retention import CAUSES, COURSE, FEWEST_AT_RISK, cumulative_incidence

Pairs = Sequence[tuple[int, str]]
WORKED: Pairs = [
    (1, LEFT), (1, AS_AGREED), (2, LEFT), (2, NOT_KNOWN_YET), (3, AS_AGREED), (3, LEFT), (4, OTHERWISE), (4, NOT_KNOWN_YET),
    (5, AS_AGREED), (5, AS_AGREED),
]  # fmt: skip


def frame(pairs: Sequence[tuple[int | None, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema={"session": pl.Int64, "outcome": pl.String}, orient="row")


def test_the_worked_example_comes_out_as_by_hand() -> None:
    # S: 1, .8, .8 * 6/7, * 4/6, * 2/3, 0; the open ones leave the risk set before the session that was their latest
    found = cumulative_incidence(frame(WORKED)).table
    assert found["had"].to_list() == [10, 8, 6, 4, 2]
    assert found["not_known_yet"].to_list() == [0, 1, 0, 1, 0]
    assert found["at_risk"].to_list() == [10, 7, 6, 3, 2]
    assert found["share_left"].to_list() == pytest.approx([0.1, 0.214286, 0.328571, 0.328571, 0.328571], abs=1e-6)
    assert found["share_agreed"].to_list() == pytest.approx([0.1, 0.1, 0.214286, 0.214286, 0.519048], abs=1e-6)
    assert found["share_otherwise"].to_list() == pytest.approx([0, 0, 0, 0.152381, 0.152381], abs=1e-6)


def test_treating_agreed_endings_as_censored_would_overstate_leaving_early() -> None:
    competing = cumulative_incidence(frame(WORKED)).table["share_left"][-1]
    alone = cumulative_incidence(frame([(t, w if w == LEFT else NOT_KNOWN_YET) for t, w in WORKED])).table["share_left"]
    assert alone.drop_nulls()[-1] > competing


def redistributed(pairs: Pairs) -> dict[tuple[int, str], Fraction | None]:
    """Efron's other road to the same estimate: an open episode hands its weight to those whose session is known."""
    weight = {at: Fraction(1, len(pairs)) for at in range(len(pairs))}
    total = dict.fromkeys(CAUSES, Fraction(0))
    found: dict[tuple[int, str], Fraction | None] = {}
    for session in range(1, max(t for t, _ in pairs) + 1):
        here = [at for at, (t, _) in enumerate(pairs) if t >= session]
        open_now = [at for at in here if pairs[at] == (session, NOT_KNOWN_YET)]
        heirs = [at for at in here if at not in open_now]
        handed = sum((weight[at] for at in open_now), Fraction(0))
        for at in heirs:
            weight[at] += handed / len(heirs)
        for at in heirs:
            t, outcome = pairs[at]
            if t == session:
                total[outcome] += weight[at]
        for name in CAUSES:
            found[session, name] = total[name] if heirs else None
    return found


EPISODES = st.lists(st.tuples(st.integers(1, 9), st.sampled_from([*CAUSES, NOT_KNOWN_YET])), min_size=1, max_size=40)


@settings(max_examples=150, deadline=None)
@given(EPISODES)
def test_it_agrees_with_handing_on_the_weight_of_open_episodes(pairs: Pairs) -> None:
    table = cumulative_incidence(frame(pairs)).table
    expected = redistributed(pairs)
    for row in table.to_dicts():
        for name in CAUSES:
            wanted = expected[row["session"], name]
            assert row[f"share_{name}"] == (None if wanted is None else pytest.approx(float(wanted), abs=1e-9))


@settings(max_examples=150, deadline=None)
@given(EPISODES)
def test_the_counts_add_up_and_the_limits_hold_the_share(pairs: Pairs) -> None:
    course = cumulative_incidence(frame(pairs))
    rows = course.table.to_dicts()
    assert rows[0]["had"] == len(pairs) == course.episodes
    assert course.ended == sum(outcome != NOT_KNOWN_YET for _, outcome in pairs)
    for before, after in pairwise(rows):
        assert after["had"] == before["at_risk"] - sum(before[name] for name in CAUSES)
    for row in rows:
        assert row["had"] == row["at_risk"] + row["not_known_yet"]
        shares = [row[f"share_{name}"] for name in CAUSES]
        if None not in shares:
            assert sum(shares) <= 1 + 1e-9
        for name in CAUSES:
            if row[f"low_{name}"] is not None:
                assert 0 <= row[f"low_{name}"] <= row[f"share_{name}"] + 1e-12
                assert row[f"share_{name}"] - 1e-12 <= row[f"high_{name}"] <= 1


@settings(max_examples=60, deadline=None)
@given(EPISODES, st.randoms())
def test_the_order_of_the_rows_changes_nothing(pairs: list[tuple[int, str]], shuffler: object) -> None:
    other = list(pairs)
    shuffler.shuffle(other)  # type: ignore[attr-defined]
    assert cumulative_incidence(frame(pairs)).table.equals(cumulative_incidence(frame(other)).table)


def error_of(row: dict[str, float], name: str) -> float:
    """Back from the upper limit to the standard error (log(-log) scale)."""
    share, high = row[f"share_{name}"], row[f"high_{name}"]
    return float(np.log(np.log(share) / np.log(high)) * abs(share * np.log(share)) / 1.959963984540054)


def test_without_open_episodes_the_variance_is_the_binomial_one() -> None:
    pairs = [pair for pair in WORKED if pair[1] != NOT_KNOWN_YET]
    for row in cumulative_incidence(frame(pairs)).table.to_dicts():
        for name in CAUSES:
            if row[f"low_{name}"] is not None:
                share = row[f"share_{name}"]
                assert error_of(row, name) == pytest.approx((share * (1 - share) / len(pairs)) ** 0.5, abs=1e-9)


def test_with_open_episodes_the_variance_is_that_of_the_delta_method_by_finite_differences() -> None:
    table = cumulative_incidence(frame(WORKED)).table
    at_risk = table["at_risk"].to_numpy().astype(float)
    hazards = table.select(CAUSES).to_numpy() / at_risk[:, None]

    def share(of: np.ndarray, cause: int, upto: int) -> float:
        coming, total = 1.0, 0.0
        for session in of[: upto + 1]:
            total += coming * session[cause]
            coming *= 1 - session.sum()
        return total

    step = 1e-6
    for upto in range(len(at_risk)):
        for cause, name in enumerate(CAUSES):
            if table[f"low_{name}"][upto] is None:
                continue
            variance = 0.0
            for at in range(upto + 1):
                gradient = np.zeros(len(CAUSES))
                for other in range(len(CAUSES)):
                    up, down = hazards.copy(), hazards.copy()
                    up[at, other] += step
                    down[at, other] -= step
                    gradient[other] = (share(up, cause, upto) - share(down, cause, upto)) / (2 * step)
                spread = (np.diag(hazards[at]) - np.outer(hazards[at], hazards[at])) / at_risk[at]
                variance += gradient @ spread @ gradient
            assert error_of(table.row(upto, named=True), name) == pytest.approx(variance**0.5, abs=1e-6)


def test_the_interval_holds_the_truth_about_19_times_in_20() -> None:
    draw = np.random.default_rng(7)
    leave, agree, upto, held, runs = 0.06, 0.05, 6, 0, 300
    coming = (1 - leave - agree) ** np.arange(upto)
    truth = float((coming * leave).sum())
    for _ in range(runs):
        ends = draw.geometric(leave + agree, 150)
        how = np.where(draw.random(150) < leave / (leave + agree), LEFT, AS_AGREED)
        seen = draw.integers(1, 16, 150)
        pairs = [(int(min(t, s)), str(w) if t < s else NOT_KNOWN_YET) for t, s, w in zip(ends, seen, how, strict=True)]
        row = cumulative_incidence(frame(pairs)).table.row(upto - 1, named=True)
        held += row["low_left"] <= truth <= row["high_left"]
    assert 0.92 <= held / runs <= 0.98


def test_no_episode_gives_no_row_and_keeps_the_types() -> None:
    course = cumulative_incidence(frame([]))
    assert course.table.is_empty()
    assert course.table.schema == COURSE
    assert (course.episodes, course.ended) == (0, 0)
    assert course.drawn.is_empty()


@pytest.mark.parametrize(("outcome", "share", "ended"), [(LEFT, 1.0, 1), (AS_AGREED, 0.0, 1), (NOT_KNOWN_YET, None, 0)])
def test_one_episode_has_one_row_per_session_and_no_curve(outcome: str, share: float | None, ended: int) -> None:
    course = cumulative_incidence(frame([(3, outcome)]))
    assert course.table["session"].to_list() == [1, 2, 3]
    assert course.table["share_left"].to_list() == [0.0, 0.0, share]
    assert course.ended == ended
    assert course.drawn.is_empty()


def test_what_cannot_be_judged_and_what_never_began_is_left_out() -> None:
    course = cumulative_incidence(frame([(0, NOT_KNOWN_YET), (None, LEFT), (4, None), (1, LEFT), (2, AS_AGREED)]))
    assert course.episodes == 2
    assert course.table["had"].to_list() == [2, 1]


def test_the_curve_stops_where_fewer_than_five_remain_at_risk() -> None:
    pairs = [(1, LEFT)] * 3 + [(2, AS_AGREED)] * 2 + [(3, LEFT), (4, LEFT), (6, NOT_KNOWN_YET), (6, LEFT)]
    course = cumulative_incidence(frame(pairs))
    assert course.table["at_risk"].to_list() == [9, 6, 4, 3, 2, 1]
    assert course.drawn["session"].to_list() == [1, 2]
    assert course.drawn["at_risk"].min() >= FEWEST_AT_RISK


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(part: int, whole: int, low: float, high: float) -> None:
    # Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3
    assert wilson(part, whole) == pytest.approx((low, high), abs=5e-5)


def test_wilson_of_all_reaches_one_and_of_nothing_is_nothing() -> None:
    assert wilson(0, 0) is None
    found = wilson(20, 20)
    assert found is not None
    assert found[1] == 1.0
    assert found[0] == pytest.approx(1 - 0.1611, abs=5e-5)
