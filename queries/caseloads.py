"""What the caseload table by clinician reads: every open episode in scope with what is counted of it."""

from __future__ import annotations

from sqlalchemy import select

from dashboard.access import Scope
from queries.caseload import evaluated
from queries.scope import visible_episodes
from queries.tables import EpisodeState, Evaluation, Statement

COUNTED = ("dropout", "on_track", "latest_on", "dropout_next_session")


def open_episodes(scope: Scope, *, evaluation_id: int | None = None) -> Statement:
    """Open episodes of the current evaluation (or of one of the past): clinician_id and what ``caseloads`` counts."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(
            visible.c.episode_id,
            EpisodeState.clinician_id,
            *(getattr(EpisodeState, name) for name in COUNTED),
        )
        .select_from(visible)
        .join(EpisodeState, EpisodeState.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == EpisodeState.evaluation_id)
        .where(evaluated(evaluation_id), EpisodeState.closed_on.is_(None))
    )
