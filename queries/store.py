"""One clean batch into the database, in the caller's transaction: all of it, or none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, delete, insert, select, update

from dashboard.access import operator_scope
from dashboard.analytics.scoring import disagreements
from dashboard.instruments import registry
from dashboard.intake.batch import KEYS, PLACE, REFUSED, SET_ASIDE, TABLES, Batch, row_key
from queries import load
from queries.frames import read_frame
from queries.keys import next_id, public_id
from queries.store_people import (
    Count,
    Place,
    known_ids,
    store_clients,
    store_clinicians,
    store_leave,
    store_supervision,
)
from queries.store_versions import SCORE_KEY, store_appointments, store_episodes, store_scores
from queries.tables import Client, Clinician, Episode, Import, Practice, PracticeInstrument, Score
from queries.waiting import keep_waiting, mend, record_set_aside, settle, waiting_rows

# table -> (column, table that column points to, whether it may be empty)
PARENTS: dict[str, tuple[tuple[str, Any, bool], ...]] = {
    "clinicians": (),
    "leave": (("clinician_id", Clinician, False), ("cover_id", Clinician, True)),
    "supervision": (("supervisor_id", Clinician, False), ("supervisee_id", Clinician, False)),
    "clients": (),
    "episodes": (("client_id", Client, False), ("clinician_id", Clinician, False)),
    "appointments": (("episode_id", Episode, False),),
    "scores": (("episode_id", Episode, False),),
}


@dataclass(frozen=True)
class ImportResult:
    """What was stored. ``set_aside``: rows of this call not taken in as given; ``import_id`` null where nothing changed.

    ``import_before``: the newest import before this one, to which an evaluation must be up to date for ``touched_episode_ids``
    to be all that it lacks.
    """

    import_id: int | None
    import_before: int | None
    counts: dict[str, dict[str, int]]
    set_aside: pl.DataFrame
    touched_episode_ids: frozenset[int]
    rules_touched: bool


def _with_waiting(
    name: str, rows: pl.DataFrame, waiting: pl.DataFrame | None
) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Rows of the call and those kept from earlier calls; a row that comes again stands for the one that waited."""
    blank = {"pending_id": pl.Int64(), "set_aside_id": pl.Int64()}
    rows = rows.with_columns(pl.lit(None, dtype=t).alias(c) for c, t in blank.items())
    if waiting is None:
        return rows, None
    again = waiting.join(rows.select(KEYS[name]), on=list(KEYS[name]), how="semi", nulls_equal=True)
    still = waiting.join(again.select("pending_id"), on="pending_id", how="anti")
    still = still.unique(list(KEYS[name]), keep="last", maintain_order=True)
    return pl.concat([rows, still.select(rows.columns)]), again


def _resolve(
    connection: Connection, place: Place, name: str, rows: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, int, pl.DataFrame]:
    """Rows with internal parent ids; SET_ASIDE rows for those without; how many are new; the rows still waiting."""
    reported = [pl.DataFrame(schema=SET_ASIDE)]
    new = 0
    left = rows.clear()
    original = list(dict.fromkeys(rows.columns))
    for column, table, optional in PARENTS[name]:
        known = known_ids(connection, table, place).rename({"source_id": column, "id": f"{column}_known"})
        rows = rows.join(known, on=column, how="left", maintain_order="left")
        lost = pl.col(f"{column}_known").is_null()
        if optional:
            lost = lost & pl.col(column).is_not_null()
        orphans = rows.filter(lost).select(original)
        fresh = orphans.filter(pl.col("pending_id").is_null())
        said, count = keep_waiting(connection, place, name, fresh, column, fresh=True)
        reported.append(said)
        new += count
        left = pl.concat([left.select(original), orphans])
        rows = rows.filter(~lost)
    for column, _, _ in PARENTS[name]:
        rows = rows.with_columns(pl.col(f"{column}_known").alias(column)).drop(f"{column}_known")
    return rows, pl.concat(reported), new, left


def _store_table(
    connection: Connection, place: Place, name: str, rows: pl.DataFrame, today: date
) -> tuple[Count, list[int]]:
    match name:
        case "clinicians":
            return store_clinicians(connection, place, rows, today), []
        case "clients":
            return store_clients(connection, place, rows, today), []
        case "leave":
            return store_leave(connection, place, rows, today), []
        case "supervision":
            return store_supervision(connection, place, rows, today), []
        case "episodes":
            opaque = [public_id(place.secret, "episode", place.source, one) for one in rows["episode_id"]]
            named = rows.with_columns(pl.Series("public_id", opaque, dtype=pl.String)).rename(
                {"episode_id": "source_id"}
            )
            return store_episodes(connection, place, named, today)
        case "appointments":
            return store_appointments(connection, place, rows.rename({"appointment_id": "source_id"}), today)
        case _:
            return store_scores(connection, place, rows.rename({"appointment_id": "appointment_ref"}), today)


