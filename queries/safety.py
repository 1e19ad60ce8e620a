"""Recording that a risk answer was followed up: the only thing that clears a safety flag."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, insert, select

from dashboard.access import Scope, Viewer, check_can_record_safety_check
from queries import audit
from queries.caseload import waiting_safety
from queries.frames import read_frame
from queries.keys import next_id
from queries.tables import Episode, SafetyCheck


def store_checks(
    connection: Connection, practice_id: int, source: str, checks: Sequence[tuple[str, str, date]], username: str
) -> None:
    """Checks already made elsewhere, each noted on the day after the answer: (source id of the episode, signal, since)."""
    known = connection.execute(
        select(Episode.source_id, Episode.id).where(Episode.practice_id == practice_id, Episode.source == source)
    )
    ids = {row.source_id: row.id for row in known}
    first = next_id(connection, SafetyCheck)
    rows = [
        {
            "id": first + place,
            "practice_id": practice_id,
            "episode_id": ids[episode],
            "signal": signal,
            "since": since,
            "checked_on": since + timedelta(days=1),
            "checked_at": datetime(since.year, since.month, since.day, 12) + timedelta(days=1),
            "username": username,
            "note": None,
        }
        for place, (episode, signal, since) in enumerate(checks)
    ]
    if rows:
        connection.execute(insert(SafetyCheck), rows)
        audit.record(
            connection, at=rows[-1]["checked_at"], practice_id=practice_id, username=username,
            action="change safety checks recorded", detail=f"{len(rows)} checks",
        )  # fmt: skip


def record_checks(
    connection: Connection,
    viewer: Viewer,
    scope: Scope,
    public_ids: Sequence[str],
    *,
    checked_on: date,
    note: str | None,
    now: datetime,
) -> list[int]:
    """Records a check of every waiting answer up to ``checked_on`` of those episodes, with audit rows.

    Returns the episodes touched; an episode outside the scope, or with nothing waiting, is none of them. Raises NotAllowed
    where the viewer may not.
    """
    waiting = read_frame(connection, waiting_safety(scope)).to_dicts()
    found = [row for row in waiting if row["public_id"] in set(public_ids) and row["since"] <= checked_on]
    for row in found:
        check_can_record_safety_check(viewer, row["clinician_id"])
        connection.execute(
            insert(SafetyCheck).values(
                id=next_id(connection, SafetyCheck),
                practice_id=viewer.practice_id,
                episode_id=row["episode_id"],
                signal=row["signal"],
                since=row["since"],
                checked_on=checked_on,
                checked_at=now,
                username=viewer.username,
                note=note,
            )
        )
    for episode_id in dict.fromkeys(row["episode_id"] for row in found):
        audit.record(
            connection, at=now, practice_id=viewer.practice_id, username=viewer.username, purpose=viewer.purpose,
            action="change safety check recorded", episode_id=episode_id, detail=f"checked on {checked_on}",
        )  # fmt: skip
    return list(dict.fromkeys(row["episode_id"] for row in found))
