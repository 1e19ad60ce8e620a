"""Reads that feed an evaluation: every version of every row in scope, with since and until when it was known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, Date, and_, exists, func, literal, or_, select
from sqlalchemy.orm import aliased

from dashboard.access import Scope
from dashboard.analytics.experience import SEEN
from dashboard.contracts import APPOINTMENTS, EPISODES, SAFETY_CHECKS, SCORES
from dashboard.replay import History
from dashboard.replay.answers import REPLIES
from dashboard.replay.known import LINKS
from queries.frames import read_frame
from queries.replies import replies
from queries.scope import visible_episodes
from queries.tables import (
    Appointment,
    AppointmentVersion,
    Clinician,
    ClinicianVersion,
    Episode,
    EpisodeVersion,
    Import,
    Leave,
    LeaveVersion,
    PracticeInstrument,
    SafetyCheck,
    Score,
    ScoreVersion,
    Statement,
)
from queries.worlds import standing_on, undone_on

MANY = 5_000  # beyond so many ids, reading the whole scope and filtering in memory is quicker than a long list


@dataclass(frozen=True)
class Known:
    """How far a read reaches: known by ``as_of``, of the episodes ``ids`` (null: all in scope), given the undoings since."""

    as_of: date
    ids: Sequence[int] | None
    undone: tuple[int, ...] = ()


def _ends(table: Any, current: Any) -> Any:
    """The day from which a row was no longer known as it stands there; null: it still is."""
    if table is not current:
        return table.superseded_on
    return table.withdrawn_on if hasattr(table, "withdrawn_on") else literal(None, Date)


def _versions(
    scope: Scope, current: Any, earlier: Any, columns: Sequence[str], owner: str, known: Known
) -> list[Statement]:
    """Every version known by a day; one that was over before it began was never known."""
    visible = visible_episodes(scope, withdrawn=True)
    conditions = standing_on(current, earlier, known.undone)
    found = []
    for table, stands in zip((current, earlier), conditions, strict=True):
        until = _ends(table, current)
        statement = (
            select(
                getattr(table, owner).label("episode_id"),
                *(getattr(table, name) for name in columns),
                table.known_from.label("valid_from"),
                until.label("valid_to"),
            )
            .join(visible, visible.c.episode_id == getattr(table, owner))
            .where(table.known_from <= known.as_of, stands)
        )
        if table is not current or hasattr(table, "withdrawn_on"):
            statement = statement.where(or_(until.is_(None), until > table.known_from))
        if known.ids is not None and len(known.ids) <= MANY:
            statement = statement.where(getattr(table, owner).in_(list(known.ids)))
        found.append(statement)
    return found


def _read(connection: Connection, statements: Sequence[Statement], ids: Sequence[int] | None) -> pl.DataFrame:
    frame = pl.concat([read_frame(connection, statement) for statement in statements])
    if ids is not None and len(ids) > MANY:
        frame = frame.filter(pl.col("episode_id").is_in(list(ids)))
    return frame


def history(
    connection: Connection,
    scope: Scope,
    as_of: date,
    episode_ids: Sequence[int] | None = None,
    everyone: pl.DataFrame | None = None,
) -> History:
    """Everything known by ``as_of`` about the episodes in scope (or those named), with its validity.

    ``everyone``: what ``experience_known`` gave, where it has been read already.

    The scope is that of an episode's present clinician; a past version may name another.
    """
    known = Known(as_of, episode_ids, undone_on(connection, scope.practice_id, as_of))
    names = [c for c in EPISODES.schema if c not in ("episode_id", "as_of")]
    episodes = _read(
        connection,
        _versions(scope, Episode, EpisodeVersion, [*names, "ending_known_from"], "id", known),
        episode_ids,
    )
    owners: tuple[Any, ...] = (Appointment, AppointmentVersion)
    appointments = _read(
        connection,
        [
            statement.add_columns(owner.id.label("appointment_id"))
            for statement, owner in zip(
                _versions(
                    scope,
                    Appointment,
                    AppointmentVersion,
                    ["starts_at", "status", "mode", "status_known_from"],
                    "episode_id",
                    known,
                ),
                owners,
                strict=True,
            )
        ],
        episode_ids,
    )
    scores = _read(
        connection,
        _versions(scope, Score, ScoreVersion, list(SCORES.schema)[1:], "episode_id", known),
        episode_ids,
    )
    checks = _read(connection, [safety_checks(scope, as_of)], None)
    if episode_ids is not None:
        checks = checks.filter(pl.col("episode_id").is_in(list(episode_ids)))
    order = [*APPOINTMENTS.schema, "valid_from", "valid_to", "status_known_from"]
    clinicians = pl.concat(read_frame(connection, statement) for statement in trainees(scope, known.undone))
    said = read_frame(connection, replies(scope, as_of)).select(REPLIES.keys())
    if episode_ids is not None and everyone is None:
        everyone = experience_known(connection, scope, as_of)
    away = pl.concat(read_frame(connection, statement) for statement in leaves(scope, known.undone))
    links = _read(connection, linked(scope, as_of, known.undone), episode_ids).select(LINKS.keys())
    return History(episodes, appointments.select(order), scores, checks, clinicians, away, said, everyone, links)


def linked(scope: Scope, as_of: date, undone: Sequence[int] = ()) -> list[Statement]:
    """Client's scores that name an appointment on another day than their own, with since and until when that was known.

    ``undone``: ``worlds.undone_on``, here and below.
    """
    visible = visible_episodes(scope, withdrawn=True)
    found: list[Statement] = []
    tables: tuple[Any, ...] = (Score, ScoreVersion)
    for table, stands in zip(tables, standing_on(Score, ScoreVersion, undone), strict=True):
        found.append(
            select(
                table.episode_id,
                Appointment.id.label("appointment_id"),
                table.instrument,
                table.taken_on,
                table.known_from.label("valid_from"),
                _ends(table, Score).label("valid_to"),
            )
            .join(visible, visible.c.episode_id == table.episode_id)
            .join(
                Appointment,
                and_(Appointment.episode_id == table.episode_id, Appointment.source_id == table.appointment_ref),
            )
            .where(
                table.appointment_ref.is_not(None),
                table.respondent == "client",
                table.known_from <= as_of,
                stands,
                func.date(Appointment.starts_at, type_=Date) != table.taken_on,
            )
            .distinct()
        )
    return found


def leaves(scope: Scope, undone: Sequence[int] = ()) -> list[Statement]:
    """When clinicians of the practice are away, known from the day it was recorded, else from its first day on."""
    now, then = standing_on(Leave, LeaveVersion, undone)
    undoings = select(Import.id).where(Import.practice_id == scope.practice_id, Import.kind == "undo")
    known = func.coalesce(Leave.known_from, Leave.from_day, type_=Date).label("valid_from")
    fields = (Leave.clinician_id, Leave.from_day, Leave.to_day)
    found: list[Statement] = [
        select(*fields, known).where(
            Leave.practice_id == scope.practice_id,
            now,
            or_(Leave.import_id.is_(None), Leave.import_id.not_in(undoings)),
        )
    ]
    if undone:
        kept = func.coalesce(LeaveVersion.known_from, Leave.from_day, type_=Date).label("valid_from")
        of_then = select(*fields, kept).join(LeaveVersion, LeaveVersion.id == Leave.id)
        later = aliased(LeaveVersion)
        # as everywhere here: of a leave only its newest row is read, and these are what the undoing found and replaced
        newer = exists().where(
            later.id == LeaveVersion.id,
            later.undo_id == LeaveVersion.undo_id,
            later.version_id > LeaveVersion.version_id,
        )
        found.append(
            of_then.where(Leave.practice_id == scope.practice_id, then, LeaveVersion.undo_id.is_not(None), ~newer)
        )
    return found


def experience_known(connection: Connection, scope: Scope, as_of: date) -> pl.DataFrame:
    """Every version of every episode in scope known by a day, with its clinician and problem area (SEEN)."""
    names = ["clinician_id", "problem_area", "opened_on"]
    known = Known(as_of, None, undone_on(connection, scope.practice_id, as_of))
    found = _read(connection, _versions(scope, Episode, EpisodeVersion, names, "id", known), None)
    return found.select(pl.col(name).cast(kind) for name, kind in SEEN.items())


def trainees(scope: Scope, undone: Sequence[int] = ()) -> list[Statement]:
    """Who was in training, with since and until when that was known (null: always, still); of the whole practice.

    An episode may have been another clinician's before; this says nothing about any client.
    """
    found: list[Statement] = []
    tables: tuple[Any, ...] = (Clinician, ClinicianVersion)
    for table, stands in zip(tables, standing_on(Clinician, ClinicianVersion, undone), strict=True):
        found.append(
            select(
                table.id.label("clinician_id"),
                table.is_trainee,
                table.known_from.label("valid_from"),
                _ends(table, Clinician).label("valid_to"),
            ).where(table.practice_id == scope.practice_id, stands)
        )
    return found


def safety_checks(scope: Scope, as_of: date) -> Statement:
    """Follow-ups of risk answers recorded up to a day; they count from the day they were written down."""
    visible = visible_episodes(scope, as_of=as_of)
    recorded = func.date(SafetyCheck.checked_at, type_=Date)
    fields = [
        recorded.label("checked_on") if name == "checked_on" else getattr(SafetyCheck, name)
        for name in SAFETY_CHECKS.schema
    ]
    return (
        select(*fields)
        .join(visible, visible.c.episode_id == SafetyCheck.episode_id)
        .where(recorded <= as_of)
        .distinct()
    )


def own_instruments(connection: Connection, scope: Scope) -> list[dict[str, Any]]:
    """The practice's own instrument definitions, by key."""
    statement = select(PracticeInstrument.definition).where(PracticeInstrument.practice_id == scope.practice_id)
    rows = connection.execute(statement.order_by(PracticeInstrument.key)).scalars()
    return [row if isinstance(row, dict) else json.loads(row) for row in rows]


def latest_import(connection: Connection, scope: Scope) -> int | None:
    """The newest import that changed anything; null in an empty practice."""
    found = connection.execute(select(func.max(Import.id)).where(Import.practice_id == scope.practice_id)).scalar()
    return None if found is None else int(found)
