"""Alliance change beside outcome change: a point lies where its words say, and nothing is said from too little."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.analytics.own_quadrants import QUADRANT_POINTS, own_quadrants
from dashboard.analytics.quadrants import RELIABLE
from dashboard.charts.change_quadrant import change_quadrant
from dashboard.contracts import TOTALS
from dashboard.instruments import BUILT_IN

STATES = {
    "episode_id": pl.Int64(), "public_id": pl.String(), "client_code": pl.String(), "alliance_instrument": pl.String(),
    "outcome_instrument": pl.String(), "change": pl.Float64(), "change_category": pl.String(),
}  # fmt: skip
START = date(2026, 1, 5)


def one_row(frame: pl.DataFrame) -> dict[str, Any]:
    assert frame.height == 1
    return frame.row(0, named=True)


SRS = 40 * RELIABLE * BUILT_IN["srs"].sem_01  # points of the SRS beyond measurement error


def states(*rows: dict[str, Any]) -> pl.DataFrame:
    usual = {
        "alliance_instrument": "srs",
        "outcome_instrument": "phq9",
        "change": -6.0,
        "change_category": "reliable_improvement",
    }
    named = [
        {"episode_id": n, "public_id": f"p{n}", "client_code": f"C-{n}"} | usual | row for n, row in enumerate(rows)
    ]
    return pl.DataFrame(named, schema=STATES, orient="row")


def rated(*values: float, episode: int = 0, instrument: str = "srs", respondent: str = "client") -> pl.DataFrame:
    return TOTALS.from_rows(
        [
            {"episode_id": episode, "taken_on": START + timedelta(weeks=n), "instrument": instrument, "scale": "total",
             "respondent": respondent, "value": value, "prorated": False}
            for n, value in enumerate(values)
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "change", "word"),
    [
        ((20.0, 20.0 + SRS + 0.1), None, "up"),
        ((20.0, 20.0 + SRS - 0.1), None, "same"),
        ((30.0, 35.0, 30.0 - SRS - 0.1), None, "down"),
        ((20.0,), 0.0, None),
        ((), 0.0, None),
    ],
)
def test_the_alliance_counts_from_first_to_latest(
    values: tuple[float, ...], change: float | None, word: str | None
) -> None:
    row = one_row(own_quadrants(states({}), rated(*values), BUILT_IN))
    assert row["alliance"] == word
    if word is None:
        assert row["alliance_change"] is None
    else:
        assert row["alliance_change"] == pytest.approx((values[-1] - values[0]) / SRS)
        assert (abs(row["alliance_change"]) > 1) is (word != "same")


@pytest.mark.parametrize(
    ("row", "change", "word"),
    [
        ({"change": -6.0}, 1.0, "better"),
        ({"change": 9.0, "change_category": "reliable_worsening"}, -1.5, "worse"),
        ({"change": 2.0, "change_category": "no_reliable_change"}, -1 / 3, "same"),
        ({"outcome_instrument": "ors", "change": 10.0}, 2.0, "better"),
        ({"change": None, "change_category": "not_enough_data"}, None, None),
        ({"outcome_instrument": None, "change": None, "change_category": "not_enough_data"}, None, None),
    ],
)
def test_better_scores_lie_upwards_whichever_way_the_questionnaire_runs(
    row: dict[str, Any], change: float | None, word: str | None
) -> None:
    found = one_row(own_quadrants(states(row), rated(20.0, 21.0), BUILT_IN))
    assert found["symptoms"] == word
    assert found["outcome_change"] == (None if change is None else pytest.approx(change))


def test_other_questionnaires_and_the_clinicians_own_ratings_do_not_count() -> None:
    more = [rated(10.0, 40.0, instrument="sai"), rated(5.0, 40.0, respondent="clinician", instrument="srs")]
    assert one_row(own_quadrants(states({}), pl.concat(more), BUILT_IN))["alliance"] is None
    assert own_quadrants(states(), rated(), BUILT_IN).schema == pl.Schema(QUADRANT_POINTS)


@given(st.permutations(range(9)))
def test_the_order_of_ratings_changes_nothing(order: list[int]) -> None:
    frame = pl.concat([rated(20.0 + n, 30.0, 25.0, episode=n) for n in range(3)])
    one, other = (
        own_quadrants(states({}, {}, {}), frame[order], BUILT_IN),
        own_quadrants(states({}, {}, {}), frame, BUILT_IN),
    )
    assert one.equals(other)


def test_the_figure_draws_what_this_says() -> None:
    points = own_quadrants(states({}, {"change": None}), rated(10.0, 39.0), BUILT_IN).to_dicts()
    panel = change_quadrant(points, whose="Your episodes", coverage="all", as_of=START, theme="light")
    assert "1 of 1" in panel.headline