def _disagreements(connection: Connection, place: Place, rows: pl.DataFrame) -> pl.DataFrame:
    """Totals that differ from their items, on the occasions that this call's scores touch (SET_ASIDE)."""
    nothing = pl.DataFrame(schema=SET_ASIDE)
    occasion = [*SCORE_KEY[:3], "respondent"]
    if rows.is_empty():
        return nothing
    owners = select(Episode.id).where(Episode.practice_id == place.practice_id, Episode.source == place.source)
    has_items = select(Score.episode_id).where(Score.episode_id.in_(owners), Score.scale.like("item\\_%", escape="\\"))
    with_items = read_frame(connection, has_items.distinct())
    concerned = rows.join(with_items, on="episode_id", how="semi")
    if concerned.is_empty():
        return nothing
    columns = [getattr(Score, c) for c in [*SCORE_KEY, "value"]]
    stored = read_frame(connection, select(*columns).where(Score.episode_id.in_(owners)))
    stored = stored.join(concerned.select(occasion).unique(), on=occasion, how="semi")
    instruments = registry(load.own_instruments(connection, operator_scope(place.practice_id)))
    found = disagreements(stored, instruments)
    places = concerned.sort("file", "line").unique(occasion, keep="last", maintain_order=True)
    return found.join(places.select(*occasion, "file", "line"), on=occasion, how="left").select(
        "file",
        "line",
        pl.lit("value").alias("column"),
        pl.col("given").cast(pl.String).alias("value"),
        pl.format(
            "the {} {} of {} differs from its items, which make {}; the items were taken",
            "instrument",
            "scale",
            pl.col("taken_on").cast(pl.String),
            "made",
        ).alias("reason"),
    )


def _store_instruments(connection: Connection, place: Place, given: list[dict[str, Any]]) -> bool:
    statement = select(PracticeInstrument.key, PracticeInstrument.definition).where(
        PracticeInstrument.practice_id == place.practice_id
    )
    known = {row.key: row.definition for row in connection.execute(statement)}
    changed = [one for one in given if known.get(one["key"]) != one]
    for one in changed:
        connection.execute(
            delete(PracticeInstrument).where(
                PracticeInstrument.practice_id == place.practice_id, PracticeInstrument.key == one["key"]
            )
        )
        connection.execute(
            insert(PracticeInstrument).values(
                practice_id=place.practice_id, key=one["key"], definition=one, import_id=place.import_id
            )
        )
    return bool(changed)


def store_batch(
    connection: Connection,
    practice_id: int,
    source: str,
    batch: Batch,
    *,
    today: date,
    now: datetime,
    username: str | None,
    kind: str = "files",
) -> ImportResult:
    """Upserts the batch by source id, keeps earlier versions, tries waiting rows again; nothing new writes nothing."""
    secret = str(connection.execute(select(Practice.secret).where(Practice.id == practice_id)).scalar_one())
    import_id = next_id(connection, Import)
    before = load.latest_import(connection, operator_scope(practice_id))
    connection.execute(
        insert(Import).values(
            id=import_id,
            practice_id=practice_id,
            source=source,
            imported_on=today,
            imported_at=now,
            username=username,
            files=batch.files,
            kind=kind,
            counts={},
            changed_rows=0,
        )
    )
    place = Place(practice_id, secret, source, import_id)
    rules_touched = _store_instruments(connection, place, batch.instruments)
    waiting = waiting_rows(connection, place)
    counts: dict[str, dict[str, int]] = {}
    touched: set[int] = set()
    reported = [batch.set_aside.select(*SET_ASIDE).cast(pl.Schema(SET_ASIDE))]
    refused = pl.concat([pl.DataFrame(schema={**SET_ASIDE, **REFUSED}), batch.set_aside], how="diagonal_relaxed")
    new_aside = record_set_aside(connection, place, batch.set_aside)
    settled = 0
    for name in PARENTS:
        given = batch.tables.get(name)
        if given is None and name not in waiting:
            continue
        if given is None:
            given = pl.DataFrame(schema={**TABLES[name], **PLACE})
        rows, again = _with_waiting(name, given, waiting.get(name))
        rows = rows.with_columns(row_key=row_key(name))
        rows, said, new, left = _resolve(connection, place, name, rows)
        settled += mend(connection, place, name, rows["row_key"], refused)
        taken = [rows.filter(pl.col("pending_id").is_not_null()).select("pending_id", "set_aside_id")]
        if again is not None and again.height:
            here = again.join(left.select(KEYS[name]), on=list(KEYS[name]), how="anti", nulls_equal=True)
            taken.append(here.select("pending_id", "set_aside_id"))
        done = pl.concat(taken)
        settle(connection, place, done)
        settled += done.height
        count, ids = _store_table(connection, place, name, rows.drop("pending_id", "set_aside_id", "row_key"), today)
        touched.update(ids)
        counts[name] = Count(count.new, count.changed, count.unchanged, said.height).as_dict()
        reported.append(said)
        new_aside += new
        if name == "scores":
            wrong = _disagreements(connection, place, rows)
            reported.append(wrong)
            new_aside += record_set_aside(connection, place, wrong)
    changed = sum(count["new"] + count["changed"] for count in counts.values()) + settled
    if not changed and not new_aside and not rules_touched:
        connection.execute(delete(Import).where(Import.id == import_id))
    else:
        connection.execute(update(Import).where(Import.id == import_id).values(counts=counts, changed_rows=changed))
    kept = import_id if changed or new_aside or rules_touched else None
    return ImportResult(kept, before, counts, pl.concat(reported), frozenset(touched), rules_touched)
