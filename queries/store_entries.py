"""Rows entered by hand into the tables: the one place of entering that stores, as an import of its own source and kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from sqlalchemy import Connection, and_, func, select, update
from sqlalchemy.orm import aliased

from dashboard.access import Viewer, operator_scope
from dashboard.errors import UnusableInput
from dashboard.intake.batch import Batch
from queries import audit
from queries.acting import within
from queries.contents import content_of
from queries.frames import read_frame
from queries.keys import BY_HAND
from queries.store import store_batch
from queries.tables import Appointment, Audit, Client, Episode, Import, ScoreVersion

DELETED, BROUGHT_BACK = "entry deleted", "entry brought back"


@dataclass(frozen=True)
class Stored:
    """Which episodes an entry touched, the import that holds it (null: nothing was new), and the import before it."""

    import_id: int | None
    touched: frozenset[int]
    import_before: int | None


def store(
    connection: Connection,
    viewer: Viewer,
    batch: Batch,
    *,
    now: datetime,
    action: str,
    episode_id: int | None = None,
    clinician_id: int | None = None,
    detail: str = "",
) -> Stored:
    """Stores checked rows and writes who did it; nothing new writes nothing.

    Raises UnusableInput where a row could not be taken in: nothing of the entry may be stored then.
    """
    with within(connection, operator_scope(viewer.practice_id)):  # storing compares with what is there, whoever's it is
        result = store_batch(
            connection,
            viewer.practice_id,
            BY_HAND,
            batch,
            today=now.date(),
            now=now,
            username=viewer.username,
            kind="entered",
        )
    said = result.set_aside.filter(~pl.col("reason").str.contains("the items were taken"))
    if said.height:
        raise UnusableInput(f"Not saved: {said['reason'][0]}. Reload the page to see what stands.")
    if result.import_id is not None:
        audit.record(
            connection, at=now, practice_id=viewer.practice_id, username=viewer.username,
            purpose=viewer.purpose, action=f"change {action}",
            clinician_id=clinician_id, episode_id=episode_id, detail=detail or None,
        )  # fmt: skip
    return Stored(result.import_id, result.touched_episode_ids, result.import_before)


@dataclass(frozen=True)
class Deletion:
    """The last deletion of an episode that was not brought back: its import, and the rows as they stood (columns as stored)."""

    import_id: int
    username: str
    at: datetime
    appointments: pl.DataFrame
    scores: pl.DataFrame


def last_deletion(connection: Connection, practice_id: int, episode_id: int) -> Deletion | None:
    """What was deleted last in an episode and not brought back; the caller has checked that the episode is in scope."""
    other = aliased(Import)
    back = select(other.id).where(other.undoes_id == Import.id).exists()
    found = connection.execute(
        select(Import.id, Import.username, Import.imported_at, Import.imported_on)
        .join(Audit, and_(Audit.at == Import.imported_at, Audit.practice_id == Import.practice_id))
        .where(
            Import.practice_id == practice_id,
            Import.kind == "entered",
            Audit.episode_id == episode_id,
            Audit.action == f"change {DELETED}",
            ~back,
        )
        .order_by(Import.id.desc())
        .limit(1)
    ).first()
    with within(connection, operator_scope(practice_id)):
        held = None if found is None else content_of(connection, found.id)
    if found is None or held is None:
        return None
    names = held.tables["appointments"]["appointment_id"].to_list() if "appointments" in held.tables else []
    slots = read_frame(
        connection,
        select(Appointment.source_id, Appointment.starts_at, Appointment.status, Appointment.mode).where(
            Appointment.practice_id == practice_id,
            Appointment.episode_id == episode_id,
            Appointment.source == BY_HAND,
            Appointment.source_id.in_(names),
            Appointment.withdrawn_on.is_not(None),
        ),
    )
    key = ["taken_on", "instrument", "scale", "respondent"]
    versions = read_frame(
        connection,
        select(
            *(getattr(ScoreVersion, c) for c in key),
            ScoreVersion.value,
            ScoreVersion.appointment_ref,
            ScoreVersion.version_id,
        ).where(
            ScoreVersion.practice_id == practice_id,
            ScoreVersion.episode_id == episode_id,
            ScoreVersion.superseded_on == found.imported_on,
            ScoreVersion.undo_id.is_(None),
        ),
    )
    if "scores" in held.tables:
        versions = versions.join(held.tables["scores"].select(key), on=key, how="semi")
    else:
        versions = versions.clear()
    last = versions.sort("version_id").unique(key, keep="last", maintain_order=True).drop("version_id")
    return Deletion(found.id, found.username or "", found.imported_at, slots, last)


def mark_brought_back(connection: Connection, stored: Stored, deletion: Deletion) -> None:
    """Says which deletion an entry took back, so that it is not taken back twice."""
    connection.execute(update(Import).where(Import.id == stored.import_id).values(undoes_id=deletion.import_id))


def taken_elsewhere(connection: Connection, practice_id: int, keys: Sequence[str], episode_id: int) -> bool:
    """Whether one of these ids names a session entered by hand into another episode: storing it here would take it from there."""
    statement = select(Appointment.id).where(
        Appointment.practice_id == practice_id,
        Appointment.source == BY_HAND,
        Appointment.source_id.in_(list(keys)),
        Appointment.episode_id != episode_id,
    )
    return connection.execute(statement.limit(1)).first() is not None


def there_already(connection: Connection, practice_id: int, public_id: str) -> bool:
    """Whether an episode of the practice has that opaque id, whoever may see it and whether it was withdrawn or not."""
    statement = select(Episode.id).where(Episode.practice_id == practice_id, Episode.public_id == public_id)
    return connection.execute(statement.limit(1)).first() is not None


def code_taken(connection: Connection, practice_id: int, code: str) -> bool:
    """Whether a client of the practice has that code, in small or capital letters. Says nothing about whose client it is."""
    statement = select(Client.id).where(
        Client.practice_id == practice_id, func.lower(Client.client_code) == code.lower()
    )
    return connection.execute(statement.limit(1)).first() is not None
