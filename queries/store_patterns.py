"""Writing patterns: expectations and estimates of an evaluation, and who wants their own endings followed over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl
from sqlalchemy import Connection, delete, func, insert, or_, select

from dashboard.access import NO_EPISODE, Viewer, check_can_choose_monitoring
from dashboard.errors import NotAllowed
from queries import audit
from queries.frames import insert_frame
from queries.keys import next_id
from queries.pattern_tables import ClinicianEstimate, EpisodeExpectation, MonitoringChoice, PracticeEstimate
from queries.tables import Clinician, EpisodeState

PARTS = (EpisodeExpectation, ClinicianEstimate, PracticeEstimate)


def remove(connection: Connection, evaluation_ids: Sequence[int]) -> None:
    """Removes what stands for some evaluations."""
    for table in PARTS:
        connection.execute(delete(table).where(table.evaluation_id.in_(list(evaluation_ids))))


def store(
    connection: Connection,
    practice_id: int,
    evaluation_id: int,
    *,
    expectations: pl.DataFrame,
    clinicians: pl.DataFrame,
    practice: pl.DataFrame,
) -> None:
    """Stores the patterns of an evaluation in place of what stood there."""
    remove(connection, [evaluation_id])
    both = {"evaluation_id": pl.lit(evaluation_id), "practice_id": pl.lit(practice_id)}
    for table, frame in zip(PARTS, (expectations, clinicians, practice), strict=True):
        known = [name for name in frame.columns if name in table.__table__.c]
        insert_frame(connection, table.__table__, frame.select(known).with_columns(**both))


def any_ended(connection: Connection, evaluation_id: int, episode_ids: Sequence[int]) -> bool:
    """Whether some of those episodes are among the ended ones of an evaluation, or were when patterns were last computed."""
    ids = list(episode_ids)
    now = select(func.count()).where(
        EpisodeState.evaluation_id == evaluation_id,
        EpisodeState.episode_id.in_(ids),
        or_(EpisodeState.closed_on.is_not(None), EpisodeState.dropout.is_(True)),
    )
    before = select(func.count()).where(
        EpisodeExpectation.evaluation_id == evaluation_id, EpisodeExpectation.episode_id.in_(ids)
    )
    return any(connection.execute(statement).scalar() for statement in (now, before))


def choose_monitoring(connection: Connection, viewer: Viewer, clinician_id: int, wanted: bool, at: datetime) -> None:
    """A clinician's own choice whether their endings are followed one by one (VLAD, CUSUM); nobody makes it for them.

    Raises NotAllowed for anybody else.
    """
    check_can_choose_monitoring(viewer, clinician_id)
    known = connection.execute(
        select(Clinician.id).where(Clinician.practice_id == viewer.practice_id, Clinician.id == clinician_id)
    ).scalar()
    if known is None:
        raise NotAllowed(NO_EPISODE)
    connection.execute(
        insert(MonitoringChoice).values(
            id=next_id(connection, MonitoringChoice), practice_id=viewer.practice_id, clinician_id=clinician_id,
            wanted=wanted, chosen_at=at, username=viewer.username,
        )
    )  # fmt: skip
    audit.record(
        connection, at=at, practice_id=viewer.practice_id, username=viewer.username, purpose=viewer.purpose,
        action="change monitoring over time", clinician_id=clinician_id, detail="wanted" if wanted else "not wanted",
    )  # fmt: skip
