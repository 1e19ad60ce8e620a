"""``digest``: somebody's week as short text without any client data, for the practice's own mailer or calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine

from dashboard import named_meetings
from dashboard.access import Role, Viewer, first_look, narrowed, scope_for
from dashboard.errors import NotAllowed
from dashboard.evaluation import ensure_current
from dashboard.looking import check_purpose, checked_purpose
from dashboard.meetings.week import week
from dashboard.settings import Settings
from dashboard.ui.week_blocks import digest_lines
from dashboard.viewing import as_person, person_of
from queries import audit, caseload, practices
from queries.engine import reading, writing
from queries.frames import read_frame


def next_meeting(connection: Connection, viewer: Viewer, today: date) -> dict[str, Any] | None:
    """The nearest open meeting from today on that the viewer leads or takes part in."""
    listed = named_meetings.listed(connection, viewer).filter(
        pl.col("closed_at").is_null() & (pl.col("held_on") >= today)
    )
    about = named_meetings.people(connection, viewer)
    mine = about.filter(pl.col("clinician_id").is_in([viewer.clinician_id or 0]))["meeting_id"].to_list()
    own = listed.filter((pl.col("leader") == viewer.username) | pl.col("meeting_id").is_in(mine)).sort("held_on")
    return own.row(0, named=True) if own.height else None


def digest(
    engine: Engine, settings: Settings, *, username: str, practice: str | None, purpose: str | None = None
) -> list[str]:
    """The lines for one person: their own caseload, or their whole scope where they see clients only through others.

    Raises UnusableInput for an unknown person or purpose, NotAllowed for an administrator, or where the practice wants a purpose.
    """
    said = checked_purpose(purpose)
    now = settings.now()
    with reading(engine) as connection:
        practice_id = practices.find_practice(connection, practice)
        viewer = person_of(connection, settings, username, practice_id, now)
    if viewer.role is Role.ADMIN:
        raise NotAllowed("An administrator has no caseload; there is nothing to print.")
    viewer = replace(viewer, purpose=said)
    check_purpose(viewer, settings.purpose_required)
    ensure_current(engine, settings, practice_id, now)
    whole = scope_for(viewer)
    scope = whole if viewer.clinician_id is None else narrowed(whole, viewer.clinician_id)
    with as_person(viewer, whole), writing(engine) as connection:
        first = first_look(viewer, settings.clinician_first_days, now.date())
        found = week(
            read_frame(connection, caseload.flags(scope, standing=False, first=first)),
            read_frame(connection, caseload.states(scope)),
            read_frame(connection, caseload.appointments(scope)),
            now.date(),
        )
        ahead = next_meeting(connection, viewer, now.date())
        audit.record(
            connection, at=now, practice_id=practice_id, username=viewer.username, purpose=viewer.purpose, action="export digest",
            clinician_id=viewer.clinician_id,
        )  # fmt: skip
    items = int(ahead["entries"]) if ahead else 0
    return digest_lines(found, ahead, items, now.date())
