"""What the look at the trustworthiness of scores reads: sessions of the whole practice, and statuses changed later.

Only a scope of the whole practice reads a row, and no row holds a clinician.
"""

from __future__ import annotations

from sqlalchemy import and_, select

from dashboard.access import Scope
from queries.caseload import evaluated
from queries.scope import of_the_whole_practice, visible_episodes
from queries.tables import Appointment, AppointmentVersion, EpisodeState, Evaluation, SessionState, Statement

SAID = ("session_number", "outcome", "expected_low", "expected_high")
OF_THE_EPISODE = ("closed_on", "outcome_instrument", "baseline")


def sessions(scope: Scope, *, evaluation_id: int | None = None) -> Statement:
    """Attended sessions of the practice (SCORED), of episodes with an outcome score."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(
            SessionState.episode_id,
            *(getattr(SessionState, name) for name in SAID),
            *(getattr(EpisodeState, name) for name in OF_THE_EPISODE),
        )
        .select_from(visible)
        .join(SessionState, SessionState.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == SessionState.evaluation_id)
        .join(
            EpisodeState,
            and_(
                EpisodeState.evaluation_id == SessionState.evaluation_id,
                EpisodeState.episode_id == SessionState.episode_id,
            ),
        )
        .where(
            evaluated(evaluation_id),
            SessionState.session_number.is_not(None),
            EpisodeState.outcome_instrument.is_not(None),
            of_the_whole_practice(scope),
        )
    )


def statuses_held(scope: Scope) -> Statement:
    """Statuses that appointments of the practice no longer have (STATUSES_HELD), with the one each has today."""
    visible = visible_episodes(scope)
    return (
        select(
            AppointmentVersion.id.label("appointment_id"),
            AppointmentVersion.status,
            AppointmentVersion.superseded_on,
            Appointment.status.label("current"),
        )
        .select_from(visible)
        .join(Appointment, Appointment.episode_id == visible.c.episode_id)
        .join(AppointmentVersion, AppointmentVersion.id == Appointment.id)
        .where(of_the_whole_practice(scope), Appointment.withdrawn_on.is_(None), AppointmentVersion.undo_id.is_(None))
    )
