"""Whose episodes the links of a day open: supervision and cover, each from its first day to its last, both included.

Only what the practice knows by that day counts, and nothing that came with an import that was undone.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, func, or_, select

from dashboard.access import Covered
from queries.tables import Clinician, Import, Leave, SupervisionLink


def supervised(connection: Connection, practice_id: int, clinician_id: int, today: date) -> frozenset[int]:
    """Whom a clinician supervises today. A link without a first or last day is open at that end."""
    links = select(SupervisionLink.supervisee_id).where(
        SupervisionLink.practice_id == practice_id,
        SupervisionLink.supervisor_id == clinician_id,
        or_(SupervisionLink.from_day.is_(None), SupervisionLink.from_day <= today),
        or_(SupervisionLink.to_day.is_(None), SupervisionLink.to_day >= today),
        or_(SupervisionLink.known_from.is_(None), SupervisionLink.known_from <= today),
    )
    return frozenset(int(one) for one in connection.execute(links).scalars())


def covered(connection: Connection, practice_id: int, clinician_id: int, today: date) -> tuple[Covered, ...]:
    """For whom a clinician covers today, by name, each with the last day of the leave (the latest where several overlap)."""
    undoings = select(Import.id).where(Import.practice_id == practice_id, Import.kind == "undo")
    name = func.coalesce(Clinician.display_name, Clinician.source_id)
    leaves = (
        select(Leave.clinician_id, name.label("name"), func.max(Leave.to_day).label("until"))
        .join(Clinician, Clinician.id == Leave.clinician_id)
        .where(
            Leave.practice_id == practice_id,
            Leave.cover_id == clinician_id,
            Leave.clinician_id != clinician_id,
            Leave.from_day <= today,
            Leave.to_day >= today,
            or_(Leave.known_from.is_(None), Leave.known_from <= today),
            or_(Leave.import_id.is_(None), Leave.import_id.not_in(undoings)),
        )
        .group_by(Leave.clinician_id, name)
        .order_by(name)
    )
    return tuple(Covered(int(row.clinician_id), str(row.name), row.until) for row in connection.execute(leaves))
