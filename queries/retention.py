"""What the retention page reads: what became of every episode, and what was on record before the last session."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CTE, and_, func, or_, select

from dashboard.access import FirstLook, Scope
from queries.caseload import evaluated, shown_already
from queries.scope import visible_episodes
from queries.tables import EpisodeState, Evaluation, Flag, SessionState, Statement

ENDED = (
    "opened_on",
    "closed_on",
    "ending",
    "sessions_attended",
    "last_attended_on",
    "d1_unilateral",
    "d2_no_return",
    "d3_missed_last",
    "d4_below_planned",
    "d5_not_improved",
    "dropout",
)
AHEAD = (
    "dropout_next_4",
    "dropout_next_4_low",
    "dropout_next_4_high",
    "dropout_usual_4",
    "dropout_relative",
    "dropout_reasons",
)
DEFINED = ("d1_unilateral", "d2_no_return", "d3_missed_last", "d4_below_planned", "d5_not_improved", "dropout")


def episodes(scope: Scope) -> Statement:
    """Every episode in scope, open and closed: how it ended by each definition, and the chance that an open one may."""
    visible = visible_episodes(scope)
    return (
        select(
            visible.c.episode_id,
            visible.c.public_id,
            visible.c.client_code,
            visible.c.clinician_id,
            *(getattr(EpisodeState, name) for name in (*ENDED, *AHEAD)),
        )
        .select_from(visible)
        .join(EpisodeState, EpisodeState.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == EpisodeState.evaluation_id)
        .where(Evaluation.is_current)
    )


def _left_since(statement: Statement, visible: CTE, since: date) -> Statement:
    """Narrows to episodes that any definition says were left, with a last session from a day on."""
    return statement.join(
        EpisodeState,
        and_(
            EpisodeState.episode_id == visible.c.episode_id,
            EpisodeState.evaluation_id == Evaluation.id,
            EpisodeState.last_attended_on >= since,
            or_(*(getattr(EpisodeState, name).is_(True) for name in DEFINED)),
        ),
    )


def last_appointments(scope: Scope, since: date) -> Statement:
    """Past appointments of episodes in scope that were left since a day."""
    visible = visible_episodes(scope)
    statement = (
        select(SessionState.episode_id, SessionState.starts_at, SessionState.status)
        .select_from(visible)
        .join(SessionState, SessionState.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == SessionState.evaluation_id)
        .where(Evaluation.is_current, SessionState.status != "booked")
    )
    return _left_since(statement, visible, since)


def signals_before(scope: Scope, since: date, first: FirstLook | None = None) -> Statement:
    """Signals that stood before the last session of episodes in scope that were left since a day; safety is kept apart.

    With ``first`` those are left out that the clinician is to see first, as on the caseload.
    """
    visible = visible_episodes(scope)
    statement = (
        select(Flag.episode_id, Flag.signal, Flag.since, Flag.raised_on, Flag.cleared_on)
        .select_from(visible)
        .join(Flag, Flag.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == Flag.evaluation_id)
        .where(Evaluation.is_current, Flag.family != "safety")
    )
    if first is not None:
        statement = statement.where(shown_already(visible, first))
    return _left_since(statement, visible, since).where(Flag.raised_on < EpisodeState.last_attended_on)


def known_endings(scope: Scope, evaluation_id: int | None = None) -> Statement:
    """How many endings are known in scope: closed, or silent beyond the practice's limit. A count, no rows."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(func.count().label("endings"))
        .select_from(visible)
        .join(EpisodeState, EpisodeState.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == EpisodeState.evaluation_id)
        .where(evaluated(evaluation_id), or_(EpisodeState.closed_on.is_not(None), EpisodeState.dropout.is_(True)))
    )
