"""What an import held, kept with it: the checked rows of each table, so that another import can be undone without it.

A table is one blob of Arrow IPC, compressed with zstd, with the place (file, line) of every row. The practice's own
instruments are a blob of JSON, written even where there are none: an import without it was made before contents were kept.
"""

from __future__ import annotations

import io
import json
from typing import Any

import polars as pl
from sqlalchemy import Connection, delete, func, insert, select

from dashboard.intake.batch import Batch, whole
from queries.intake_tables import ImportContent

INSTRUMENTS = "instruments"
STANDS_FOR = "stands_for:"


def packed(rows: pl.DataFrame) -> bytes:
    """The rows as they are stored."""
    buffer = io.BytesIO()
    rows.rechunk().write_ipc(buffer, compression="zstd")
    return buffer.getvalue()


def _write(connection: Connection, import_id: int, name: str, content: bytes) -> None:
    connection.execute(insert(ImportContent).values(import_id=import_id, table_name=name, content=content))


def keep_content(connection: Connection, import_id: int, batch: Batch) -> None:
    """Stores what a batch held, in the caller's transaction."""
    _write(connection, import_id, INSTRUMENTS, json.dumps(batch.instruments).encode())
    for name, rows in batch.tables.items():
        if rows.height:
            _write(connection, import_id, name, packed(rows))
    for name, keys in batch.stands_for.items():
        _write(connection, import_id, f"{STANDS_FOR}{name}", packed(keys))


def content_of(connection: Connection, import_id: int) -> Batch | None:
    """What an import held; null where it was not kept."""
    stored = connection.execute(
        select(ImportContent.table_name, ImportContent.content).where(ImportContent.import_id == import_id)
    )
    found = {row.table_name: row.content for row in stored}
    if INSTRUMENTS not in found:
        return None
    instruments: list[dict[str, Any]] = json.loads(found.pop(INSTRUMENTS))
    frames = {name: pl.read_ipc(io.BytesIO(content)) for name, content in found.items()}
    # a column that the contract did not have then is empty
    tables = {name: whole(name, frame) for name, frame in frames.items() if not name.startswith(STANDS_FOR)}
    over = {name.removeprefix(STANDS_FOR): frame for name, frame in frames.items() if name.startswith(STANDS_FOR)}
    return Batch(tables, instruments, stands_for=over)


def replace_content(connection: Connection, import_id: int, name: str, rows: pl.DataFrame) -> None:
    """Puts other rows in place of those kept of a table: for an erasure, which must leave none of a client's."""
    of = (ImportContent.import_id == import_id, ImportContent.table_name == name)
    connection.execute(delete(ImportContent).where(*of))
    if rows.height:
        _write(connection, import_id, name, packed(rows))


def content_size(connection: Connection, practice_imports: list[int]) -> int:
    """Bytes that the contents of some imports take."""
    size = func.coalesce(func.sum(func.length(ImportContent.content)), 0)
    return int(connection.execute(select(size).where(ImportContent.import_id.in_(practice_imports))).scalar_one())
