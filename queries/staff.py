"""Who works in a practice, who is away and who supervises whom: what the page People shows. Holds no client data."""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy import Connection, func, or_, select
from sqlalchemy.orm import aliased

from queries.frames import read_frame
from queries.tables import Clinician, Leave, SupervisionLink

NAME = func.coalesce(Clinician.display_name, Clinician.source_id)


def clinicians(connection: Connection, practice_id: int) -> pl.DataFrame:
    """Every clinician of a practice by name: id, source, source_id, name, started_on, ended_on, is_trainee."""
    return read_frame(
        connection,
        select(
            Clinician.id.label("clinician_id"),
            Clinician.source,
            Clinician.source_id,
            NAME.label("name"),
            Clinician.started_on,
            Clinician.ended_on,
            Clinician.is_trainee,
        )
        .where(Clinician.practice_id == practice_id)
        .order_by(NAME, Clinician.source_id),
    )


def leave(connection: Connection, practice_id: int, since: date) -> pl.DataFrame:
    """Leave that ends on ``since`` or later: clinician_id, from_day, to_day, cover_id."""
    return read_frame(
        connection,
        select(Leave.clinician_id, Leave.from_day, Leave.to_day, Leave.cover_id)
        .where(Leave.practice_id == practice_id, Leave.to_day >= since)
        .order_by(Leave.from_day, Leave.clinician_id),
    )


def supervision(connection: Connection, practice_id: int, since: date) -> pl.DataFrame:
    """Links that stand on ``since`` or later: supervisor_id, supervisee_id, their names, from_day, to_day."""
    above, below = aliased(Clinician), aliased(Clinician)
    return read_frame(
        connection,
        select(
            SupervisionLink.id.label("link_id"),
            SupervisionLink.supervisor_id,
            SupervisionLink.supervisee_id,
            func.coalesce(above.display_name, above.source_id).label("supervisor"),
            func.coalesce(below.display_name, below.source_id).label("supervisee"),
            SupervisionLink.from_day,
            SupervisionLink.to_day,
        )
        .join(above, above.id == SupervisionLink.supervisor_id)
        .join(below, below.id == SupervisionLink.supervisee_id)
        .where(
            SupervisionLink.practice_id == practice_id,
            or_(SupervisionLink.to_day.is_(None), SupervisionLink.to_day >= since),
        )
        .order_by("supervisor", "supervisee"),
    )
