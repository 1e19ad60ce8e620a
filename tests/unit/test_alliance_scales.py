"""Falls in bond, goal and task, each against its own earlier ratings."""

from __future__ import annotations

from math import sqrt
from typing import Any

import polars as pl
import pytest

from dashboard.analytics.alliance import marks
from dashboard.analytics.alliance_scales import SCALE_MARKS_SCHEMA, scale_error, subscale_marks
from dashboard.analytics.scoring import totals
from dashboard.contracts import SCORES, TOTALS
from dashboard.instruments.instrument import UNKNOWN_SEM
from tests.building import INSTRUMENTS, scores, week


def found(*parts: list[dict[str, Any]]) -> pl.DataFrame:
    rows = [row for part in parts for row in part]
    return subscale_marks(totals(SCORES.from_rows(rows), INSTRUMENTS), INSTRUMENTS)


def test_a_fall_in_the_bond_shows_where_goal_and_task_stand_still() -> None:
    steady = [17.0, 17.0, 16.0, 17.0, 17.0]
    got = found(
        scores([52.0] * 5, "wai_sr"),
        scores([17.0, 17.0, 16.0, 17.0, 7.0], "wai_sr", scale="bond"),
        scores(steady, "wai_sr", scale="goal"),
        scores(steady, "wai_sr", scale="task"),
    )
    last = got.filter(pl.col("taken_on") == week(4))
    assert dict(last.select("scale", "mark").iter_rows()) == {"bond": "major", "goal": "none", "task": "none"}
    bond = last.row(by_predicate=pl.col("scale") == "bond", named=True)
    assert (bond["state"], bond["rupture_since"], bond["nadir"]) == ("open", week(4), pytest.approx(7.0))
    assert bond["reference"] == pytest.approx(16.75)  # points of the subscale (4-20)
    assert got.height == 15


def test_a_whole_scale_is_judged_as_the_total_is_but_with_a_wider_error() -> None:
    values = [34.0, 35.0, 36.0, 35.0, 30.0]
    parts = {"relationship": (1,), "goals": (2,)}
    got = found(
        scores(values, "srs"), *(scores([value / 4 for value in values], "srs", scale=scale) for scale in parts)
    )
    total = marks(totals(SCORES.from_rows(scores(values, "srs")), INSTRUMENTS), INSTRUMENTS)
    for scale in parts:
        part = got.filter(pl.col("scale") == scale)
        assert (part["reference"] * 4).drop_nulls().to_list() == pytest.approx(
            total["reference"].drop_nulls().to_list()
        )
        assert part["major_below"][-1] * 4 < total["major_below"][-1]


@pytest.mark.parametrize(
    ("instrument", "scale", "times"),
    [("wai_sr", "bond", sqrt(3)), ("srs", "goals", 2.0), ("wai_36", "task", sqrt(3)), ("arm12", "bond", 2.0)],
)
def test_fewer_items_mean_a_wider_error(instrument: str, scale: str, times: float) -> None:
    assert scale_error(INSTRUMENTS[instrument], scale) == pytest.approx(UNKNOWN_SEM * times)


def test_items_make_subscales_and_unknown_scales_are_left_out() -> None:
    answers = [row for item in range(1, 13) for row in scores([4.0] * 4, "wai_sr", scale=f"item_{item}")]
    got = found(answers, scores([3.0] * 4, "wai_sr", scale="hope"))
    assert got["scale"].unique().sort().to_list() == ["bond", "goal", "task"]


def test_only_the_clients_ratings_of_the_episodes_instrument_count() -> None:
    got = found(
        scores([52.0] * 4, "wai_sr"),
        scores([17.0] * 4, "wai_sr", scale="bond", respondent="clinician"),
        scores([9.0, 9.0], "srs"),
        scores([9.0, 9.0], "srs", scale="goals"),
    )
    assert got.is_empty()
    assert got.schema == SCALE_MARKS_SCHEMA


def test_a_practice_without_data_has_an_empty_frame() -> None:
    assert subscale_marks(TOTALS.empty(), INSTRUMENTS).schema == SCALE_MARKS_SCHEMA


def test_episodes_are_judged_apart() -> None:
    one, two = [17.0, 17.0, 17.0, 17.0, 17.0], [10.0, 10.0, 10.0, 10.0, 10.0]
    got = found(
        *(scores([52.0] * 5, "wai_sr", episode) for episode in (1, 2)),
        scores(one, "wai_sr", 1, scale="bond"),
        scores(two, "wai_sr", 2, scale="bond"),
    )
    assert got["mark"].unique().to_list() == ["none"]
    assert got.filter(pl.col("episode_id") == 2)["reference"].to_list()[:3] == [None] * 3
