"""What the entry page reads: an episode's appointments and scores with where each came from, and what they were before."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CTE, ColumnElement, func, or_, select

from dashboard.access import Scope
from queries.scope import visible_clinicians, visible_episodes
from queries.tables import (
    Appointment,
    AppointmentVersion,
    Client,
    Clinician,
    Episode,
    Import,
    Score,
    ScoreVersion,
    Statement,
)

BROUGHT = (Import.username, Import.imported_at, Import.kind, Import.source.label("brought_by"))
EPISODE = (
    "source",
    "opened_on",
    "referred_on",
    "closed_on",
    "ending",
    "problem_area",
    "kind",
    "planned_sessions",
    "preference_met",
    "change_requested_on",
    "import_id",
)


def _of(statement: Statement, visible: CTE, public_id: str | None) -> Statement:
    return statement if public_id is None else statement.where(visible.c.public_id == public_id)


def episodes(scope: Scope, *, public_id: str | None = None, open_only: bool = False) -> Statement:
    """Episodes in scope as they stand, with code, clinician and source; those never to have been are left out."""
    visible = visible_episodes(scope)
    statement = (
        select(
            visible.c.episode_id,
            visible.c.public_id,
            visible.c.source_id,
            visible.c.client_id,
            visible.c.client_code,
            Client.source.label("client_source"),
            Client.source_id.label("client_source_id"),
            visible.c.clinician_id,
            Clinician.source.label("clinician_source"),
            Clinician.source_id.label("clinician_source_id"),
            func.coalesce(Clinician.display_name, Clinician.source_id).label("clinician"),
            *(getattr(Episode, name) for name in EPISODE),
        )
        .select_from(visible)
        .join(Episode, Episode.id == visible.c.episode_id)
        .join(Client, Client.id == visible.c.client_id)
        .join(Clinician, Clinician.id == visible.c.clinician_id)
        .where(Episode.withdrawn_on.is_(None))
    )
    statement = _of(statement, visible, public_id)
    if open_only:
        statement = statement.where(Episode.closed_on.is_(None))
    return statement


def appointments(scope: Scope, *, public_id: str | None = None, since: date | None = None) -> Statement:
    """Appointments in scope that stand, and who brought each; of one episode, or of all open ones since a day."""
    visible = visible_episodes(scope)
    statement = (
        select(
            visible.c.episode_id,
            visible.c.public_id,
            Appointment.id.label("appointment_id"),
            Appointment.source,
            Appointment.source_id,
            Appointment.starts_at,
            Appointment.status,
            Appointment.mode,
            Appointment.import_id,
            *BROUGHT,
        )
        .select_from(visible)
        .join(Appointment, Appointment.episode_id == visible.c.episode_id)
        .join(Import, Import.id == Appointment.import_id, isouter=True)
        .where(Appointment.withdrawn_on.is_(None))
    )
    statement = _of(statement, visible, public_id)
    if since is not None:
        statement = statement.where(Appointment.starts_at >= datetime.combine(since, datetime.min.time()))
    return statement


def _score_source() -> ColumnElement[str]:
    return func.coalesce(Score.source, Episode.source)


def scores(scope: Scope, *, public_id: str | None = None) -> Statement:
    """Scores in scope or of one episode, with the source each belongs to and who brought it."""
    visible = visible_episodes(scope)
    statement: Statement = (
        select(
            visible.c.episode_id,
            Score.id.label("score_id"),
            Score.taken_on,
            Score.instrument,
            Score.scale,
            Score.respondent,
            Score.value,
            Score.appointment_ref,
            _score_source().label("source"),
            Score.import_id,
            *BROUGHT,
        )
        .select_from(visible)
        .join(Episode, Episode.id == visible.c.episode_id)
        .join(Score, Score.episode_id == visible.c.episode_id)
        .join(Import, Import.id == Score.import_id, isouter=True)
    )
    return _of(statement, visible, public_id)


def earlier_appointments(scope: Scope, *, public_id: str | None = None) -> Statement:
    """How appointments in scope, or of one episode, were known before, and until when."""
    visible = visible_episodes(scope)
    statement: Statement = (
        select(
            visible.c.episode_id,
            AppointmentVersion.id.label("appointment_id"),
            AppointmentVersion.starts_at,
            AppointmentVersion.status,
            AppointmentVersion.mode,
            AppointmentVersion.superseded_on,
            *BROUGHT,
        )
        .select_from(visible)
        .join(AppointmentVersion, AppointmentVersion.episode_id == visible.c.episode_id)
        .join(Import, Import.id == AppointmentVersion.import_id, isouter=True)
        .where(AppointmentVersion.undo_id.is_(None))
    )
    return _of(statement, visible, public_id)


def earlier_scores(scope: Scope, *, public_id: str | None = None) -> Statement:
    """How scores in scope, or of one episode, were known before, and until when."""
    visible = visible_episodes(scope)
    statement: Statement = (
        select(
            visible.c.episode_id,
            ScoreVersion.taken_on,
            ScoreVersion.instrument,
            ScoreVersion.scale,
            ScoreVersion.respondent,
            ScoreVersion.value,
            ScoreVersion.superseded_on,
            *BROUGHT,
        )
        .select_from(visible)
        .join(ScoreVersion, ScoreVersion.episode_id == visible.c.episode_id)
        .join(Import, Import.id == ScoreVersion.import_id, isouter=True)
        .where(ScoreVersion.undo_id.is_(None))
    )
    return _of(statement, visible, public_id)


def instruments_used(scope: Scope, *, public_id: str | None = None, since: date | None = None) -> Statement:
    """Questionnaires by how many scored days they have, in one episode or in scope since a day."""
    visible = visible_episodes(scope)
    count = func.count(func.distinct(Score.taken_on))
    statement = (
        select(Score.instrument, count.label("days"))
        .select_from(visible)
        .join(Score, Score.episode_id == visible.c.episode_id)
        .group_by(Score.instrument)
        .order_by(count.desc(), Score.instrument)
    )
    statement = _of(statement, visible, public_id)
    return statement if since is None else statement.where(Score.taken_on >= since)


def clients(scope: Scope) -> Statement:
    """Clients with an episode in scope, by code: for a further episode of the same person."""
    visible = visible_episodes(scope)
    return (
        select(
            visible.c.client_id,
            visible.c.client_code,
            Client.source,
            Client.source_id.label("client_source_id"),
        )
        .select_from(visible)
        .join(Client, Client.id == visible.c.client_id)
        .where(Client.merged_into_id.is_(None))
        .distinct()
        .order_by(visible.c.client_code)
    )


def clinicians(scope: Scope, today: date) -> Statement:
    """Clinicians in scope who are there today, with the source and id of each."""
    visible = visible_clinicians(scope)
    return (
        select(
            visible.c.clinician_id,
            visible.c.public_id.label("clinician_public_id"),
            visible.c.source_id,
            Clinician.source,
            func.coalesce(visible.c.display_name, visible.c.source_id).label("name"),
            visible.c.started_on,
            visible.c.ended_on,
            visible.c.is_trainee,
        )
        .select_from(visible)
        .join(Clinician, Clinician.id == visible.c.clinician_id)
        .where(or_(visible.c.ended_on.is_(None), visible.c.ended_on >= today))
        .order_by(func.coalesce(visible.c.display_name, visible.c.source_id))
    )
