"""Saving and deleting a practice's mappings, each with its audit row in the same transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from queries import audit
from queries.intake_tables import SavedMapping
from queries.keys import next_id


def _id_of(connection: Connection, practice_id: int, name: str) -> int | None:
    statement = select(SavedMapping.id).where(SavedMapping.practice_id == practice_id, SavedMapping.name == name)
    return connection.execute(statement).scalar_one_or_none()


def exists(connection: Connection, practice_id: int, name: str) -> bool:
    """Whether the practice has a mapping of that name."""
    return _id_of(connection, practice_id, name) is not None


def save(
    connection: Connection,
    practice_id: int,
    name: str,
    content: str,
    *,
    username: str | None,
    now: datetime,
    purpose: str | None = None,
) -> bool:
    """Writes a mapping under a name, in place of one that has it; True where it replaced one."""
    by = username or "operator"
    found = _id_of(connection, practice_id, name)
    if found is None:
        connection.execute(
            insert(SavedMapping).values(
                id=next_id(connection, SavedMapping), practice_id=practice_id, name=name, content=content, saved_at=now,
                username=by,
            )
        )  # fmt: skip
    else:
        connection.execute(
            update(SavedMapping).where(SavedMapping.id == found).values(content=content, saved_at=now, username=by)
        )
    audit.record(
        connection, at=now, practice_id=practice_id, username=by, action="change mapping", purpose=purpose,
        detail=f"{'replaced' if found is not None else 'saved'} {name}",
    )  # fmt: skip
    return found is not None


def rename(
    connection: Connection,
    practice_id: int,
    name: str,
    new: str,
    *,
    username: str | None,
    now: datetime,
    purpose: str | None = None,
) -> bool:
    """Gives a mapping another name; False where there is none of that name."""
    found = _id_of(connection, practice_id, name)
    if found is None:
        return False
    connection.execute(update(SavedMapping).where(SavedMapping.id == found).values(name=new))
    audit.record(
        connection, at=now, practice_id=practice_id, username=username or "operator",
        action="change mapping", purpose=purpose,
        detail=f"renamed {name} to {new}",
    )  # fmt: skip
    return True


def remove(
    connection: Connection,
    practice_id: int,
    name: str,
    *,
    username: str | None,
    now: datetime,
    purpose: str | None = None,
) -> bool:
    """Deletes a mapping; False where there is none of that name. What was imported through it stays."""
    found = _id_of(connection, practice_id, name)
    if found is None:
        return False
    connection.execute(delete(SavedMapping).where(SavedMapping.id == found))
    audit.record(
        connection, at=now, practice_id=practice_id, username=username or "operator",
        action="change mapping", purpose=purpose,
        detail=f"deleted {name}",
    )  # fmt: skip
    return True
