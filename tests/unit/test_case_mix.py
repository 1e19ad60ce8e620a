"""Expectations without a clinician: what they learn, what they leave alone, and what little data does to them."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.analytics.case_mix import ADJUSTERS, CASES, EXPECTED, LEAST, MEASURES, baseline_sd, expectations
from dashboard.analytics.newton import chance
from dashboard.errors import ContractError
from dashboard.instruments import BUILT_IN
from tests.simulators.clinicians import practice


def case(number: int, **changed: object) -> dict[str, object]:
    return {
        "episode_id": number,
        "clinician_id": number % 3,
        "ended_on": date(2025, 1, 1),
        "instrument": "phq9",
        "direction": -1,
        "baseline": 10.0 + number % 9,
        "latest": 8.0 + number % 7,
        "dropout": number % 4 == 0,
        "improved": number % 2 == 0,
        "worsened": number % 11 == 0,
    } | changed


def cases(count: int, **changed: object) -> pl.DataFrame:
    return CASES.from_rows([case(number, **changed) for number in range(count)])


def test_the_model_finds_what_made_the_difference() -> None:
    drawn = practice(30, 0.0, 4, cases=(200, 200))
    found = expectations(drawn.cases)
    for column, measure in (("dropout_expected", "dropout"), ("improved_expected", "improved")):
        true = chance(drawn.offsets[measure])
        assert np.abs(found.frame[column].to_numpy() - true).mean() < 0.02
    assert np.corrcoef(found.frame["gain_expected"].to_numpy(), drawn.offsets["outcome"])[0, 1] > 0.99
    assert found.adjusted_for["dropout"] == ("first score", "age")


def test_expected_add_up_to_observed() -> None:
    drawn = practice(12, 0.4, 2)
    frame = expectations(drawn.cases).frame
    for observed, expected in (("dropout", "dropout"), ("improved", "improved"), ("worsened", "worsened")):
        total = drawn.cases[observed].sum()
        assert frame[f"{expected}_expected"].sum() == pytest.approx(total, abs=0.6)  # the one made-up case
    assert frame["gain_expected"].sum() == pytest.approx(frame["gain"].sum())


@pytest.mark.parametrize(
    ("dropouts", "count", "expected"),
    [(0, 1, 0.0985), (1, 1, 0.5985), (0, 9, 0.0197), (2, 9, 0.2197)],
)
def test_few_cases_are_expected_to_be_like_the_others(dropouts: int, count: int, expected: float) -> None:
    """The base rate with one made-up case of 19.7 % (Swift & Greenberg 2012); nothing to adjust for under LEAST."""
    frame = cases(count).with_columns(dropout=pl.int_range(pl.len()) < dropouts)
    found = expectations(frame)
    assert found.frame["dropout_expected"].to_list() == pytest.approx([expected] * count)
    assert all(not used for used in found.adjusted_for.values())


def test_one_more_case_changes_little() -> None:
    """No cliff where the terms come in."""
    before, after = (expectations(cases(count)).frame["dropout_expected"].to_numpy() for count in (LEAST - 1, LEAST))
    assert np.abs(after[:-1] - before).max() < 0.1


def test_nothing_ended_gives_an_empty_frame() -> None:
    found = expectations(CASES.empty())
    assert found.frame.schema == pl.Schema(EXPECTED.schema)
    assert found.n == dict.fromkeys(MEASURES, 0)


def test_all_and_nobody_are_expected_almost_surely_and_never_quite() -> None:
    for dropped in (True, False):
        p = expectations(cases(200, dropout=dropped)).frame["dropout_expected"]
        assert p.is_between(0, 1, closed="none").all()
        assert abs(p.mean() - dropped) < 0.01  # type: ignore[operator]


def test_a_measure_is_null_where_it_is_not_known() -> None:
    frame = CASES.from_rows(
        [case(n) for n in range(40)]
        + [case(40, dropout=None), case(41, improved=None, worsened=None, latest=None), case(42, instrument=None)]
    )
    found = expectations(frame)
    nulls = {column: [n for n, one in enumerate(found.frame[column]) if one is None] for column in found.frame.columns}
    assert nulls == {
        "episode_id": [],
        "clinician_id": [],
        "dropout_expected": [40],
        "improved_expected": [41],
        "worsened_expected": [41],
        "gain": [41, 42],
        "gain_expected": [41, 42],
    }
    assert found.n == {"dropout": 42, "reliable_improvement": 42, "reliable_worsening": 42, "outcome": 41}


@pytest.mark.parametrize(
    ("column", "value", "adjuster"),
    [
        ("age", lambda n: 20.0 + n % 40, "age"),
        ("problems", lambda n: n % 4, "number of problem areas"),
        ("kind", lambda n: "couple" if n % 3 else "individual", "kind of therapy"),
        ("waiting_days", lambda n: n % 50, "waiting time"),
        ("instrument", lambda n: "gad7" if n % 3 else "phq9", "which questionnaire"),
    ],
)
def test_a_term_is_used_once_it_is_known_of_enough_and_varies(column: str, value, adjuster: str) -> None:
    def used(rows: list[dict[str, object]]) -> tuple[str, ...]:
        return expectations(CASES.from_rows(rows)).adjusted_for["reliable_improvement"]

    assert adjuster in used([case(n, **{column: value(n)}) for n in range(60)])
    assert adjuster not in used([case(n, **{column: value(0)}) for n in range(60)])
    few = [case(n, **({column: value(n)} if n < LEAST - 1 else {})) for n in range(60)]
    assert adjuster not in used(few)


def test_a_second_questionnaire_counts_whichever_end_is_better() -> None:
    draw = np.random.default_rng(2)
    second = draw.normal(12, 4, 400)
    better = draw.random(400) < chance(0.9 * (second - 12) / 4)
    rows = [
        case(n, second_instrument="x", second_baseline=float(second[n]), improved=bool(better[n])) for n in range(400)
    ]
    found = expectations(CASES.from_rows(rows))
    assert "first score on a second questionnaire" in found.adjusted_for["reliable_improvement"]
    assert np.corrcoef(found.frame["improved_expected"].to_numpy(), second)[0, 1] > 0.9


def test_what_is_printed_comes_from_a_closed_list_without_protected_or_later_facts() -> None:
    words = " ".join(ADJUSTERS)
    assert not any(no in words for no in ("sex", "gender", "ethnic", "alliance", "missed", "risk", "session"))
    everything = CASES.from_rows([case(n, age=20.0 + n, kind="couple" if n % 2 else "group") for n in range(60)])
    assert all(set(used) <= set(ADJUSTERS) for used in expectations(everything).adjusted_for.values())


def test_having_no_first_score_is_not_held_against_the_clinician() -> None:
    """Who leaves at once has none: adjusting for it would explain dropout by dropout."""
    rows = [case(n) for n in range(60)] + [case(60 + n, baseline=None, latest=None, dropout=True) for n in range(60)]
    found = expectations(CASES.from_rows(rows)).frame["dropout_expected"].to_numpy()
    assert np.abs(found[60:] - found[:60].mean()).max() < 0.05


def test_gain_is_in_sd_of_own_first_scores_then_of_the_published_norm_then_not_at_all() -> None:
    own = cases(30)
    assert baseline_sd(own, BUILT_IN)["phq9"] == pytest.approx(own["baseline"].std())
    few = cases(LEAST - 1)
    assert baseline_sd(few, BUILT_IN).get("phq9") == BUILT_IN["phq9"].sd_clinical
    normed = next(one for one in BUILT_IN.values() if one.sd_clinical)
    assert baseline_sd(cases(3, instrument=normed.key), BUILT_IN) == {normed.key: normed.sd_clinical}
    assert baseline_sd(cases(3, instrument="unheard of"), BUILT_IN) == {}
    assert expectations(cases(3, instrument="unheard of")).frame["gain"].null_count() == 3


@pytest.mark.parametrize(("direction", "latest", "better"), [(-1, 5.0, True), (-1, 30.0, False), (1, 30.0, True)])
def test_a_gain_is_positive_where_the_client_is_better(direction: int, latest: float, better: bool) -> None:
    gain = expectations(cases(20, direction=direction, latest=latest)).frame["gain"]
    assert (gain > 0).all() is better


def test_a_repeated_episode_is_refused() -> None:
    with pytest.raises(ContractError, match="repeat the key"):
        expectations(pl.concat([cases(3), cases(1)]))


optional = {
    "baseline": st.none() | st.integers(0, 27).map(float),
    "latest": st.none() | st.integers(0, 27).map(float),
    "dropout": st.none() | st.booleans(),
    "improved": st.none() | st.booleans(),
    "worsened": st.none() | st.booleans(),
    "age": st.none() | st.integers(16, 90).map(float),
    "problems": st.none() | st.integers(0, 5),
    "kind": st.none() | st.sampled_from(("individual", "couple")),
    "waiting_days": st.none() | st.integers(0, 90),
    "instrument": st.none() | st.sampled_from(("phq9", "core10")),
    "second_instrument": st.none() | st.just("gad7"),
    "second_baseline": st.none() | st.integers(0, 21).map(float),
}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.fixed_dictionaries(optional), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_any_nulls_and_any_order_give_the_same_chances(rows: list[dict[str, object]], random) -> None:
    frame = CASES.from_rows([case(number, **row) for number, row in enumerate(rows)])
    order = list(range(len(rows)))
    random.shuffle(order)
    found, again = expectations(frame), expectations(frame[order])
    assert found.frame.equals(again.frame)
    assert found.adjusted_for == again.adjusted_for
    for column in ("dropout_expected", "improved_expected", "worsened_expected"):
        assert found.frame[column].drop_nulls().is_between(0, 1, closed="none").all()
