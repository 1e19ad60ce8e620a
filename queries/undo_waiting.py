"""What waited and what was set aside, put as it would have been without an import."""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import Connection, insert, select, update

from dashboard.intake.batch import KEYS, Batch, row_key
from queries.frames import read_frame
from queries.keys import next_id
from queries.place import Place
from queries.tables import PendingRow, SetAside
from queries.undo_rows import Undoing
from queries.waiting import settle, waiting_rows

COPIED = ("source", "file", "line", "column", "value", "reason", "fingerprint")


def put_waiting_as_without(work: Undoing, keys: dict[str, pl.DataFrame]) -> int:
    """Rows of ``keys`` that waited only through the import wait no longer, those that it had resolved wait again."""
    place = work.place
    changed = 0
    real, there = waiting_rows(work.connection, place), waiting_rows(work.scratch, place)
    for name in KEYS:
        blank = pl.DataFrame(schema={"fingerprint": pl.String()})
        wanted = there.get(name, blank).select("fingerprint")
        if name in real:
            on = list(KEYS[name])
            mine = real[name].join(keys[name], on=on, how="semi", nulls_equal=True)
            over = mine.join(wanted, on="fingerprint", how="anti")
            settle(work.connection, place, over)
            changed += over.height
        more = wanted.join(real.get(name, blank).select("fingerprint"), on="fingerprint", how="anti")
        for mark in more["fingerprint"]:
            _wait_again(work, name, mark)
        changed += more.height
    return changed


def _wait_again(work: Undoing, name: str, mark: str) -> None:
    found = work.scratch.execute(
        select(PendingRow.row, SetAside.import_id, *(getattr(SetAside, c) for c in COPIED))
        .join(SetAside, SetAside.id == PendingRow.set_aside_id)
        .where(PendingRow.table_name == name, PendingRow.fingerprint == mark)
    ).one()
    of_practice = SetAside.practice_id == work.place.practice_id
    known = work.connection.execute(
        select(SetAside.id).where(of_practice, SetAside.fingerprint == found.fingerprint)
    ).scalar()
    if known is None:
        known = next_id(work.connection, SetAside)
        values: dict[str, Any] = {c: getattr(found, c) for c in COPIED}
        import_id = work.import_ids.get(found.import_id, work.place.import_id)
        work.connection.execute(
            insert(SetAside).values(id=known, practice_id=work.place.practice_id, import_id=import_id, **values)
        )
    work.connection.execute(update(SetAside).where(SetAside.id == known).values(resolved_import_id=None))
    work.connection.execute(
        insert(PendingRow).values(
            id=next_id(work.connection, PendingRow),
            practice_id=work.place.practice_id,
            source=work.place.source,
            table_name=name,
            fingerprint=mark,
            row=found.row,
            set_aside_id=known,
        )
    )


def put_aside_as_without(
    connection: Connection, place: Place, undone_id: int, contents: list[tuple[int, Batch]]
) -> None:
    """Rows that the import had set aside are open no longer; those that it had mended are open again, unless another did too."""
    waits = select(PendingRow.set_aside_id).where(PendingRow.practice_id == place.practice_id)
    connection.execute(
        update(SetAside)
        .where(SetAside.import_id == undone_id, SetAside.resolved_import_id.is_(None), SetAside.id.not_in(waits))
        .values(resolved_import_id=place.import_id)
    )
    mended = read_frame(
        connection,
        select(SetAside.id, SetAside.import_id, SetAside.table_name, SetAside.row_key).where(
            SetAside.practice_id == place.practice_id,
            SetAside.resolved_import_id == undone_id,
            SetAside.import_id != undone_id,
            SetAside.row_key.is_not(None),
        ),
    )
    for row in mended.iter_rows(named=True):
        also = next(
            (
                import_id
                for import_id, batch in contents
                if import_id > row["import_id"] and import_id != undone_id and _holds(batch, row)
            ),
            None,
        )
        connection.execute(update(SetAside).where(SetAside.id == row["id"]).values(resolved_import_id=also))


def _holds(batch: Batch, row: dict[str, Any]) -> bool:
    rows = batch.tables.get(row["table_name"])
    return rows is not None and bool(rows.select((row_key(row["table_name"]) == row["row_key"]).any()).item())
