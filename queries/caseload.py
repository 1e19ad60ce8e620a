"""What the caseload and the episode page read: states, flags, scores and appointments of the current evaluation."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CTE, ColumnElement, and_, func, not_, select

from dashboard.access import FirstLook, Scope
from dashboard.contracts import SCORES
from queries.scope import visible_clinicians, visible_episodes
from queries.tables import Appointment, Audit, Episode, EpisodeState, Evaluation, Flag, Score, SessionState, Statement


def evaluation(scope: Scope, *, evaluation_id: int | None = None) -> Statement:
    """The evaluation that pages read: as_of, rules_version, model_version, evaluated_at; or one of the past by its id."""
    visible = visible_clinicians(scope, evaluation_id)
    allowed = select(func.count()).select_from(visible).scalar_subquery()
    return select(
        Evaluation.id, Evaluation.as_of, Evaluation.rules_version, Evaluation.model_version, Evaluation.evaluated_at
    ).where(Evaluation.practice_id == scope.practice_id, evaluated(evaluation_id), allowed > 0)


def clinicians(scope: Scope) -> Statement:
    """The clinicians in scope, by name."""
    visible = visible_clinicians(scope)
    return select(visible.c.clinician_id, visible.c.public_id, visible.c.display_name, visible.c.source_id).order_by(
        visible.c.display_name, visible.c.source_id
    )


STATE = (
    "opened_on",
    "closed_on",
    "ending",
    "first_attended_on",
    "sessions_attended",
    "last_attended_on",
    "next_booked_on",
    "outcome_instrument",
    "scores",
    "baseline",
    "baseline_on",
    "latest",
    "latest_on",
    "change",
    "change_category",
    "latest_session",
    "expected_low",
    "expected_high",
    "on_track",
    "dropout_next_4",
    "dropout_next_4_low",
    "dropout_next_4_high",
    "dropout_usual_4",
    "dropout_relative",
    "dropout_reasons",
    "dropout",
    "alliance_instrument",
    "alliance_latest",
    "alliance_latest_on",
    "alliance_reference",
    "rupture",
    "fit_questions",
    "fit_since",
    "priority",
    "missing",
)


def states(
    scope: Scope, *, open_only: bool = True, public_id: str | None = None, evaluation_id: int | None = None
) -> Statement:
    """One row per episode of the current evaluation (or of one of the past): its state with code and opaque id."""
    visible = visible_episodes(scope, evaluation_id)
    statement = (
        select(
            visible.c.episode_id,
            visible.c.public_id,
            visible.c.client_code,
            visible.c.clinician_id,
            *(getattr(EpisodeState, name) for name in STATE),
        )
        .select_from(visible)
        .join(EpisodeState, EpisodeState.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == EpisodeState.evaluation_id)
        .where(evaluated(evaluation_id))
    )
    if open_only:
        statement = statement.where(EpisodeState.closed_on.is_(None))
    if public_id is not None:
        statement = statement.where(visible.c.public_id == public_id)
    return statement


def shown_already(visible: CTE, first: FirstLook) -> ColumnElement[bool]:
    """The flags of a statement that somebody may see who has to wait for the clinician (``FirstLook.shows``)."""
    return first.shows(
        family=Flag.family, raised_on=Flag.raised_on, state=Flag.state, clinician_id=visible.c.clinician_id
    )


def evaluated(evaluation_id: int | None) -> ColumnElement[bool]:
    """The evaluation named, else the one that pages read."""
    return Evaluation.is_current.is_(True) if evaluation_id is None else Evaluation.id == evaluation_id


def flags(
    scope: Scope,
    *,
    standing: bool = True,
    public_id: str | None = None,
    first: FirstLook | None = None,
    evaluation_id: int | None = None,
) -> Statement:
    """Flags of an evaluation, the current one unless named, in scope.

    With ``first`` those are left out that the clinician is to see first; never safety items and what was replied to.
    """
    visible = visible_episodes(scope, evaluation_id)
    statement = (
        select(
            visible.c.episode_id,
            Flag.signal,
            Flag.family,
            Flag.raised_on,
            Flag.since,
            Flag.value,
            Flag.threshold,
            Flag.evidence,
            Flag.state,
            Flag.cleared_on,
        )
        .select_from(visible)
        .join(Flag, Flag.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == Flag.evaluation_id)
        .where(evaluated(evaluation_id))
    )
    if first is not None:
        statement = statement.where(shown_already(visible, first))
    if public_id is not None:
        statement = statement.where(visible.c.public_id == public_id)
    return statement.where(Flag.cleared_on.is_(None)) if standing else statement


def held_back(scope: Scope, first: FirstLook, *, evaluation_id: int | None = None) -> Statement:
    """Standing flags in scope that the clinician is to see first: episode_id, signal. What rests on them is not shown either."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(visible.c.episode_id, Flag.signal)
        .select_from(visible)
        .join(Flag, Flag.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == Flag.evaluation_id)
        .where(evaluated(evaluation_id), Flag.cleared_on.is_(None), not_(shown_already(visible, first)))
    )


