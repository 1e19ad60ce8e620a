"""Reading of meetings with the names of everybody in them: who meets together knows who is there, in scope or not."""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection

from dashboard.access import Viewer, scope_for
from dashboard.reach import staff_scope
from queries import meetings
from queries.acting import within
from queries.frames import read_frame


def listed(connection: Connection, viewer: Viewer, public_id: str | None = None) -> pl.DataFrame:
    """``meetings.meetings`` as a frame."""
    with within(connection, staff_scope(scope_for(viewer))):
        return read_frame(connection, meetings.meetings(viewer, public_id=public_id))


def people(connection: Connection, viewer: Viewer) -> pl.DataFrame:
    """``meetings.supervisees`` as a frame."""
    with within(connection, staff_scope(scope_for(viewer))):
        return read_frame(connection, meetings.supervisees(viewer))


def agenda(connection: Connection, viewer: Viewer, meeting_id: int) -> pl.DataFrame:
    """``meetings.items`` as a frame."""
    with within(connection, staff_scope(scope_for(viewer))):
        return read_frame(connection, meetings.items(viewer, meeting_id))
