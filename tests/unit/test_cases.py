"""Ended episodes as cases for comparison: what counts as known, and what says nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from dashboard.analytics.cases import cases, second_baselines
from dashboard.contracts import SCORES
from dashboard.instruments import registry

INSTRUMENTS = registry([])
STATE: dict[str, Any] = {
    "episode_id": 1,
    "client_id": 7,
    "clinician_id": 3,
    "opened_on": date(2026, 1, 5),
    "closed_on": date(2026, 6, 1),
    "last_attended_on": date(2026, 5, 20),
    "ending": "planned",
    "outcome_instrument": "phq9",
    "scores": 6,
    "baseline": 18.0,
    "latest": 9.0,
    "change_category": "recovered",
    "dropout": False,
}
TYPES = {
    "episode_id": pl.Int64(),
    "client_id": pl.Int64(),
    "clinician_id": pl.Int64(),
    "scores": pl.Int64(),
    "outcome_instrument": pl.String(),
    "closed_on": pl.Date(),
    "dropout": pl.Boolean(),
    "ending": pl.String(),
}
INTAKE = {"episode_id": pl.Int64(), "problem_area": pl.String(), "kind": pl.String(), "referred_on": pl.Date()}
BIRTHS = {"client_id": pl.Int64(), "birth_year": pl.Int64(), "superseded_on": pl.Date()}


def _case(
    births: list[tuple[int, int | None, date | None]] | None = None,
    area: str | None = "depression; grief",
    given: list[dict[str, Any]] | None = None,
    **state: Any,
) -> dict[str, Any]:
    frame = cases(
        pl.DataFrame([{**STATE, **state}], schema_overrides=TYPES),
        pl.DataFrame([(1, area, "individual", date(2025, 12, 15))], schema=INTAKE, orient="row"),
        pl.DataFrame(births if births is not None else [(7, 1980, None)], schema=BIRTHS, orient="row"),
        pl.DataFrame(given or [], schema=SCORES.schema),
        INSTRUMENTS,
    )
    return frame.row(0, named=True)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, {"dropout": False, "improved": True, "worsened": False}),
        ({"ending": "unilateral", "dropout": True}, {"dropout": True}),
        ({"ending": "transferred"}, {"dropout": None, "improved": True}),
        ({"ending": "moved"}, {"dropout": None}),
        ({"ending": "other"}, {"dropout": None}),
        ({"ending": None, "dropout": None}, {"dropout": None}),
        ({"change_category": "reliable_improvement"}, {"improved": True, "worsened": False}),
        ({"change_category": "no_reliable_change"}, {"improved": False, "worsened": False}),
        ({"change_category": "reliable_worsening"}, {"improved": False, "worsened": True}),
        ({"change_category": "not_enough_data", "scores": 1}, {"improved": None, "worsened": None, "latest": None}),
        ({"closed_on": None}, {"ended_on": date(2026, 5, 20)}),
        ({}, {"ended_on": date(2026, 6, 1), "direction": -1, "age": 46.0, "problems": 2, "waiting_days": 21}),
        ({"outcome_instrument": "ors"}, {"direction": 1}),
        ({"outcome_instrument": None}, {"direction": None, "reliable_change": None}),
    ],
)
def test_what_an_ended_episode_says(state: dict[str, Any], expected: dict[str, Any]) -> None:
    found = _case(**state)
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(("area", "count"), [(None, None), ("", 0), ("grief", 1), ("a;b; c", 3), (" ; ", 0)])
def test_problem_areas_are_counted_where_they_are_recorded(area: str | None, count: int | None) -> None:
    assert _case(area=area)["problems"] == count


def test_age_is_told_by_the_year_of_birth_as_it_was_known_then() -> None:
    earlier = [(7, 1990, None), (7, 1980, date(2026, 9, 1)), (7, 1985, date(2026, 10, 1))]
    assert _case(births=earlier)["age"] == 46.0


def test_a_client_without_a_year_of_birth_has_no_age() -> None:
    assert _case(births=[(7, None, None)])["age"] is None
    assert _case(births=[])["age"] is None


def _score(episode: int, instrument: str, value: float, day: int = 5) -> dict[str, Any]:
    return {
        "episode_id": episode, "taken_on": date(2026, 1, day), "instrument": instrument, "scale": "total",
        "respondent": "client", "value": value,
    }  # fmt: skip


def test_of_several_other_questionnaires_the_one_most_episodes_have_counts() -> None:
    rows = [_score(1, "gad7", 12.0), _score(1, "core10", 20.0), _score(2, "gad7", 8.0), _score(2, "gad7", 4.0, day=6)]
    found = second_baselines(pl.DataFrame(rows, schema=SCORES.schema), INSTRUMENTS)
    assert found.sort("episode_id").rows() == [(1, "gad7", 12.0), (2, "gad7", 8.0)]
