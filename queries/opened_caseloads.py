"""Caseloads that a director opened with a reason: for how long, and what the clinician is told of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import Connection, func, insert, select

from dashboard.access import Scope, Viewer
from queries import audit
from queries.keys import next_id
from queries.opening_tables import OpenedCaseload
from queries.scope import visible_clinicians
from queries.tables import Clinician, Statement, User

TOLD_DAYS = 30  # project default: how long the notice stands on the clinician's own page; the audit keeps it for good


def opened_now(connection: Connection, practice_id: int, username: str, now: datetime) -> dict[int, datetime]:
    """Which caseloads stand open to somebody now, by clinician, and until when."""
    rows = connection.execute(
        select(OpenedCaseload.clinician_id, func.max(OpenedCaseload.until).label("until"))
        .where(
            OpenedCaseload.practice_id == practice_id,
            OpenedCaseload.username == username,
            OpenedCaseload.opened_at <= now,
            OpenedCaseload.until > now,
        )
        .group_by(OpenedCaseload.clinician_id)
    )
    return {int(row.clinician_id): row.until for row in rows}


def open_caseload(
    connection: Connection, viewer: Viewer, clinician_id: int, reason: str, *, minutes: int, now: datetime
) -> None:
    """Opens a caseload for some minutes, with an audit row that names the clinician; the caller has checked permission."""
    connection.execute(
        insert(OpenedCaseload).values(
            id=next_id(connection, OpenedCaseload),
            practice_id=viewer.practice_id,
            username=viewer.username,
            clinician_id=clinician_id,
            reason=reason,
            opened_at=now,
            until=now + timedelta(minutes=minutes),
        )
    )
    audit.record(
        connection, at=now, practice_id=viewer.practice_id, username=viewer.username, purpose=viewer.purpose,
        action="view caseload with a reason",
        clinician_id=clinician_id, detail=f"for {minutes} minutes: {reason}",
    )  # fmt: skip


def told(scope: Scope, today: date) -> Statement:
    """Who opened a caseload in scope during the last TOLD_DAYS, newest first: name, opened_at, until, reason."""
    people = visible_clinicians(scope)
    opener = Clinician.__table__.alias("opener")
    return (
        select(
            func.coalesce(opener.c.display_name, OpenedCaseload.username).label("name"),
            OpenedCaseload.clinician_id,
            OpenedCaseload.opened_at,
            OpenedCaseload.until,
            OpenedCaseload.reason,
        )
        .join(people, people.c.clinician_id == OpenedCaseload.clinician_id)
        .outerjoin(User, User.username == OpenedCaseload.username)
        .outerjoin(opener, opener.c.id == User.clinician_id)
        .where(OpenedCaseload.opened_at >= datetime.combine(today - timedelta(days=TOLD_DAYS), datetime.min.time()))
        .order_by(OpenedCaseload.opened_at.desc(), OpenedCaseload.id.desc())
    )
