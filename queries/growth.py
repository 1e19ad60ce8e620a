"""Growth goals as their reader may see them, and what their signs are counted from."""

from __future__ import annotations

from sqlalchemy import false, or_, select

from dashboard.access import Role, Scope, Viewer
from queries.caseload import evaluated
from queries.growth_tables import GrowthGoal
from queries.scope import visible_clinicians, visible_episodes
from queries.tables import EpisodeState, Evaluation, SessionState, Statement

GOAL = (
    "text",
    "sign",
    "value_at_start",
    "n_at_start",
    "set_on",
    "look_again_on",
    "shared",
    "closed_on",
    "closed_note",
)
SESSION = ("session_number", "starts_at", "status", "outcome", "alliance")
STATE = ("sessions_attended", "closed_on", "ending", "rupture", "rupture_since")


def goals(scope: Scope, viewer: Viewer) -> Statement:
    """Goals in scope, standing and closed: the reader's own, and of others those that are shared (``can_read_goal``)."""
    people = visible_clinicians(scope)
    own = false() if viewer.clinician_id is None else GrowthGoal.clinician_id == viewer.clinician_id
    statement: Statement = (
        select(
            GrowthGoal.id.label("goal_id"),
            people.c.clinician_id,
            *(getattr(GrowthGoal, name) for name in GOAL),
        )
        .select_from(people)
        .join(GrowthGoal, GrowthGoal.clinician_id == people.c.clinician_id)
        .where(GrowthGoal.practice_id == viewer.practice_id, or_(own, GrowthGoal.shared.is_(True)))
    )
    return statement.where(false()) if viewer.role is Role.ADMIN else statement


def sign_sessions(scope: Scope, *, evaluation_id: int | None = None) -> Statement:
    """Appointments in scope up to the evaluation's day with what was measured at them (SIGN_SESSIONS)."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(SessionState.episode_id, *(getattr(SessionState, name) for name in SESSION))
        .select_from(visible)
        .join(SessionState, SessionState.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == SessionState.evaluation_id)
        .where(evaluated(evaluation_id))
    )


def sign_states(scope: Scope, *, evaluation_id: int | None = None) -> Statement:
    """Episodes in scope, open and closed: how each ended and what became of a fall in the alliance (SIGN_STATES)."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(visible.c.episode_id, *(getattr(EpisodeState, name) for name in STATE))
        .select_from(visible)
        .join(EpisodeState, EpisodeState.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == EpisodeState.evaluation_id)
        .where(evaluated(evaluation_id))
    )
