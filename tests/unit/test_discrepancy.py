"""Client and therapist rating the same session (science 4.6)."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from dashboard.analytics.discrepancy import DISCREPANCY_SCHEMA, against_practice, discrepancy
from dashboard.analytics.scoring import totals
from dashboard.contracts import SCORES, TOTALS
from tests.building import INSTRUMENTS, one_row, scores, week

CLIENT = [5.5, 5.6, 5.2, 5.8, 5.9]
THERAPIST = [5.0, 5.2, 4.9, 5.5, 5.7]


def found(*parts: list[dict[str, Any]]) -> pl.DataFrame:
    rows = [row for part in parts for row in part]
    return discrepancy(totals(SCORES.from_rows(rows), INSTRUMENTS), INSTRUMENTS)


def test_mean_difference_and_correlation_of_the_worked_example() -> None:
    """Worked example 35: D = .34 points (of 6), r = .9505."""
    got = one_row(found(scores(CLIENT, "arm5"), scores(THERAPIST, "arm5", respondent="clinician")))
    assert got["difference"] * 6 == pytest.approx(0.34)
    assert got["correlation"] == pytest.approx(0.9505, abs=1e-4)
    assert (got["pairs"], got["latest_pair_on"], got["instrument"]) == (5, week(4), "arm5")


def test_under_five_pairs_neither_is_stated() -> None:
    got = one_row(found(scores(CLIENT, "arm5"), scores(THERAPIST[:4], "arm5", respondent="clinician")))
    assert (got["pairs"], got["difference"], got["correlation"]) == (4, None, None)


def test_only_sessions_of_the_same_day_pair() -> None:
    late = scores(THERAPIST, "arm5", respondent="clinician", first=week(1))
    assert one_row(found(scores(CLIENT, "arm5"), late))["pairs"] == 4


def test_without_a_therapist_rating_there_is_no_row() -> None:
    assert found(scores(CLIENT, "arm5")).is_empty()
    assert discrepancy(TOTALS.empty(), INSTRUMENTS).schema == DISCREPANCY_SCHEMA


def test_a_rater_who_never_varies_has_no_correlation() -> None:
    got = one_row(found(scores([6.0] * 5, "arm5"), scores(THERAPIST, "arm5", respondent="clinician")))
    assert got["correlation"] is None
    assert got["difference"] is not None


def test_the_therapist_form_pairs_with_the_clients_and_yields_to_the_same_instrument() -> None:
    client = scores([48.0] * 5, "wai_sr")
    form = scores([36.0] * 5, "wai_sr_t", respondent="clinician")
    same = scores([60.0, None, None, None, None], "wai_sr", respondent="clinician")
    assert one_row(found(client, form))["difference"] == pytest.approx(12 / 48)
    assert one_row(found(client, form, same))["difference"] == pytest.approx((4 * 12 - 12) / 5 / 48)


def practice(differences: list[float | None]) -> pl.DataFrame:
    rows = [
        {"episode_id": place, "instrument": "srs", "pairs": 5, "difference": difference}
        for place, difference in enumerate(differences)
    ]
    return against_practice(pl.DataFrame(rows, schema=DISCREPANCY_SCHEMA))


def test_a_difference_is_worth_reflecting_on_where_sign_and_size_stand_out() -> None:
    usual = [0.10, 0.09, 0.11, 0.10, 0.08, 0.12, 0.10, 0.09, 0.11, 0.10, 0.10]
    assert practice([*usual, -0.10])["reflect"].to_list() == [False] * 11 + [True]
    assert practice([*usual, 0.40])["reflect"].to_list() == [False] * 12  # far, but with the usual sign
    assert practice([*usual, None])["reflect"].to_list() == [False] * 11 + [None]


def test_under_ten_dyads_a_practice_has_no_usual_difference() -> None:
    few = practice([0.1] * 8 + [-0.3])
    assert few["practice_mean"].null_count() == few["reflect"].null_count() == 9


def test_instruments_are_compared_apart() -> None:
    srs = practice([0.1, 0.12] * 6)
    other = srs.select(DISCREPANCY_SCHEMA.keys()).with_columns(instrument=pl.lit("arm5"), difference=-0.1)
    both = against_practice(pl.concat([srs.select(DISCREPANCY_SCHEMA.keys()), other]))
    assert not both["reflect"].any()
