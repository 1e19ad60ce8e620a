"""One clean batch into the database, in the caller's transaction: all of it, or none."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, delete, insert, select, update

from dashboard.access import operator_scope
from dashboard.analytics.scoring import disagreements
from dashboard.instruments import registry
from dashboard.intake.batch import KEYS, PLACE, REFUSED, SET_ASIDE, TABLES, Batch, row_key
from queries import load
from queries.contents import keep_content
from queries.erased import without_erased
from queries.frames import read_frame
from queries.keys import next_id, public_id
from queries.place import Count, Place, known_ids
from queries.store_people import store_clients, store_clinicians, store_leave, store_supervision
from queries.store_scores import SCORE_KEY, store_scores
from queries.store_versions import store_appointments, store_episodes
from queries.tables import Client, Clinician, Episode, Import, Practice, PracticeInstrument, Score
from queries.waiting import keep_waiting, mend, record_set_aside, settle, stood_for, waiting_rows

# table -> (column, table that column points to, whether it may be empty)
PARENTS: dict[str, tuple[tuple[str, Any, bool], ...]] = {
    "clinicians": (),
    "leave": (("clinician_id", Clinician, False), ("cover_id", Clinician, True)),
    "supervision": (("supervisor_id", Clinician, False), ("supervisee_id", Clinician, False)),
    "clients": (("merged_into", Client, True),),
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


@dataclass(frozen=True)
class _Stored:
    """What became of a table's rows: the count, the episodes touched, and SET_ASIDE rows."""

    count: Count
    episode_ids: list[int]
    aside: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SET_ASIDE))


