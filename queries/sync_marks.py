"""How far each table of another system's database has been read, written in the transaction that stores what was read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from queries.intake_tables import SyncMark

READ_WITH = ""  # the row without a table holds the fingerprint of the mapping and the source that the marks belong to


def marks(connection: Connection, practice_id: int, source: str, read_with: str) -> dict[str, str]:
    """The marks by table; none where they were made with another mapping or another database (``read_with``)."""
    statement = select(SyncMark.file, SyncMark.watermark).where(
        SyncMark.practice_id == practice_id, SyncMark.source == source
    )
    found = {row.file: row.watermark for row in connection.execute(statement)}
    return found if found.pop(READ_WITH, None) == read_with else {}


def keep_marks(
    connection: Connection, practice_id: int, source: str, read_with: str, newest: dict[str, str], now: datetime
) -> None:
    """Puts ``newest`` (table to mark) in the place of all earlier marks of this source."""
    connection.execute(delete(SyncMark).where(SyncMark.practice_id == practice_id, SyncMark.source == source))
    for file, watermark in {READ_WITH: read_with, **newest}.items():
        connection.execute(
            insert(SyncMark).values(
                practice_id=practice_id, source=source, file=file, watermark=watermark, synced_at=now
            )
        )
