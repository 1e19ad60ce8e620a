"""What the data quality page reads: sessions and the days measured, intake, imports, what was set aside."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import String, and_, exists, func, literal, select

from dashboard.access import Scope
from queries.scope import visible_clinicians, visible_episodes
from queries.tables import Appointment, Episode, Import, Score, SetAside, Statement


def sessions_since(scope: Scope, since: datetime) -> Statement:
    """Attended appointments of episodes in scope from a day on."""
    visible = visible_episodes(scope)
    return (
        select(Appointment.episode_id, Appointment.starts_at)
        .join(visible, visible.c.episode_id == Appointment.episode_id)
        .where(Appointment.withdrawn_on.is_(None), Appointment.status == "attended", Appointment.starts_at >= since)
    )


def measured_since(scope: Scope, since: date) -> Statement:
    """Days with any client-rated score, by instrument, of episodes in scope from a day on."""
    visible = visible_episodes(scope)
    return (
        select(Score.episode_id, Score.taken_on, Score.instrument)
        .join(visible, visible.c.episode_id == Score.episode_id)
        .where(Score.respondent == "client", Score.taken_on >= since)
        .distinct()
    )


def opened_since(scope: Scope, since: date) -> Statement:
    """Episodes in scope opened from a day on, with the day of referral."""
    visible = visible_episodes(scope)
    return (
        select(Episode.id.label("episode_id"), Episode.opened_on, Episode.referred_on)
        .join(visible, visible.c.episode_id == Episode.id)
        .where(Episode.opened_on >= since)
    )


def first_sessions(scope: Scope, since: date) -> Statement:
    """First attended appointment of episodes in scope opened from a day on."""
    visible = visible_episodes(scope)
    return (
        select(Appointment.episode_id, func.min(Appointment.starts_at).label("first_at"))
        .join(visible, visible.c.episode_id == Appointment.episode_id)
        .join(Episode, Episode.id == Appointment.episode_id)
        .where(Appointment.withdrawn_on.is_(None), Appointment.status == "attended", Episode.opened_on >= since)
        .group_by(Appointment.episode_id)
    )


def without_baseline(scope: Scope) -> Statement:
    """Open episodes in scope with a session but no client-rated score at all."""
    visible = visible_episodes(scope)
    scored = exists().where(and_(Score.episode_id == visible.c.episode_id, Score.respondent == "client"))
    people = visible_clinicians(scope)
    return (
        select(
            visible.c.public_id,
            visible.c.client_code,
            people.c.display_name,
            people.c.source_id,
            Episode.opened_on,
            func.count(Appointment.id).label("sessions"),
        )
        .select_from(visible)
        .join(Episode, Episode.id == visible.c.episode_id)
        .join(people, people.c.clinician_id == visible.c.clinician_id)
        .join(Appointment, and_(Appointment.episode_id == visible.c.episode_id, Appointment.status == "attended"))
        .where(Episode.closed_on.is_(None), Appointment.withdrawn_on.is_(None), ~scored)
        .group_by(
            visible.c.public_id, visible.c.client_code, people.c.display_name, people.c.source_id, Episode.opened_on
        )
    )


def imports(scope: Scope, count: int) -> Statement:
    """The practice's newest imports: when, by whom, from which files, what they did. Holds no client data.

    What people enter by hand is in the audit, entry by entry, and left out here.
    """
    held = (
        select(func.count(SetAside.id))
        .where(SetAside.import_id == Import.id)
        .correlate(Import)
        .scalar_subquery()
        .label("set_aside")
    )
    return (
        select(Import.id, Import.source, Import.imported_at, Import.username, Import.files, Import.counts, held)
        .where(Import.practice_id == scope.practice_id, Import.kind != "entered")
        .order_by(Import.id.desc())
        .limit(count)
    )


def last_import(scope: Scope) -> Statement:
    """The day of the newest import of the practice; a null in a practice without any."""
    return select(func.max(Import.imported_on).label("imported_on")).where(Import.practice_id == scope.practice_id)


def newest_record(scope: Scope, as_of: date) -> Statement:
    """The last appointment in scope, up to a day, of which it is known what became of it; null without any."""
    visible = visible_episodes(scope)
    return (
        select(func.max(Appointment.starts_at).label("newest"))
        .join(visible, visible.c.episode_id == Appointment.episode_id)
        .where(
            Appointment.withdrawn_on.is_(None),
            Appointment.status != "booked",
            Appointment.starts_at < as_of + timedelta(days=1),
        )
    )


def set_aside_count(scope: Scope) -> Statement:
    """How many rows and values wait or were refused in the practice: file, column, count. Holds no values."""
    return (
        select(
            SetAside.file,
            func.coalesce(SetAside.column, literal("whole row", String)).label("column"),
            func.count().label("rows"),
        )
        .where(SetAside.practice_id == scope.practice_id, SetAside.resolved_import_id.is_(None))
        .group_by(SetAside.file, SetAside.column)
    )
