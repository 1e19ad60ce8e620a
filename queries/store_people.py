"""Clinicians, leave, supervision links and clients of a batch into their tables."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, select, update

from queries.frames import read_frame, update_frame
from queries.keys import made_code, public_id
from queries.place import Count, Place
from queries.store_merges import merge_clients
from queries.tables import (
    Client,
    ClientVersion,
    Clinician,
    ClinicianVersion,
    Leave,
    LeaveVersion,
    SupervisionLink,
    SupervisionLinkVersion,
)
from queries.versions import corrected, fill_versions, filled, give_rows, keep_versions, without_undone


def _settle(
    connection: Connection, table: Any, versions: Any, place: Place, both: pl.DataFrame, columns: list[str], today: date
) -> int:
    """Fills and corrects the rows that stand; ``both`` has ``columns`` as stored and as ``*_new``. Returns how many changed."""
    if not columns:
        return 0
    fills = pl.any_horizontal(*(filled(c) for c in columns))
    corrects = pl.any_horizontal(*(corrected(c) for c in columns))
    changed = both.filter(fills | corrects).with_columns(is_correction=corrects, fills=fills)
    with_fills = changed.with_columns(pl.coalesce(c, f"{c}_new").alias(c) for c in columns)
    stored = ["id", *columns, "known_from", "import_id"]
    fill_versions(connection, versions, place.practice_id, with_fills.filter("fills"), columns)
    keep_versions(connection, versions, place.practice_id, with_fills.filter("is_correction").select(stored), today)
    current = with_fills.with_columns(
        *(pl.coalesce(f"{c}_new", c).alias(c) for c in columns),
        known_from=pl.when("is_correction").then(pl.lit(today)).otherwise("known_from"),
        import_id=pl.lit(place.import_id),
    )
    update_frame(connection, table.__table__, current.select(stored))
    return changed.height


def _upsert(
    connection: Connection,
    table: Any,
    versions: Any,
    kind: str,
    place: Place,
    rows: pl.DataFrame,
    columns: list[str],
    today: date,
) -> Count:
    """``rows``: source_id, known_from and ``columns``. Values that are given replace; nothing is emptied."""
    kept = [*columns, "known_from", "import_id"]
    statement = select(table.id, table.source_id, *(getattr(table, c) for c in kept)).where(
        table.practice_id == place.practice_id, table.source == place.source
    )
    present, undone = without_undone(place, read_frame(connection, statement))
    rows = rows.sort("source_id")
    new = rows.join(present.select("source_id"), on="source_id", how="anti").with_columns(source=pl.lit(place.source))
    if "public_id" in table.__table__.c:
        opaque = [public_id(place.secret, kind, place.source, one) for one in new["source_id"]]
        new = new.with_columns(pl.Series("public_id", opaque, dtype=pl.String))
    give_rows(connection, table, place, new, undone, ["source_id"])
    both = present.join(rows.select("source_id", *columns), on="source_id", suffix="_new")
    moved = _settle(connection, table, versions, place, both, columns, today)
    return Count(new.height, moved, both.height - moved)


def store_clinicians(connection: Connection, place: Place, rows: pl.DataFrame, today: date) -> Count:
    """Adds and updates clinicians by source id."""
    columns = ["display_name", "started_on", "ended_on", "is_trainee"]
    frame = rows.select(pl.col("clinician_id").alias("source_id"), *columns, pl.col("recorded_on").alias("known_from"))
    return _upsert(connection, Clinician, ClinicianVersion, "clinician", place, frame, columns, today)


def store_clients(
    connection: Connection, place: Place, rows: pl.DataFrame, today: date
) -> tuple[Count, list[int], pl.DataFrame]:
    """Adds and updates clients by source id; who is given no code keeps theirs, or gets one made from the id.

    Returns the count, the episodes that went to another client (``merged_into``), and the SET_ASIDE rows of merges that cannot
    be.
    """
    columns = ["given_code", "birth_year", "gender", "ethnicity"]
    made = pl.Series("made", [made_code(one) for one in rows["client_id"]], dtype=pl.String)
    frame = rows.with_columns(made).select(
        pl.col("client_id").alias("source_id"),
        pl.col("client_code").alias("given_code"),
        *columns[1:],
        pl.coalesce("client_code", "made").alias("client_code"),
        pl.col("recorded_on").alias("known_from"),
        merged_into_id=pl.lit(None, dtype=pl.Int64),
    )
    count = _upsert(connection, Client, ClientVersion, "client", place, frame, columns, today)
    connection.execute(
        update(Client)
        .where(
            Client.practice_id == place.practice_id,
            Client.source == place.source,
            Client.given_code.is_not(None),
            Client.given_code != Client.client_code,
        )
        .values(client_code=Client.given_code)
    )
    merged = merge_clients(connection, place, rows.drop_nulls("merged_into"), today)
    more = merged.otherwise_the_same
    return Count(count.new, count.changed + more, count.unchanged - more), merged.episode_ids, merged.aside


def _links(
    connection: Connection,
    table: Any,
    versions: Any,
    place: Place,
    rows: pl.DataFrame,
    key: list[str],
    columns: list[str],
    today: date,
) -> Count:
    kept = [*columns, "known_from", "import_id"]
    statement = select(table.id, *(getattr(table, c) for c in [*key, *kept])).where(
        table.practice_id == place.practice_id
    )
    present, undone = without_undone(place, read_frame(connection, statement))
    given = rows.height
    rows = rows.unique(key, keep="last", maintain_order=True).sort(key)
    new = rows.join(present.select(key), on=key, how="anti", nulls_equal=True)
    give_rows(connection, table, place, new, undone, key)
    both = present.join(rows.select(*key, *columns), on=key, suffix="_new", nulls_equal=True)
    moved = _settle(connection, table, versions, place, both, columns, today)
    return Count(new.height, moved, both.height - moved + given - rows.height)


def store_leave(connection: Connection, place: Place, rows: pl.DataFrame, today: date) -> Count:
    """Adds leave; ``rows`` have clinician and cover as internal ids."""
    frame = rows.select(
        "clinician_id",
        pl.col("from").alias("from_day"),
        pl.col("to").alias("to_day"),
        "cover_id",
        pl.col("recorded_on").alias("known_from"),
    )
    return _links(
        connection, Leave, LeaveVersion, place, frame, ["clinician_id", "from_day", "to_day"], ["cover_id"], today
    )


def store_supervision(connection: Connection, place: Place, rows: pl.DataFrame, today: date) -> Count:
    """Adds supervision links and their ends; ``rows`` have both people as internal ids."""
    frame = rows.select(
        "supervisor_id",
        "supervisee_id",
        pl.col("from").alias("from_day"),
        pl.col("to").alias("to_day"),
        pl.col("recorded_on").alias("known_from"),
    )
    return _links(
        connection, SupervisionLink, SupervisionLinkVersion, place, frame,
        ["supervisor_id", "supervisee_id", "from_day"], ["to_day"], today,
    )  # fmt: skip
