"""Writes of the growth goal: only by the clinician it belongs to, each with an audit row in the same transaction.

The audit says that something was written and whether it is shared, never what: administrators read it too.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection, insert, select, update

from dashboard.access import Viewer, check_can_write_goal
from dashboard.errors import NotAllowed
from queries import audit
from queries.growth_tables import GrowthGoal
from queries.keys import next_id
from queries.tables import Clinician

REPLACED = "Replaced by a new goal"


def _own(connection: Connection, viewer: Viewer) -> int:
    """The viewer's own clinician record in their practice. Raises NotAllowed where there is none."""
    known = connection.execute(
        select(Clinician.id).where(Clinician.practice_id == viewer.practice_id, Clinician.id == viewer.clinician_id)
    ).scalar()
    if known is None:
        raise NotAllowed("A growth goal needs a clinician record of your own. Ask an administrator.")
    check_can_write_goal(viewer, known)
    return int(known)


def _note(connection: Connection, viewer: Viewer, clinician_id: int, what: str, now: datetime, shared: bool) -> None:
    audit.record(
        connection, at=now, practice_id=viewer.practice_id, username=viewer.username,
        purpose=viewer.purpose, action=f"change growth goal {what}",
        clinician_id=clinician_id, detail="shared" if shared else "not shared",
    )  # fmt: skip


def _standing(connection: Connection, clinician_id: int) -> tuple[int, bool] | None:
    row = connection.execute(
        select(GrowthGoal.id, GrowthGoal.shared)
        .where(GrowthGoal.clinician_id == clinician_id, GrowthGoal.closed_on.is_(None))
        .order_by(GrowthGoal.id.desc())
    ).first()
    return None if row is None else (int(row[0]), bool(row[1]))


def set_goal(
    connection: Connection, viewer: Viewer, *, text: str, sign: str, value_at_start: float | None, n_at_start: int,
    look_again_on: date, shared: bool, now: datetime,
) -> int:  # fmt: skip
    """A new goal of the viewer's own; one that stands is closed by it and kept. Raises NotAllowed without an own record."""
    clinician_id = _own(connection, viewer)
    connection.execute(
        update(GrowthGoal)
        .where(GrowthGoal.clinician_id == clinician_id, GrowthGoal.closed_on.is_(None))
        .values(closed_on=now.date(), closed_note=REPLACED)
    )
    goal_id = next_id(connection, GrowthGoal)
    connection.execute(
        insert(GrowthGoal).values(
            id=goal_id, practice_id=viewer.practice_id, clinician_id=clinician_id, text=text, sign=sign,
            value_at_start=value_at_start, n_at_start=n_at_start, set_on=now.date(), look_again_on=look_again_on,
            shared=shared, closed_on=None, closed_note=None,
        )
    )  # fmt: skip
    _note(connection, viewer, clinician_id, "set", now, shared)
    return goal_id


def close_goal(connection: Connection, viewer: Viewer, *, note: str, now: datetime) -> bool:
    """Closes the viewer's own standing goal with a note on how it went; false where none stands."""
    clinician_id = _own(connection, viewer)
    found = _standing(connection, clinician_id)
    if found is None:
        return False
    connection.execute(
        update(GrowthGoal).where(GrowthGoal.id == found[0]).values(closed_on=now.date(), closed_note=note or None)
    )
    _note(connection, viewer, clinician_id, "closed", now, found[1])
    return True


def share_goal(connection: Connection, viewer: Viewer, *, shared: bool, now: datetime) -> bool:
    """Shares the viewer's own standing goal, or takes that back; false where none stands."""
    clinician_id = _own(connection, viewer)
    found = _standing(connection, clinician_id)
    if found is None:
        return False
    connection.execute(update(GrowthGoal).where(GrowthGoal.id == found[0]).values(shared=shared))
    _note(connection, viewer, clinician_id, "sharing", now, shared)
    return True
