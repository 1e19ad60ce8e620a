"""Ways of ending in counts: by clinician, without any client row."""

from __future__ import annotations

from sqlalchemy import String, case, func, literal, or_, select

from dashboard.access import Scope
from dashboard.analytics.own_endings import SILENT
from queries.caseload import evaluated
from queries.scope import visible_episodes
from queries.tables import EpisodeState, Evaluation, Statement


def ending_counts(scope: Scope, *, evaluation_id: int | None = None) -> Statement:
    """Episodes in scope that had a session and are known to have ended: clinician_id, ending, episodes.

    ``silent``: open, and without a session for longer than the practice's limit; null: closed without a code.
    """
    visible = visible_episodes(scope, evaluation_id)
    ended = (
        select(
            EpisodeState.clinician_id,
            case((EpisodeState.closed_on.is_(None), literal(SILENT, String)), else_=EpisodeState.ending).label("way"),
        )
        .select_from(visible)
        .join(EpisodeState, EpisodeState.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == EpisodeState.evaluation_id)
        .where(
            evaluated(evaluation_id),
            EpisodeState.sessions_attended > 0,
            or_(EpisodeState.closed_on.is_not(None), EpisodeState.dropout.is_(True)),
        )
        .subquery()
    )
    return select(ended.c.clinician_id, ended.c.way.label("ending"), func.count().label("episodes")).group_by(
        ended.c.clinician_id, ended.c.way
    )
