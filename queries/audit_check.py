"""Whether the audit is still what was written: every row against its own hash, and against the row before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text

from queries.audit import DETAILS_ERASED, from_ranges
from queries.audit_chain import ERASED, START, Sealed, hash_of_detail, hash_of_row
from queries.frames import read_batches
from queries.tables import Audit

BATCH = 5_000  # rows held at a time
COLUMNS = tuple(column.name for column in Audit.__table__.c)
TRIGGERS = {
    "sqlite": {"audit_append", "audit_no_delete", "audit_no_update"},
    "postgresql": {"audit_append_only", "audit_no_truncate"},
}
REPLACED = (
    "it replaced an audit that ended in "  # what a restore says of the audit it wrote over, before that one's head
)


@dataclass
class Verdict:
    """What was found. ``broken``: number of the first row that is not as written, and ``why`` in words; null: unbroken.

    ``head``: the last row's hash. ``knows_head``: whether the head asked for is that of a row here; null where none was asked
    for. ``replaced_on``: a restore says that it wrote over an audit which ended in that head. ``gaps``: places where rows are
    not there, in a part of an audit. ``hidden``: rows of a part whose episode is withheld, so only their place was checked.
    """

    rows: int = 0
    since: datetime | None = None
    until: datetime | None = None
    head: str = START
    broken: int | None = None
    why: str = ""
    erased: int = 0
    knows_head: bool | None = None
    replaced_on: datetime | None = None
    gaps: int = 0
    hidden: int = 0
    _without_text: set[int] = field(default_factory=set)
    _named_erased: set[int] = field(default_factory=set)

    def breaks(self, number: int, why: str) -> None:
        """Keeps the first break only: everything after it hangs on it."""
        if self.broken is None:
            self.broken, self.why = number, why


def _detail_is_wrong(row: dict[str, Any]) -> str:
    detail, salt, hashed = row["detail"], row["salt"], row["detail_hash"]
    if hashed is None:
        return "" if detail is None and salt is None else "it has a detail that was not there when it was written"
    if salt is None:
        return "" if detail == ERASED else "its detail is not the one that was written"
    if detail is None or hash_of_detail(salt, detail) != hashed:
        return "its detail is not the one that was written"
    return ""


def sealed(row: dict[str, Any]) -> Sealed:
    """What the hash of a row, by column names, is made of."""
    return Sealed(
        row["previous_hash"], row["id"], row["at"], row["practice_id"], row["username"], row["action"],
        row["clinician_id"], row["episode_id"], row["purpose"], row["detail_hash"],
    )  # fmt: skip


def check_rows(rows: Iterable[dict[str, Any]], head: str | None = None, *, part: bool = False) -> Verdict:
    """Goes through rows, by number, that have the columns of the table; ``hidden`` true where a row's episode is withheld.

    ``head``: one that was kept elsewhere, to be found again. ``part``: rows may be absent; each gap is counted.
    """
    found = Verdict(knows_head=None if head is None else False)
    for row in rows:
        number = int(row["id"])
        if row["previous_hash"] != found.head:
            if part and row["previous_hash"] != START:
                found.gaps += 1
            else:
                found.breaks(number, "a row before it was removed, inserted, swapped or written anew")
        if row.get("hidden"):
            found.hidden += 1
        elif hash_of_row(sealed(row)) != row["row_hash"]:
            found.breaks(number, "it was changed after it was written")
        if why := _detail_is_wrong(row):
            found.breaks(number, why)
        if row["detail_hash"] is not None and row["salt"] is None:
            found._without_text.add(number)
        if row["action"] == DETAILS_ERASED and row["detail"] is not None:
            try:
                found._named_erased |= from_ranges(row["detail"])
            except ValueError:
                found.breaks(number, "it names no rows")
        if head is not None:
            found.knows_head = found.knows_head or row["row_hash"] == head
            if f"{REPLACED}{head}" in (row["detail"] or ""):
                found.replaced_on = row["at"]
        found.rows += 1
        found.since = found.since or row["at"]
        found.until, found.head = row["at"], row["row_hash"]
    found.erased = len(found._without_text)
    unnamed = found._without_text - found._named_erased
    if unnamed and not part:
        found.breaks(min(unnamed), "its detail was taken away, and no erasure names it")
    return found


def stored_rows(connection: Connection) -> Iterator[dict[str, Any]]:
    """The audit of a whole database, by number, a few thousand rows at a time."""
    statement = select(*(getattr(Audit, name) for name in COLUMNS)).order_by(Audit.id)
    for frame in read_batches(connection, statement, BATCH):
        yield from frame.iter_rows(named=True)


def check_chain(connection: Connection, head: str | None = None) -> Verdict:
    """As ``check_rows``, of a whole database."""
    return check_rows(stored_rows(connection), head)


def head_of(connection: Connection) -> str | None:
    """The last row's hash; null for an audit without rows."""
    return connection.execute(select(Audit.row_hash).order_by(Audit.id.desc()).limit(1)).scalar()


def is_closed(connection: Connection) -> bool:
    """Whether the database itself refuses to change and remove rows: its triggers are there and on."""
    if connection.dialect.name == "sqlite":
        asked = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
    else:
        asked = (
            "SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relname = 'audit' AND n.nspname = current_schema() AND tgenabled IN ('O', 'A')"
        )
    return TRIGGERS[connection.dialect.name] <= set(connection.execute(text(asked)).scalars())
