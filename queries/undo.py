"""A whole import taken back, without touching what came later.

What stands afterwards is what the other imports of the source would have given without it, each on its own day: they are stored
once more in a database in memory, from what was kept of them, and the rows that the import concerned are put as they are there.
What had been known of those rows is kept for evaluations of the days from the import to the day before its undoing
(``queries.worlds``); every other day reads as if the import had never been. What people wrote about an episode keeps the
episode's row, which is withdrawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from dashboard.access import operator_scope
from dashboard.errors import UnusableInput
from dashboard.intake.batch import TABLES, Batch
from dashboard.intake.without import without
from queries import load
from queries.contents import content_of
from queries.keys import next_id
from queries.place import Place
from queries.tables import Base, Client, Clinician, Import, Practice, PracticeInstrument, Score
from queries.undo_replay import Made, replayed
from queries.undo_rows import MANY_IDS, Undoing, put_as_without
from queries.undo_waiting import put_aside_as_without, put_waiting_as_without


@dataclass(frozen=True)
class UndoResult:
    """What was taken back: ``counts`` by table say how many rows came again, went back to what they were, and went.

    ``import_id`` is the undoing's own; the rest as in ``store.ImportResult``.
    """

    import_id: int
    import_before: int | None
    source: str
    files: list[str]
    imported_on: date
    counts: dict[str, dict[str, int]]
    touched_episode_ids: frozenset[int]
    rules_touched: bool


def _chosen(connection: Connection, practice_id: int, import_id: int) -> Any:
    row = connection.execute(select(Import).where(Import.id == import_id, Import.practice_id == practice_id)).first()
    if row is None:
        raise UnusableInput(f"There is no import {import_id} here. Data quality lists the imports. Nothing was undone.")
    if row.kind == "undo":
        raise UnusableInput(
            f"Import {import_id} is itself an undoing; it cannot be undone. Import the files again instead."
        )
    by = connection.execute(select(Import.id).where(Import.undoes_id == import_id, Import.kind == "undo")).scalar()
    if by is not None:
        raise UnusableInput(f"Import {import_id} was undone already (by {by}). Nothing was changed.")
    return row


def _contents(connection: Connection, practice_id: int, chosen: Any) -> tuple[list[Made], list[tuple[int, Batch]]]:
    """Every import of the same source that counts, in order, and what each held."""
    undone = select(Import.undoes_id).where(Import.practice_id == practice_id, Import.kind == "undo")
    rows = connection.execute(
        select(Import.id, Import.imported_on, Import.imported_at, Import.kind, Import.changed_rows)
        .where(
            Import.practice_id == practice_id,
            Import.source == chosen.source,
            Import.kind != "undo",
            Import.id.not_in(undone),
        )
        .order_by(Import.id)
    )
    made, contents = [], []
    for row in rows:
        held = content_of(connection, row.id)
        if held is None and (row.changed_rows or row.id == chosen.id):
            raise UnusableInput(
                f"Import {row.id} of {row.imported_on} was made before the program kept what imports held, so import "
                f"{chosen.id} cannot be undone exactly. Import corrected files instead. Nothing was changed."
            )
        if held is not None:
            made.append(Made(row.id, row.imported_on, row.imported_at, row.kind))
            contents.append((row.id, held))
    return made, contents


def undo_import(
    connection: Connection, practice_id: int, import_id: int, *, today: date, now: datetime, username: str | None
) -> UndoResult:
    """Takes an import back in the caller's transaction and leaves an import row of kind undo.

    Raises UnusableInput, with nothing written, for an import that is not this practice's, is or was undone, or when it or
    another of its source was made before contents were kept.
    """
    chosen = _chosen(connection, practice_id, import_id)
    made, contents = _contents(connection, practice_id, chosen)
    before = load.latest_import(connection, operator_scope(practice_id))
    secret = connection.execute(select(Practice.secret).where(Practice.id == practice_id)).scalar_one()
    earlier = connection.execute(select(Import.id).where(Import.practice_id == practice_id, Import.kind == "undo"))
    undo_id = next_id(connection, Import)
    place = Place(practice_id, str(secret), chosen.source, undo_id, tuple(earlier.scalars()))
    values = {
        "id": undo_id, "practice_id": practice_id, "source": chosen.source, "imported_on": today, "imported_at": now,
        "username": username, "files": chosen.files, "kind": "undo", "undoes_id": import_id,
    }  # fmt: skip
    connection.execute(insert(Import).values(counts={}, changed_rows=0, **values))
    plan = without(contents, import_id)
    counts = {}
    with replayed(connection, place, made, plan.batches) as (scratch, ids):
        work = Undoing(connection, scratch, place, chosen.imported_on, today, ids)
        for name in TABLES:
            counts[name] = put_as_without(work, name, plan.keys[name])
        waiting = put_waiting_as_without(work, plan.keys)
    put_aside_as_without(connection, place, import_id, contents)
    rules_touched = _instruments_as_without(connection, place, import_id, dict(contents)[import_id])
    for table in (Client, Clinician):
        _leave_where_nothing_refers(connection, table, undo_id)
    told = {name: {"new": 0, "changed": 0} | count for name, count in counts.items() if any(count.values())}
    changed = sum(sum(count.values()) for count in counts.values()) + waiting
    connection.execute(update(Import).where(Import.id == undo_id).values(counts=told, changed_rows=changed))
    return UndoResult(
        undo_id,
        before,
        chosen.source,
        list(chosen.files),
        chosen.imported_on,
        told,
        frozenset(work.touched),
        rules_touched,
    )


def _instruments_as_without(connection: Connection, place: Place, undone_id: int, held: Batch) -> bool:
    """The practice's own instruments as the newest other import defines them; one that scores still need stays."""
    keys = {str(one["key"]) for one in held.instruments}
    if not keys:
        return False
    undone = select(Import.undoes_id).where(Import.practice_id == place.practice_id, Import.kind == "undo")
    others = connection.execute(
        select(Import.id)
        .where(Import.practice_id == place.practice_id, Import.id.not_in(undone), Import.id != undone_id)
        .order_by(Import.id)
    )
    defined: dict[str, tuple[int, dict[str, Any]]] = {}
    for other in others.scalars():
        content = content_of(connection, other)
        for one in content.instruments if content else []:
            defined[str(one["key"])] = (other, one)
    touched = False
    for key in sorted(keys):
        mine = (PracticeInstrument.practice_id == place.practice_id, PracticeInstrument.key == key)
        now = connection.execute(select(PracticeInstrument.definition).where(*mine)).scalar()
        used = select(Score.id).where(Score.practice_id == place.practice_id, Score.instrument == key).limit(1)
        if now is None or (key in defined and defined[key][1] == now):
            continue
        if key not in defined and connection.execute(used).first() is not None:
            continue
        connection.execute(delete(PracticeInstrument).where(*mine))
        if key in defined:
            by, definition = defined[key]
            connection.execute(
                insert(PracticeInstrument).values(
                    practice_id=place.practice_id, key=key, definition=definition, import_id=by
                )
            )
        touched = True
    return touched


def _leave_where_nothing_refers(connection: Connection, table: type[Base], undo_id: int) -> None:
    """Clinicians and clients that only the undone import had brought leave, unless a user or an episode refers to them."""
    target: Any = table.__table__
    gone = set(connection.execute(select(target.c.id).where(target.c.import_id == undo_id)).scalars())
    own_versions = f"{target.name}_version"
    for other in Base.metadata.sorted_tables:
        for column in _referring(other, target):
            if gone and not (other.name == own_versions and column.name == "id"):
                named = select(column).where(column.is_not(None)).distinct()
                gone -= set(connection.execute(named).scalars())
    versions: Any = Base.metadata.tables[own_versions]
    ids = sorted(gone)
    for start in range(0, len(ids), MANY_IDS):
        part = ids[start : start + MANY_IDS]
        connection.execute(delete(versions).where(versions.c.id.in_(part)))
        connection.execute(delete(target).where(target.c.id.in_(part)))


def _referring(table: Any, target: Any) -> Iterable[Any]:
    return [column for column in table.c if any(key.column.table is target for key in column.foreign_keys)]
