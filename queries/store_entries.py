"""Rows entered by hand into the tables: the one place of entering that stores, as an import of its own source and kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from dashboard.access import Viewer
from dashboard.entry.rows import SOURCE
from dashboard.intake.batch import Batch
from queries import audit
from queries.store import store_batch
from queries.tables import Client, Import


@dataclass(frozen=True)
class Stored:
    """Which episodes an entry touched, whether anything was new at all, and the import before it."""

    is_new: bool
    touched: frozenset[int]
    import_before: int | None


def store(
    connection: Connection,
    viewer: Viewer,
    batch: Batch,
    *,
    now: datetime,
    action: str,
    appointments: Sequence[int] = (),
    scores: Sequence[int] = (),
    episode_id: int | None = None,
    clinician_id: int | None = None,
    detail: str = "",
) -> Stored:
    """Stores checked rows, withdraws others, and writes who did it; nothing new writes nothing."""
    result = store_batch(
        connection, viewer.practice_id, SOURCE, batch, today=now.date(), now=now, username=viewer.username
    )
    if result.import_id is not None:
        connection.execute(update(Import).where(Import.id == result.import_id).values(kind="entered"))
        audit.record(
            connection, at=now, practice_id=viewer.practice_id, username=viewer.username, action=f"change {action}",
            clinician_id=clinician_id, episode_id=episode_id, detail=detail or None,
        )  # fmt: skip
    return Stored(result.import_id is not None, result.touched_episode_ids, result.import_before)


def bring_back(connection: Connection, viewer: Viewer, *, now: datetime, episode_id: int, clinician_id: int) -> Stored:
    """Undoes the last deletion in an episode."""
    raise NotImplementedError


def code_taken(connection: Connection, practice_id: int, code: str) -> bool:
    """Whether a client of the practice has that code, in small or capital letters. Says nothing about whose client it is."""
    statement = select(Client.id).where(
        Client.practice_id == practice_id, func.lower(Client.client_code) == code.lower()
    )
    return connection.execute(statement.limit(1)).first() is not None


def reopen(connection: Connection, viewer: Viewer, *, now: datetime, episode_id: int, clinician_id: int) -> Stored:
    """Takes an episode's ending back."""
    raise NotImplementedError
