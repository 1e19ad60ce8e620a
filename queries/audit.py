"""Who opened, changed or exported what: one row per act, in the same transaction as the act.

Rows are only ever added, each bound to the one before it (``queries.audit_chain``); the database itself refuses to change or
remove one. The one exception takes the text of a detail away, where it names a client whose data was erased.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from dashboard.errors import ContractError
from queries.audit_chain import ERASED, START, Sealed, hash_of_detail, hash_of_row, new_salt
from queries.tables import Audit

DETAILS_ERASED = "change audit details erased"  # names the rows whose details went; its own detail is never erased

_LAST: dict[str, Any] = {
    "sqlite": select(Audit.id, Audit.row_hash).order_by(Audit.id.desc()).limit(1),
    # also where row security does not show the last row to whoever acts
    "postgresql": text("SELECT last_id, last_hash FROM audit_tail()"),
}


def record(
    connection: Connection,
    *,
    at: datetime,
    practice_id: int | None,
    username: str,
    action: str,
    clinician_id: int | None = None,
    episode_id: int | None = None,
    detail: str | None = None,
    purpose: str | None = None,
) -> int:
    """Adds an audit row and returns its number. ``action`` begins with sign_in, sign_out, view, export, import, change or refuse.

    ``purpose``: what the person said at the beginning of their session that they look for; null: not said, or nobody's session.
    Raises ContractError outside ``queries.engine.writing``: only writers that take turns can tell which row is the last.
    """
    if not connection.get_execution_options().get("writer", False):
        raise ContractError(f"'{action}' would be audited outside a write transaction")
    last = connection.execute(_LAST[connection.dialect.name]).first()
    number, previous = (1, START) if last is None else (int(last[0]) + 1, str(last[1]))
    salt = None if detail is None else new_salt()
    detail_hash = None if detail is None or salt is None else hash_of_detail(salt, detail)
    row = Sealed(
        previous, number, at, practice_id, username, action, clinician_id, episode_id, purpose, detail_hash
    )  # fmt: skip
    connection.execute(
        insert(Audit).values(
            id=number,
            at=at,
            practice_id=practice_id,
            username=username,
            action=action,
            clinician_id=clinician_id,
            episode_id=episode_id,
            detail=detail,
            purpose=purpose,
            salt=salt,
            detail_hash=detail_hash,
            previous_hash=previous,
            row_hash=hash_of_row(row),
        )
    )
    return number


def noted_since(
    connection: Connection, practice_id: int, username: str, action: str, purpose: str | None, since: datetime
) -> set[tuple[int | None, int | None, str | None]]:
    """What somebody was noted to have done, for a purpose, since a time: (clinician, episode, detail)."""
    rows = connection.execute(
        select(Audit.clinician_id, Audit.episode_id, Audit.detail).where(
            Audit.practice_id == practice_id,
            Audit.at >= since,
            Audit.username == username,
            Audit.action == action,
            Audit.purpose.is_(None) if purpose is None else Audit.purpose == purpose,
        )
    )
    return {(row.clinician_id, row.episode_id, row.detail) for row in rows}


def erase_details(
    connection: Connection, practice_id: int, numbers: list[int], *, username: str, now: datetime
) -> None:
    """Takes text and salt out of the details of these rows, for good, and adds a row that names them."""
    if not numbers:
        return
    for number in numbers:
        connection.execute(update(Audit).where(Audit.id == number).values(detail=ERASED, salt=None))
    record(
        connection, at=now, practice_id=practice_id, username=username, action=DETAILS_ERASED,
        detail=as_ranges(numbers),
    )  # fmt: skip


def as_ranges(numbers: list[int]) -> str:
    """Row numbers in words, such as ``3, 7-9``."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def from_ranges(text: str) -> set[int]:
    """The row numbers that ``as_ranges`` wrote. Raises ValueError for anything else."""
    found: set[int] = set()
    for part in text.split(", "):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found