def _with_waiting(
    name: str, rows: pl.DataFrame, waiting: pl.DataFrame | None
) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Rows of the call and those kept from earlier calls; a row that comes again stands for the one that waited.

    Of several that waited under one key the last stands. Those for which another stands come second.
    """
    blank = {"pending_id": pl.Int64(), "set_aside_id": pl.Int64()}
    rows = rows.with_columns(pl.lit(None, dtype=t).alias(c) for c, t in blank.items())
    if waiting is None:
        return rows, None
    again = waiting.join(rows.select(KEYS[name]), on=list(KEYS[name]), how="semi", nulls_equal=True)
    still = waiting.join(again.select("pending_id"), on="pending_id", how="anti").unique(
        list(KEYS[name]), keep="last", maintain_order=True
    )
    over = waiting.join(still.select("pending_id"), on="pending_id", how="anti")
    return pl.concat([rows, still.select(rows.columns)]), over


@dataclass(frozen=True)
class _Resolved:
    """``rows`` with internal parent ids; SET_ASIDE rows for those without, how many are new, and what waits now."""

    rows: pl.DataFrame
    reported: pl.DataFrame
    new: int
    left: pl.DataFrame
    marks: list[str]


def _parents(connection: Connection, place: Place, rows: pl.DataFrame, column: str, table: Any) -> pl.DataFrame:
    known = known_ids(connection, table, place).rename({"source_id": column, "id": f"{column}_known"})
    if column != "merged_into":
        return known
    # a client may be merged into one of the same call, unless that one has to wait itself
    here = rows.select("client_id", "merged_into")
    while True:
        lost = here["merged_into"].is_not_null() & ~here["merged_into"].is_in(
            pl.concat([known[column], here["client_id"]]).implode()
        )
        if not lost.any():
            break
        here = here.filter(~lost)
    also = here.select(pl.col("client_id").alias(column)).unique().join(known, on=column, how="anti")
    return pl.concat([known, also.with_columns(pl.lit(0, dtype=pl.Int64).alias(f"{column}_known"))])


def _resolve(connection: Connection, place: Place, name: str, rows: pl.DataFrame) -> _Resolved:
    reported = [pl.DataFrame(schema=SET_ASIDE)]
    new, marks = 0, list[str]()
    left = rows.clear()
    original = list(dict.fromkeys(rows.columns))
    gone = pl.col("withdrawn") if "withdrawn" in rows.columns else pl.lit(False)
    for column, table, optional in PARENTS[name]:
        known = _parents(connection, place, rows, column, table)
        rows = rows.join(known, on=column, how="left", maintain_order="left")
        lost = pl.col(f"{column}_known").is_null() & ~gone  # a withdrawn row needs its key only, and never waits
        if optional:
            lost = lost & pl.col(column).is_not_null()
        orphans = rows.filter(lost).select(original)
        fresh = orphans.filter(pl.col("pending_id").is_null())
        said, count, kept = keep_waiting(connection, place, name, fresh, column)
        reported.append(said)
        new += count
        marks += kept
        left = pl.concat([left.select(original), orphans])
        rows = rows.filter(~lost)
    for column, _, _ in PARENTS[name]:
        if column != "merged_into":
            rows = rows.with_columns(pl.col(f"{column}_known").alias(column))
        rows = rows.drop(f"{column}_known")
    return _Resolved(rows, pl.concat(reported), new, left, marks)


def _store_table(connection: Connection, place: Place, name: str, rows: pl.DataFrame, today: date) -> _Stored:
    match name:
        case "clinicians":
            return _Stored(store_clinicians(connection, place, rows, today), [])
        case "clients":
            return _Stored(*store_clients(connection, place, rows, today))
        case "leave":
            return _Stored(store_leave(connection, place, rows, today), [])
        case "supervision":
            return _Stored(store_supervision(connection, place, rows, today), [])
        case "episodes":
            opaque = [public_id(place.secret, "episode", place.source, one) for one in rows["episode_id"]]
            named = rows.with_columns(pl.Series("public_id", opaque, dtype=pl.String)).rename(
                {"episode_id": "source_id"}
            )
            return _Stored(*store_episodes(connection, place, named, today))
        case "appointments":
            return _Stored(*store_appointments(connection, place, rows.rename({"appointment_id": "source_id"}), today))
        case _:
            known = rows.filter(
                pl.col("episode_id").is_not_null()
            )  # a score of an unknown episode withdrawn: none was here
            named = known.rename({"appointment_id": "appointment_ref"})
            count, ids, aside = store_scores(connection, place, named, today)
            return _Stored(replace(count, unchanged=count.unchanged + rows.height - known.height), ids, aside)


def _disagreements(connection: Connection, place: Place, rows: pl.DataFrame) -> pl.DataFrame:
    """Totals that differ from their items, on the occasions that this call's scores touch (SET_ASIDE)."""
    nothing = pl.DataFrame(schema=SET_ASIDE)
    occasion = [*SCORE_KEY[:3], "respondent"]
    rows = rows.drop_nulls("episode_id")
    if rows.is_empty():
        return nothing
    owners = select(Episode.id).where(Episode.practice_id == place.practice_id)
    if not place.by_hand:
        owners = owners.where(Episode.source == place.source)
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
    keep: bool = True,
) -> ImportResult:
    """Upserts the batch by source id, keeps earlier versions, tries waiting rows again; nothing new writes nothing.

    ``kind``: files, entered (by hand) or sync. Rows of the source ``keys.BY_HAND`` may name a client, clinician or episode of
    another source (``keys.of_source``). With ``keep``, what the batch held is kept with the import, so that it can be undone.
    """
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
    undoings = connection.execute(select(Import.id).where(Import.practice_id == practice_id, Import.kind == "undo"))
    place = Place(practice_id, secret, source, import_id, tuple(undoings.scalars()))
    batch = without_erased(connection, place, batch, today)
    rules_touched = _store_instruments(connection, place, batch.instruments)
    waiting, stood = stood_for(waiting_rows(connection, place), batch.stands_for)
    settle(connection, place, stood)
    counts: dict[str, dict[str, int]] = {}
    touched: set[int] = set()
    reported = [batch.set_aside.select(*SET_ASIDE).cast(pl.Schema(SET_ASIDE))]
    refused = pl.concat([pl.DataFrame(schema={**SET_ASIDE, **REFUSED}), batch.set_aside], how="diagonal_relaxed")
    new_aside = record_set_aside(connection, place, batch.set_aside)
    settled, changed = stood.height, 0
    for name in PARENTS:
        given = batch.tables.get(name)
        if given is None and name not in waiting:
            continue
        if given is None:
            given = pl.DataFrame(schema={**TABLES[name], **PLACE})
        rows, over = _with_waiting(name, given, waiting.get(name))
        rows = rows.with_columns(row_key=row_key(name))
        found = _resolve(connection, place, name, rows)
        settled += mend(connection, place, name, found.rows["row_key"], refused)
        taken = found.rows.filter(pl.col("pending_id").is_not_null()).select("pending_id", "set_aside_id")
        done = [taken]
        if over is not None:
            # the very row that waits still is the one that came again
            done.append(over.filter(~pl.col("fingerprint").is_in(found.marks)).select("pending_id", "set_aside_id"))
        settle(connection, place, pl.concat(done))
        settled += sum(one.height for one in done)
        clean = found.rows.drop("pending_id", "set_aside_id", "row_key")
        stored = _store_table(connection, place, name, clean, today)
        touched.update(stored.episode_ids)
        count = _whole_count(batch, name, given, stored.count, found.reported.height, taken.height)
        changed += count.new + count.changed
        counts[name] = count.as_dict()
        reported += [found.reported, stored.aside]
        new_aside += found.new + record_set_aside(connection, place, stored.aside)
        if name == "scores":
            wrong = _disagreements(connection, place, found.rows)
            reported.append(wrong)
            new_aside += record_set_aside(connection, place, wrong)
    changed += settled
    if not changed and not new_aside and not rules_touched:
        connection.execute(delete(Import).where(Import.id == import_id))
        return ImportResult(None, before, counts, pl.concat(reported), frozenset(touched), rules_touched)
    if keep:
        keep_content(connection, import_id, batch)
    connection.execute(update(Import).where(Import.id == import_id).values(counts=counts, changed_rows=changed))
    return ImportResult(import_id, before, counts, pl.concat(reported), frozenset(touched), rules_touched)


def _whole_count(batch: Batch, name: str, given: pl.DataFrame, stored: Count, waits: int, came: int) -> Count:
    """The count with the rows that reading refused, and those that stood in a file more than once."""
    repeated = batch.repeated.get(name, 0)
    rows_in = batch.rows_in.get(name, given.height)
    return replace(
        stored,
        unchanged=stored.unchanged + repeated,
        pending=waits,
        aside=stored.aside + rows_in - repeated - given.height,
        came=came,
        rows_in=rows_in,
    )
