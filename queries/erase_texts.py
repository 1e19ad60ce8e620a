"""What is written about an erased person outside their own rows: texts, snapshots, refused and waiting rows, kept imports."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, and_, delete, select, update

from dashboard.intake.fhir.attribution import MADE
from queries import audit
from queries.audit_chain import ERASED as MASK
from queries.contents import STANDS_FOR, content_of, replace_content
from queries.erased import NAMES, OF_A_CLIENT, REASON, Key, named
from queries.frames import read_batches, read_frame
from queries.growth_tables import GrowthGoal
from queries.intake_tables import ImportContent
from queries.meeting_tables import AgendaItem, AgreedAction, MeetingAddition, MeetingField
from queries.opening_tables import OpenedCaseload
from queries.tables import Audit, FlagReply, Import, PendingRow, SafetyCheck, SetAside, Snapshot, SnapshotFile

PART = 5_000  # audit rows looked at together
SHORTEST = 3  # project default: a shorter id is too likely a part of something else to be looked for in running text


@dataclass(frozen=True)
class Names:
    """What names the erased people: ``keys`` of their rows, ``words`` to be looked for in texts."""

    keys: frozenset[Key]
    words: tuple[str, ...]
    pattern: re.Pattern[str] | None = field(default=None)

    @classmethod
    def of(cls, keys: Iterable[Key], words: Iterable[str | None]) -> Names:
        """Words shorter than SHORTEST are left out."""
        kept = tuple(sorted({word for word in words if word and len(word) >= SHORTEST}, key=lambda w: (-len(w), w)))
        pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, kept))})(?![\w-])") if kept else None
        return cls(frozenset(keys), kept, pattern)

    def masked(self, text: str) -> str:
        """The text with every word that names them replaced."""
        return text if self.pattern is None else self.pattern.sub(MASK, text)

    def has(self, source: str, table: str, one: str | None) -> bool:
        """Whether a cell of a file of a source names one of their rows."""
        if one is None:
            return False
        of, rest = named(source, one)
        # an episode made for a patient of a FHIR file carries the patient's id, also where its row never came in
        made = re.match(MADE, rest) if table == "episodes" else None
        return (of, table, rest) in self.keys or (made is not None and (of, "clients", made[1]) in self.keys)


def _running_texts(practice_id: int) -> list[tuple[Any, Any, tuple[Any, ...], Any]]:
    in_practice = select(AgendaItem.id).where(AgendaItem.practice_id == practice_id)
    return [
        (
            MeetingField,
            MeetingField.text,
            (MeetingField.item_id, MeetingField.field),
            MeetingField.item_id.in_(in_practice),
        ),
        *(
            (table, column, (table.id,), table.practice_id == practice_id)
            for table, column in (
                (MeetingAddition, MeetingAddition.text),
                (AgreedAction, AgreedAction.what),
                (FlagReply, FlagReply.reason),
                (SafetyCheck, SafetyCheck.note),
                (GrowthGoal, GrowthGoal.text),
                (GrowthGoal, GrowthGoal.closed_note),
                (Snapshot, Snapshot.title),
                (Snapshot, Snapshot.deleted_reason),
                (OpenedCaseload, OpenedCaseload.reason),
            )
        ),
    ]


def mask_texts(connection: Connection, practice_id: int, names: Names, username: str, now: datetime) -> int:
    """Replaces what names them in everything that was ever written in the practice. Returns how many texts changed.

    A detail of the audit that names them goes as a whole: part of it would no longer be what its row's hash stands for.
    """
    if names.pattern is None:
        return 0
    naming = _details_naming(connection, practice_id, names)
    audit.erase_details(connection, practice_id, naming, username=username, now=now)
    changed = len(naming)
    for table, column, key, of in _running_texts(practice_id):
        statement = select(*key, column.label("said")).where(of, column.is_not(None))
        found = read_frame(connection, statement).filter(
            pl.col("said").str.contains_any(list(names.words), ascii_case_insensitive=False)
        )
        for row in found.iter_rows():
            text = names.masked(row[-1])
            if text != row[-1]:
                this = and_(*(one == value for one, value in zip(key, row, strict=False)))
                connection.execute(update(table).where(this).values({column.key: text}))
                changed += 1
    for row in connection.execute(select(Import.id, Import.files).where(Import.practice_id == practice_id)).all():
        files = [names.masked(one) if isinstance(one, str) else one for one in row.files]
        if files != row.files:
            connection.execute(update(Import).where(Import.id == row.id).values(files=files))
            changed += 1
    return changed


def _details_naming(connection: Connection, practice_id: int, names: Names) -> list[int]:
    """Numbers of the audit rows whose detail names them."""
    of = (Audit.practice_id == practice_id, Audit.salt.is_not(None), Audit.action != audit.DETAILS_ERASED)
    found: list[int] = []
    for frame in read_batches(connection, select(Audit.id, Audit.detail).where(*of).order_by(Audit.id), PART):
        found += [number for number, detail in frame.iter_rows() if names.masked(detail) != detail]
    return found


def empty_texts(connection: Connection, episode_ids: list[int]) -> int:
    """Empties what was written about their episodes; who wrote, when, and of what kind stays. Returns how many texts."""
    items = select(AgendaItem.id).where(AgendaItem.episode_id.in_(episode_ids))
    done = 0
    for table, of, values in (
        (FlagReply, FlagReply.episode_id.in_(episode_ids), {"reason": MASK}),
        (SafetyCheck, and_(SafetyCheck.episode_id.in_(episode_ids), SafetyCheck.note.is_not(None)), {"note": None}),
        (MeetingField, and_(MeetingField.item_id.in_(items), MeetingField.text != ""), {"text": MASK}),
        (AgreedAction, AgreedAction.episode_id.in_(episode_ids), {"what": MASK}),
    ):
        done += connection.execute(update(table).where(of).values(values)).rowcount
    return done


def empty_snapshots(connection: Connection, practice_id: int, names: Names, username: str, now: datetime) -> int:
    """Removes the bytes of every stored snapshot that names them; its row with its hash stays. Returns how many."""
    if names.pattern is None:
        return 0
    statement = (
        select(SnapshotFile.snapshot_id, SnapshotFile.data)
        .join(Snapshot, Snapshot.id == SnapshotFile.snapshot_id)
        .where(
            Snapshot.practice_id == practice_id,
            SnapshotFile.format.in_(("json", "html")),
            SnapshotFile.data.is_not(None),
        )
    )
    naming: set[int] = set()
    for frame in read_batches(connection, statement, 16):
        for snapshot_id, data in frame.iter_rows():
            text = data.decode("utf-8", "replace")
            if snapshot_id not in naming and names.masked(text) != text:
                naming.add(snapshot_id)
    for one in sorted(naming):
        connection.execute(update(SnapshotFile).where(SnapshotFile.snapshot_id == one).values(data=None))
        connection.execute(
            update(Snapshot)
            .where(Snapshot.id == one)
            .values(deleted_at=now, deleted_by=username, deleted_reason="It showed a client whose data was erased.")
        )
    return len(naming)


def _names_them(names: Names, source: str, row: dict[str, Any]) -> bool:
    return any(names.has(source, table, row.get(column)) for column, table in NAMES.items())


def forget_waiting(connection: Connection, practice_id: int, names: Names) -> tuple[int, set[int]]:
    """Removes their rows that wait for a parent. Returns how many, and the set-aside rows that spoke of them."""
    statement = select(PendingRow.id, PendingRow.source, PendingRow.row, PendingRow.set_aside_id)
    gone, spoke = [], set()
    for row in connection.execute(statement.where(PendingRow.practice_id == practice_id)).all():
        content = row.row if isinstance(row.row, dict) else json.loads(row.row)
        if _names_them(names, row.source, content):
            gone.append(row.id)
            spoke.add(row.set_aside_id)
    for one in gone:
        connection.execute(delete(PendingRow).where(PendingRow.id == one))
    return len(gone), spoke


def forget_contents(connection: Connection, practice_id: int, names: Names) -> tuple[int, set[tuple[int, str, int]]]:
    """Takes their rows out of what imports held. Returns how many, and where they stood (import, file, line)."""
    kept = select(ImportContent.import_id).distinct()
    imports = connection.execute(
        select(Import.id, Import.source)
        .where(Import.practice_id == practice_id, Import.id.in_(kept))
        .order_by(Import.id)
    ).all()
    count, places = 0, set()
    for one in imports:
        held = content_of(connection, one.id)
        for name, rows in () if held is None else held.tables.items():
            if name not in OF_A_CLIENT:
                continue
            cells = rows.select(column for column in NAMES if column in rows.columns).iter_rows(named=True)
            hit = pl.Series([_names_them(names, one.source, row) for row in cells], dtype=pl.Boolean)
            if hit.any():
                gone = rows.filter(hit)
                count += gone.height
                places |= {(one.id, file, line) for file, line in gone.select("file", "line").iter_rows()}
                replace_content(connection, one.id, name, rows.filter(~hit))
        for name, keys in () if held is None else held.stands_for.items():
            cells = keys.select(column for column in NAMES if column in keys.columns).iter_rows(named=True)
            hit = pl.Series([_names_them(names, one.source, row) for row in cells], dtype=pl.Boolean)
            if hit.any():
                replace_content(connection, one.id, f"{STANDS_FOR}{name}", keys.filter(~hit))
    return count, places


def forget_set_aside(
    connection: Connection, practice_id: int, names: Names, spoke: set[int], places: set[tuple[int, str, int]]
) -> int:
    """Takes values and keys out of set-aside rows about them: ``spoke`` by id, ``places`` by import, file and line."""
    columns = ("id", "import_id", "source", "file", "line", "column", "value", "reason", "table_name", "row_key")
    statement = select(*(getattr(SetAside, name) for name in columns)).where(SetAside.practice_id == practice_id)
    owners = {"clients": "clients", "episodes": "episodes", "scores": "episodes", "appointments": "appointments"}
    count = 0
    for row in read_frame(connection, statement).iter_rows(named=True):
        owner = owners.get(row["table_name"] or "")
        key = (row["row_key"] or "").split("\x1f")[0]
        about = (
            row["id"] in spoke
            or (row["import_id"], row["file"], row["line"]) in places
            or (owner is not None and names.has(row["source"], owner, key))
            or (row["column"] in NAMES and names.has(row["source"], NAMES[row["column"]], row["value"]))
            or any(names.masked(row[c] or "") != (row[c] or "") for c in ("value", "reason", "row_key"))
        )
        if about and row["reason"] != REASON:
            blank = {
                "column": None,
                "value": None,
                "row_key": None,
                "reason": REASON,
                "file": names.masked(row["file"]),
            }
            mark = f"erased-{secrets.token_hex(12)}"  # the old one was made from what the row said
            connection.execute(update(SetAside).where(SetAside.id == row["id"]).values(fingerprint=mark, **blank))
            count += 1
    return count
