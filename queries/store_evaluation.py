"""Writing evaluations: whole ones, and a few episodes of the current one again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, delete, func, insert, select, update

from dashboard.replay import Assessment
from queries import store_patterns
from queries.frames import insert_frame
from queries.keys import next_id
from queries.tables import EpisodeState, Evaluation, Flag, SessionState

PARTS: tuple[Any, ...] = (EpisodeState, SessionState, Flag)
MANY_IDS = 30_000


@dataclass(frozen=True)
class Found:
    """An evaluation that is there already."""

    id: int
    is_current: bool
    data_import_id: int | None


def find(connection: Connection, practice_id: int, *, as_of: date, rules_version: str) -> Found | None:
    """The evaluation of that day under those rules; the current one first."""
    row = connection.execute(
        select(Evaluation.id, Evaluation.is_current, Evaluation.data_import_id)
        .where(
            Evaluation.practice_id == practice_id,
            Evaluation.as_of == as_of,
            Evaluation.rules_version == rules_version,
        )
        .order_by(Evaluation.is_current.desc(), Evaluation.id.desc())
    ).first()
    return None if row is None else Found(int(row.id), bool(row.is_current), row.data_import_id)


@dataclass(frozen=True)
class Stored:
    """An evaluation just written: how many episodes, and how many of their flags stand."""

    id: int
    episodes: int
    standing: int


def _write(connection: Connection, evaluation_id: int, practice_id: int, parts: Iterable[Assessment]) -> Stored:
    both = {"evaluation_id": pl.lit(evaluation_id), "practice_id": pl.lit(practice_id)}
    episodes = standing = 0
    for part in parts:
        episodes, standing = episodes + part.states.height, standing + part.flags["cleared_on"].null_count()
        for table, frame in zip(PARTS, (part.states, part.sessions, part.flags), strict=True):
            known = [column for column in frame.columns if column in table.__table__.c]
            rows = frame.select(known).with_columns(**both)
            if table is Flag:
                rows = rows.with_columns(id=pl.int_range(pl.len(), dtype=pl.Int64) + next_id(connection, Flag))
            insert_frame(connection, table.__table__, rows)
    return Stored(evaluation_id, episodes, standing)


def _remove(connection: Connection, evaluation_ids: list[int]) -> None:
    for table in PARTS:
        connection.execute(delete(table).where(table.evaluation_id.in_(evaluation_ids)))
    store_patterns.remove(connection, evaluation_ids)


def store_evaluation(
    connection: Connection,
    practice_id: int,
    *,
    as_of: date,
    now: datetime,
    rules_version: str,
    model_version: str | None,
    settings: dict[str, Any],
    data_import_id: int | None,
    parts: Iterable[Assessment],
    is_current: bool,
) -> Stored:
    """Stores an evaluation in place of an earlier one of the same day; a new current one replaces the last current one.

    Only the rows of replaced evaluations are removed; that they were made stays on record.
    """
    same = list(
        connection.execute(
            select(Evaluation.id).where(
                Evaluation.practice_id == practice_id,
                Evaluation.as_of == as_of,
                Evaluation.is_current == is_current,
            )
        ).scalars()
    )
    before = (
        list(
            connection.execute(
                select(Evaluation.id).where(Evaluation.practice_id == practice_id, Evaluation.is_current)
            ).scalars()
        )
        if is_current
        else []
    )
    _remove(connection, [*same, *before])
    if is_current:
        connection.execute(update(Evaluation).where(Evaluation.id.in_(before)).values(is_current=False))
    evaluation_id = next_id(connection, Evaluation)
    connection.execute(
        insert(Evaluation).values(
            id=evaluation_id,
            practice_id=practice_id,
            as_of=as_of,
            rules_version=rules_version,
            model_version=model_version,
            settings=settings,
            data_import_id=data_import_id,
            evaluated_at=now,
            is_current=is_current,
        )
    )
    return _write(connection, evaluation_id, practice_id, parts)


def replace_episodes(
    connection: Connection,
    evaluation_id: int,
    practice_id: int,
    data_import_id: int | None,
    episode_ids: list[int],
    parts: Iterable[Assessment],
) -> Stored:
    """Computes a few episodes of the current evaluation anew."""
    for start in range(0, len(episode_ids), MANY_IDS):
        part = episode_ids[start : start + MANY_IDS]
        for table in PARTS:
            connection.execute(delete(table).where(table.evaluation_id == evaluation_id, table.episode_id.in_(part)))
    connection.execute(update(Evaluation).where(Evaluation.id == evaluation_id).values(data_import_id=data_import_id))
    return _write(connection, evaluation_id, practice_id, parts)


def asked_in(connection: Connection, evaluation_id: int, question: str) -> dict[int, bool]:
    """Open episodes of an evaluation, and whether a fit question is asked of each."""
    found = connection.execute(
        select(EpisodeState.episode_id, EpisodeState.fit_questions).where(
            EpisodeState.evaluation_id == evaluation_id, EpisodeState.closed_on.is_(None)
        )
    )
    return {int(row.episode_id): question in (row.fit_questions or "").split(";") for row in found}


def current_day(connection: Connection, practice_id: int) -> date | None:
    """The day of the evaluation that pages read; null in a practice never evaluated."""
    return connection.execute(
        select(func.max(Evaluation.as_of)).where(Evaluation.practice_id == practice_id, Evaluation.is_current)
    ).scalar()
