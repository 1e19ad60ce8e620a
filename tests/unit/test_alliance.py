"""The alliance part of an episode: what is open, unrated or unrepaired, and ratings at the top of the scale."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dashboard.analytics.features import features
from tests.building import INSTRUMENTS, RULES, episode, frames, one_row, scores, visits, week

STEADY = [36.0, 36.0, 36.0, 36.0]


def state(ratings: list[float | None], sessions: int, *, days_later: int = 0, **given: Any) -> dict[str, Any]:
    as_of = week(sessions - 1) + timedelta(days=days_later)
    made = frames([episode(as_of=as_of, **given)], visits(["attended"] * sessions), scores(ratings, "srs"))
    return one_row(features(made, INSTRUMENTS, RULES))


def test_an_open_rupture_is_unrated_once_a_session_follows_without_a_rating() -> None:
    assert state([*STEADY, 26.0], 5)["rupture"] == "open"
    assert state([*STEADY, 26.0], 6)["rupture"] == "unrated"


def test_an_open_rupture_is_unrepaired_when_the_episode_closes_or_the_client_does_not_return() -> None:
    assert state([*STEADY, 26.0], 5, closed_on=week(4), ending="planned")["rupture"] == "unrepaired"
    assert state([*STEADY, 26.0], 5, days_later=RULES.dropout_days - 1)["rupture"] == "open"
    assert state([*STEADY, 26.0], 5, days_later=RULES.dropout_days)["rupture"] == "unrepaired"


def test_reference_and_drop_are_in_the_instruments_points_and_from_earlier_ratings_only() -> None:
    found = state([38.0, 36.0, 34.0, 36.0, 30.0], 5)
    assert found["alliance_reference"] == pytest.approx(36.0)
    assert found["alliance_drop"] == pytest.approx(6.0)
    assert found["alliance_latest"] == 30.0


@pytest.mark.parametrize(
    ("ratings", "expected"),
    [
        ([38.0, 40.0, 40.0, 40.0], week(3)),
        ([40.0, 40.0, 40.0, 40.0], week(2)),
        ([40.0, 40.0, 39.9, 40.0, 40.0], None),
        ([40.0, 40.0], None),
        ([40.0, 40.0, 40.0, 38.0], None),
    ],
)
def test_three_best_possible_ratings_in_a_row_say_nothing(ratings: list[float], expected: object) -> None:
    found = state(list(ratings), len(ratings))
    assert (found["ceiling_since"], found["ceiling"]) == (expected, expected is not None)


def test_without_client_ratings_nothing_is_said_about_the_alliance() -> None:
    made = frames(
        [episode(as_of=week(5))],
        visits(["attended"] * 6),
        scores([38.0] * 5 + [10.0], "srs", respondent="clinician"),
    )
    found = one_row(features(made, INSTRUMENTS, RULES))
    assert (found["rupture"], found["alliance_scores"], found["alliance_latest"]) == ("not_enough_data", 0, None)


def test_the_instrument_with_most_ratings_is_the_episodes_alliance_instrument() -> None:
    made = frames(
        [episode(as_of=week(5))],
        visits(["attended"] * 6),
        [*scores([36.0, 36.0], "srs"), *scores([50.0, 50.0, 51.0], "wai_sr")],
    )
    assert one_row(features(made, INSTRUMENTS, RULES))["alliance_instrument"] == "wai_sr"
