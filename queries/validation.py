"""What the record of the models reads: episodes with what came of them, sessions as judged on their day, signals raised."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select

from dashboard.access import Scope
from queries.scope import visible_episodes
from queries.tables import EpisodeState, Flag, SessionState, Statement

STATE = (
    "opened_on",
    "closed_on",
    "ending",
    "sessions_attended",
    "last_attended_on",
    "dropout",
    "outcome_instrument",
    "baseline",
    "rupture",
)
SAID = ("outcome", "expected_low", "expected_high", "dropout_hazard", "dropout_next_4")


def episodes(scope: Scope, evaluation_id: int) -> Statement:
    """Episodes in scope with what an evaluation knows of them."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(
            visible.c.episode_id,
            visible.c.client_id,
            EpisodeState.clinician_id,
            *(getattr(EpisodeState, name) for name in STATE),
        )
        .select_from(visible)
        .join(EpisodeState, EpisodeState.episode_id == visible.c.episode_id)
        .where(EpisodeState.evaluation_id == evaluation_id)
    )


def sessions(scope: Scope, evaluation_id: int, since: date) -> Statement:
    """Attended sessions from a day on: no test session lies before the day on which the first test episode opened."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(
            SessionState.episode_id,
            SessionState.session_number,
            SessionState.starts_at,
            *(getattr(SessionState, name) for name in SAID),
        )
        .join(visible, visible.c.episode_id == SessionState.episode_id)
        .where(
            SessionState.evaluation_id == evaluation_id,
            SessionState.session_number.is_not(None),
            SessionState.starts_at >= datetime.combine(since, datetime.min.time()),
        )
    )


def alerts(scope: Scope, evaluation_id: int, since: date) -> Statement:
    """Signals raised from a day on, standing or not."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(Flag.episode_id, Flag.signal, Flag.family, Flag.raised_on)
        .join(visible, visible.c.episode_id == Flag.episode_id)
        .where(Flag.evaluation_id == evaluation_id, Flag.raised_on >= since)
    )
