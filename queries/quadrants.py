"""What alliance change beside outcome change is made from: all episodes in scope, open and closed, with their ratings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from dashboard.access import Scope
from dashboard.contracts import SCORES
from queries.caseload import evaluated
from queries.scope import visible_episodes
from queries.tables import EpisodeState, Evaluation, Score, Statement

STATE = ("alliance_instrument", "outcome_instrument", "change", "change_category")


def states(scope: Scope, *, evaluation_id: int | None = None) -> Statement:
    """Episodes in scope with their change so far, code and opaque id."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(
            visible.c.episode_id,
            visible.c.public_id,
            visible.c.client_code,
            *(getattr(EpisodeState, name) for name in STATE),
        )
        .select_from(visible)
        .join(EpisodeState, EpisodeState.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == EpisodeState.evaluation_id)
        .where(evaluated(evaluation_id))
    )


def alliance_scores(scope: Scope, instruments: Sequence[str], as_of: date) -> Statement:
    """The clients' own scores on alliance questionnaires, of episodes in scope, open and closed, up to a day."""
    visible = visible_episodes(scope)
    return (
        select(*(getattr(Score, name) for name in SCORES.schema))
        .join(visible, visible.c.episode_id == Score.episode_id)
        .where(Score.instrument.in_(list(instruments)), Score.taken_on <= as_of, Score.respondent == "client")
    )
