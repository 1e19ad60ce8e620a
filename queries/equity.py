"""What the audit by group of clients reads: every episode of the practice with its attributes, and no clinician.

Only a scope of the whole practice reads a row: a narrower one would be somebody's caseload. Attributes are read as they were
known on the evaluation's day, since they may be corrected later.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, and_, func, select

from dashboard.access import Scope
from queries.caseload import evaluated
from queries.scope import of_the_whole_practice, visible_episodes
from queries.tables import (
    Appointment,
    AppointmentVersion,
    Client,
    ClientVersion,
    Episode,
    EpisodeState,
    EpisodeVersion,
    Evaluation,
    SessionState,
    Statement,
)
from queries.worlds import known_then

STATE = ("opened_on", "closed_on", "ending", "sessions_attended", "dropout", "scores", "alliance_scores")
OF_THE_CLIENT = ("birth_year", "gender", "ethnicity")


def _as_known(now: Any, version: Any, name: str, key: Any, *beside: Any) -> Any:
    """A value as it was known on the evaluation's day: of the first version that was still in force then, else of today."""
    earlier = known_then(version, getattr(version, name), key, *beside)
    return func.coalesce(earlier, getattr(now, name)).label("first_mode" if name == "mode" else name)


def episodes(scope: Scope, *, evaluation_id: int | None = None) -> Statement:
    """Episodes of the practice (EQUITY_EPISODES): states, attributes of the client and of the episode; no code, no clinician."""
    visible: CTE = visible_episodes(scope, evaluation_id)
    return (
        select(
            visible.c.episode_id,
            *(getattr(EpisodeState, name) for name in STATE),
            *(_as_known(Client, ClientVersion, name, visible.c.client_id, visible) for name in OF_THE_CLIENT),
            _as_known(Episode, EpisodeVersion, "kind", visible.c.episode_id, visible),
            _as_known(Appointment, AppointmentVersion, "mode", SessionState.appointment_id, SessionState),
        )
        .select_from(visible)
        .join(EpisodeState, EpisodeState.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == EpisodeState.evaluation_id)
        .join(Client, Client.id == visible.c.client_id)
        .join(Episode, Episode.id == visible.c.episode_id)
        .outerjoin(
            SessionState,
            and_(
                SessionState.evaluation_id == EpisodeState.evaluation_id,
                SessionState.episode_id == EpisodeState.episode_id,
                SessionState.session_number == 1,
            ),
        )
        .outerjoin(Appointment, Appointment.id == SessionState.appointment_id)
        .where(evaluated(evaluation_id), of_the_whole_practice(scope))
    )
