"""Stored snapshots: written once, read by whoever may read every episode in them, deleted with a reason.

Each act and its audit rows land in one transaction; there is a row for each clinician concerned, so that everyone finds
in their own log what was made of their caseload.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import CTE, Connection, exists, func, insert, select, update

from dashboard.access import Scope
from queries import audit
from queries.frames import read_frame
from queries.keys import next_id
from queries.scope import visible_clinicians
from queries.tables import Snapshot, SnapshotClinician, SnapshotFile, Statement

CONTENT = "json"  # the format under which a snapshot's own content is kept


@dataclass(frozen=True)
class Record:
    """What is written down about a snapshot besides its files. ``about``: the people's own ids, for the file name."""

    kind: str
    audience: str
    title: str
    about: str
    as_of: date
    meeting_on: date | None
    rules_version: str
    model_version: str
    content_hash: str
    clinician_ids: frozenset[int]
    episode_id: int | None = None


@dataclass(frozen=True)
class StoredFile:
    """A file as stored; ``data`` null: deleted."""

    format: str
    name: str
    sha256: str
    data: bytes | None

    @property
    def is_intact(self) -> bool:
        """Whether the bytes are still those that were stored."""
        return self.data is not None and hashlib.sha256(self.data).hexdigest() == self.sha256


def _visible(scope: Scope) -> CTE:
    """``visible_snapshot``: every clinician in it is in scope, and there is one; an empty scope sees none."""
    within = visible_clinicians(scope)
    named = SnapshotClinician.snapshot_id == Snapshot.id
    inside = select(within.c.clinician_id)
    return (
        select(*Snapshot.__table__.c)
        .where(
            Snapshot.practice_id == scope.practice_id,
            exists().where(named, SnapshotClinician.clinician_id.in_(inside)),
            ~exists().where(named, SnapshotClinician.clinician_id.not_in(inside)),
        )
        .cte("visible_snapshot")
    )


def listed(scope: Scope, *, limit: int, offset: int = 0) -> Statement:
    """The snapshots in scope, newest first."""
    visible = _visible(scope)
    return select(*visible.c).order_by(visible.c.made_at.desc(), visible.c.id.desc()).limit(limit).offset(offset)


def counted(scope: Scope) -> Statement:
    """How many snapshots are in scope."""
    return select(func.count().label("snapshots")).select_from(_visible(scope))


def holding(scope: Scope, clinician_id: int) -> Statement:
    """How many snapshots in scope hold a clinician's episodes and were not deleted: snapshots."""
    visible = _visible(scope)
    return (
        select(func.count().label("snapshots"))
        .select_from(visible)
        .join(SnapshotClinician, SnapshotClinician.snapshot_id == visible.c.id)
        .where(SnapshotClinician.clinician_id == clinician_id, visible.c.deleted_at.is_(None))
    )


def files(connection: Connection, scope: Scope, public_id: str) -> list[StoredFile]:
    """The files of a snapshot in scope with their bytes; empty where it is not in scope or does not exist."""
    visible = _visible(scope)
    rows = connection.execute(
        select(SnapshotFile.format, SnapshotFile.name, SnapshotFile.sha256, SnapshotFile.data)
        .join(visible, visible.c.id == SnapshotFile.snapshot_id)
        .where(visible.c.public_id == public_id)
        .order_by(SnapshotFile.format)
    )
    return [StoredFile(row.format, row.name, row.sha256, row.data) for row in rows]


def clinicians_in(connection: Connection, scope: Scope, public_id: str) -> list[int]:
    """Whose episodes a snapshot in scope shows or counts; nobody's where it is not in scope."""
    visible = _visible(scope)
    rows = connection.execute(
        select(SnapshotClinician.clinician_id)
        .join(visible, visible.c.id == SnapshotClinician.snapshot_id)
        .where(visible.c.public_id == public_id)
        .order_by(SnapshotClinician.clinician_id)
    )
    return [int(one) for one in rows.scalars()]


