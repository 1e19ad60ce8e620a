"""Which score belongs to which appointment."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl

from dashboard.replay.session_rows import sessions_said
from dashboard.ui.caseload_rows import on_ratings

EVENING, SESSION, LATER = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 10)
NOW = pl.DataFrame(
    {"episode_id": [1], "as_of": [LATER], "outcome_instrument": ["phq9"], "alliance_instrument": ["srs"]}
)
APPOINTMENTS = pl.DataFrame(
    {
        "episode_id": [1, 1, 1],
        "appointment_id": [10, 11, 12],
        "starts_at": [datetime(2026, 11, 2, 9), datetime(2026, 11, 3, 9), datetime(2026, 11, 10, 9)],
        "status": ["attended", "attended", "attended"],
    }
)


def at_day() -> pl.DataFrame:
    """An outcome score on the evening and on the last day, a rating on the evening; what each day said."""
    days = [EVENING, SESSION, LATER]
    return pl.DataFrame(
        {
            "episode_id": [1] * 3,
            "as_of": days,
            "latest": [17.0, 17.0, 12.0],
            "latest_on": [EVENING, EVENING, LATER],
            "expected_low": [1.0, 1.5, 2.0],
            "expected_high": [20.0, 19.5, 19.0],
            "alliance_latest": [30.0, 30.0, 30.0],
            "alliance_latest_on": [EVENING] * 3,
            "alliance_reference": [36.0] * 3,
            "alliance_mark_latest": ["major"] * 3,
            "last_attended_on": days,
            "dropout_next_session": [0.1, 0.2, 0.3],
            "dropout_next_4": [0.2, 0.3, 0.4],
        }
    )


def links(*rows: tuple[int, str, date]) -> pl.DataFrame:
    return pl.DataFrame(
        [(1, *row) for row in rows],
        schema={"episode_id": pl.Int64, "appointment_id": pl.Int64, "instrument": pl.String, "taken_on": pl.Date},
        orient="row",
    )


def said(given: pl.DataFrame) -> list[tuple[object, ...]]:
    found = sessions_said(NOW, at_day(), APPOINTMENTS, given)
    return found.select(
        "appointment_id", "outcome", "expected_low", "alliance", "alliance_mark", "dropout_hazard"
    ).rows()


def test_a_score_belongs_to_the_appointment_of_its_day() -> None:
    assert said(links()) == [
        (10, 17.0, 1.0, 30.0, "major", 0.1),
        (11, None, None, None, None, 0.2),
        (12, 12.0, 2.0, None, None, 0.3),
    ]


def test_a_score_that_names_another_appointment_belongs_to_that_one_alone() -> None:
    assert said(links((11, "phq9", EVENING), (11, "srs", EVENING))) == [
        (10, None, None, None, None, 0.1),
        (11, 17.0, 1.0, 30.0, "major", 0.2),
        (12, 12.0, 2.0, None, None, 0.3),
    ]


def test_a_score_of_another_questionnaire_moves_nothing() -> None:
    assert said(links((11, "gad7", EVENING))) == said(links())


def test_a_fall_is_marked_on_the_rating_that_was_given_before_its_session() -> None:
    points = [(EVENING, 30.0), (LATER, 38.0)]
    assert on_ratings([SESSION], points) == {EVENING}
    assert on_ratings([EVENING], points) == {EVENING}
    assert on_ratings([date(2026, 1, 1)], points) == frozenset()