def scores(scope: Scope, *, open_only: bool = True, public_id: str | None = None) -> Statement:
    """Scores as recorded, of episodes in scope."""
    visible = visible_episodes(scope)
    statement = select(*(getattr(Score, name) for name in SCORES.schema)).join(
        visible, visible.c.episode_id == Score.episode_id
    )
    return _narrow(statement, visible, open_only, public_id)


def appointments(scope: Scope, *, open_only: bool = True, public_id: str | None = None) -> Statement:
    """Appointments of episodes in scope."""
    visible = visible_episodes(scope)
    statement = select(
        Appointment.episode_id, Appointment.id.label("appointment_id"), Appointment.starts_at, Appointment.status
    ).join(visible, and_(visible.c.episode_id == Appointment.episode_id, Appointment.withdrawn_on.is_(None)))
    return _narrow(statement, visible, open_only, public_id)


def falls(
    scope: Scope, *, open_only: bool = True, public_id: str | None = None, evaluation_id: int | None = None
) -> Statement:
    """Sessions at which the alliance rating fell by a major step, as the evaluation of their own day said."""
    visible = visible_episodes(scope, evaluation_id)
    statement = (
        select(SessionState.episode_id, SessionState.starts_at)
        .join(visible, visible.c.episode_id == SessionState.episode_id)
        .join(Evaluation, Evaluation.id == SessionState.evaluation_id)
        .where(evaluated(evaluation_id), SessionState.alliance_mark == "major")
    )
    return _narrow(statement, visible, open_only, public_id)


def _narrow(statement: Statement, visible: CTE, open_only: bool, public_id: str | None) -> Statement:
    if open_only:
        statement = statement.join(Episode, Episode.id == visible.c.episode_id).where(Episode.closed_on.is_(None))
    return statement if public_id is None else statement.where(visible.c.public_id == public_id)


def raised_lately(scope: Scope, since: date, first: FirstLook | None = None) -> Statement:
    """How often each signal was raised in scope since a day; with ``first`` without those the clinician is to see first."""
    visible = visible_episodes(scope)
    statement = (
        select(Flag.signal, func.count().label("raised"))
        .select_from(visible)
        .join(Flag, Flag.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == Flag.evaluation_id)
        .where(Evaluation.is_current, Flag.raised_on >= since)
        .group_by(Flag.signal)
    )
    return statement if first is None else statement.where(shown_already(visible, first))


def last_viewed(scope: Scope) -> Statement:
    """When somebody last opened an episode in scope."""
    visible = visible_episodes(scope)
    return (
        select(visible.c.episode_id, func.max(Audit.at).label("at"))
        .select_from(visible)
        .join(Audit, Audit.episode_id == visible.c.episode_id)
        .group_by(visible.c.episode_id)
    )


def waiting_safety(scope: Scope, *, evaluation_id: int | None = None) -> Statement:
    """Risk answers in scope that nobody has recorded as checked, of open and closed episodes."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(
            visible.c.episode_id,
            visible.c.public_id,
            visible.c.client_code,
            visible.c.clinician_id,
            EpisodeState.closed_on,
            Flag.signal,
            Flag.since,
            Flag.evidence,
        )
        .select_from(visible)
        .join(Flag, Flag.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == Flag.evaluation_id)
        .join(
            EpisodeState,
            and_(EpisodeState.episode_id == Flag.episode_id, EpisodeState.evaluation_id == Flag.evaluation_id),
        )
        .where(evaluated(evaluation_id), Flag.family == "safety", Flag.cleared_on.is_(None))
    )