def store(
    connection: Connection,
    practice_id: int,
    record: Record,
    made_files: Mapping[str, tuple[str, bytes]],
    *,
    username: str,
    now: datetime,
    purpose: str | None,
) -> str:
    """Writes a snapshot with its files (format to name and bytes), with audit rows; returns its opaque id."""
    new, public_id = next_id(connection, Snapshot), secrets.token_hex(8)
    connection.execute(
        insert(Snapshot).values(
            id=new,
            practice_id=practice_id,
            public_id=public_id,
            kind=record.kind,
            audience=record.audience,
            title=record.title,
            about=record.about,
            as_of=record.as_of,
            meeting_on=record.meeting_on,
            rules_version=record.rules_version,
            model_version=record.model_version or None,
            content_hash=record.content_hash,
            made_at=now,
            made_by=username,
        )
    )
    connection.execute(
        insert(SnapshotClinician),
        [{"snapshot_id": new, "clinician_id": one} for one in sorted(record.clinician_ids)],
    )
    rows = [
        {
            "snapshot_id": new,
            "format": form,
            "name": name,
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "data": data,
        }
        for form, (name, data) in sorted(made_files.items())
    ]
    connection.execute(insert(SnapshotFile), rows)
    kept = ", ".join(str(row["format"]) for row in rows if row["format"] != CONTENT)
    note(
        connection, practice_id, "export snapshot", f"made {kept}, content {record.content_hash}",
        clinician_ids=sorted(record.clinician_ids), username=username, now=now, purpose=purpose,
        episode_id=record.episode_id,
    )  # fmt: skip
    return public_id


def note(
    connection: Connection,
    practice_id: int,
    action: str,
    detail: str,
    *,
    clinician_ids: Sequence[int],
    username: str,
    now: datetime,
    purpose: str | None,
    episode_id: int | None = None,
) -> None:
    """An audit row for each clinician concerned."""
    for clinician_id in clinician_ids:
        audit.record(
            connection, at=now, practice_id=practice_id, username=username, action=action, clinician_id=clinician_id,
            episode_id=episode_id, detail=detail, purpose=purpose,
        )  # fmt: skip


def read_file(
    connection: Connection,
    scope: Scope,
    public_id: str,
    form: str,
    *,
    username: str,
    now: datetime,
    purpose: str | None,
) -> StoredFile | None:
    """One file of a snapshot in scope, with audit rows; null where there is none, or it was deleted.

    A file whose bytes are no longer those stored is returned as it is: ``is_intact`` says so, and nothing is written.
    """
    found = next((one for one in files(connection, scope, public_id) if one.format == form), None)
    if found is None or found.data is None or not found.is_intact:
        return found if found is not None and found.data is not None else None
    note(
        connection, scope.practice_id, "export snapshot", found.name, clinician_ids=_clinicians(connection, public_id),
        username=username, now=now, purpose=purpose,
    )  # fmt: skip
    return found


def remove(
    connection: Connection,
    scope: Scope,
    public_id: str,
    *,
    reason: str,
    username: str,
    now: datetime,
    purpose: str | None,
) -> bool:
    """Removes the bytes of a snapshot in scope and writes down by whom, when and why; false where there is none to remove."""
    visible = _visible(scope)
    kept = select(visible.c.id, visible.c.content_hash).where(
        visible.c.public_id == public_id, visible.c.deleted_at.is_(None)
    )
    found = read_frame(connection, kept).to_dicts()
    if not found:
        return False
    own = Snapshot.id == found[0]["id"]
    connection.execute(update(Snapshot).where(own).values(deleted_at=now, deleted_by=username, deleted_reason=reason))
    connection.execute(update(SnapshotFile).where(SnapshotFile.snapshot_id == found[0]["id"]).values(data=None))
    note(
        connection, scope.practice_id, "change snapshot deleted", f"content {found[0]['content_hash']}",
        clinician_ids=_clinicians(connection, public_id), username=username, now=now, purpose=purpose,
    )  # fmt: skip
    return True


def _clinicians(connection: Connection, public_id: str) -> list[int]:
    rows = connection.execute(
        select(SnapshotClinician.clinician_id)
        .join(Snapshot, Snapshot.id == SnapshotClinician.snapshot_id)
        .where(Snapshot.public_id == public_id)
        .order_by(SnapshotClinician.clinician_id)
    )
    return [int(one) for one in rows.scalars()]
