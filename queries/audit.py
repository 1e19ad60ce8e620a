"""Who opened, changed or exported what: one row per act, in the same transaction as the act."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert

from queries.keys import next_id
from queries.tables import Audit


def record(
    connection: Connection,
    *,
    at: datetime,
    practice_id: int | None,
    username: str,
    action: str,
    clinician_id: int | None = None,
    episode_id: int | None = None,
    detail: str | None = None,
) -> None:
    """Adds an audit row. ``action`` begins with sign_in, sign_out, view, export, import, change or refuse."""
    connection.execute(
        insert(Audit).values(
            id=next_id(connection, Audit),
            at=at,
            practice_id=practice_id,
            username=username,
            action=action,
            clinician_id=clinician_id,
            episode_id=episode_id,
            detail=detail,
        )
    )
