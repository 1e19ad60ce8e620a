"""Frames for unit tests from a few words: an episode, weekly sessions, scores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from dashboard.contracts import APPOINTMENTS, EPISODES, SAFETY_CHECKS, SCORES, Frames
from dashboard.instruments import BUILT_IN
from dashboard.settings import Rules

START = date(2026, 1, 5)
RULES = Rules()
INSTRUMENTS = BUILT_IN


def week(number: int) -> date:
    """The day of the first session plus so many weeks."""
    return START + timedelta(weeks=number)


def episode(episode_id: int = 1, *, as_of: date, **given: Any) -> dict[str, Any]:
    """One EPISODES row; everything can be overridden."""
    row = {
        "episode_id": episode_id,
        "client_id": episode_id,
        "clinician_id": 1,
        "as_of": as_of,
        "opened_on": START,
        "kind": "individual",
    }
    return row | given


def visits(
    statuses: Sequence[str], episode_id: int = 1, *, first: date = START, every: int = 7
) -> list[dict[str, Any]]:
    """Weekly APPOINTMENTS rows, one per status."""
    return [
        {
            "episode_id": episode_id,
            "appointment_id": episode_id * 1000 + place,
            "starts_at": datetime.combine(first + timedelta(days=every * place), datetime.min.time()).replace(hour=10),
            "status": status,
        }
        for place, status in enumerate(statuses)
    ]


def scores(
    values: Sequence[float | None],
    instrument: str = "phq9",
    episode_id: int = 1,
    *,
    scale: str = "total",
    respondent: str = "client",
    first: date = START,
) -> list[dict[str, Any]]:
    """Weekly SCORES rows; None is a week without a score."""
    return [
        {
            "episode_id": episode_id,
            "taken_on": first + timedelta(weeks=place),
            "instrument": instrument,
            "scale": scale,
            "respondent": respondent,
            "value": float(value),
        }
        for place, value in enumerate(values)
        if value is not None
    ]


def frames(
    episodes: Sequence[dict[str, Any]],
    appointments: Sequence[dict[str, Any]] = (),
    rated: Sequence[dict[str, Any]] = (),
    checks: Sequence[dict[str, Any]] = (),
) -> Frames:
    """Checked frames from rows."""
    return Frames(
        EPISODES.from_rows(list(episodes)),
        APPOINTMENTS.from_rows(list(appointments)),
        SCORES.from_rows(list(rated)),
        SAFETY_CHECKS.from_rows(list(checks)),
    )


def one_row(frame: pl.DataFrame) -> dict[str, Any]:
    """The only row of a frame."""
    assert frame.height == 1
    return frame.row(0, named=True)
