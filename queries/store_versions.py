"""Episodes and appointments into their tables (how versions are kept: ``queries.versions``).

Filling an empty field, or learning what became of a booking, counts from its clinical day. An empty cell says nothing and
empties nothing. A withdrawn row keeps its place, with the day from which it is known never to have been.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from queries.frames import read_frame, update_frame
from queries.place import Count, Place
from queries.tables import Appointment, AppointmentVersion, Episode, EpisodeVersion
from queries.versions import (
    back_again,
    corrected,
    fill_versions,
    filled,
    give_rows,
    given,
    keep_versions,
    without_undone,
)

EPISODE_FIELDS = [
    "client_id",
    "clinician_id",
    "opened_on",
    "referred_on",
    "closed_on",
    "ending",
    "problem_area",
    "kind",
    "planned_sessions",
    "preference_met",
    "change_requested_on",
]


def _withdraw(
    connection: Connection, table: Any, place: Place, present: pl.DataFrame, gone: pl.DataFrame, today: date
) -> pl.DataFrame:
    """Says of the rows of ``gone`` (source_id, recorded_on) that stand since when they are known never to have been."""
    standing = present.filter(pl.col("withdrawn_on").is_null())
    hit = standing.join(gone.select("source_id", "recorded_on"), on="source_id").with_columns(
        withdrawn_on=pl.coalesce("recorded_on", pl.lit(today)), import_id=pl.lit(place.import_id)
    )
    update_frame(connection, table.__table__, hit.select("id", "withdrawn_on", "import_id"))
    return hit


def _no_longer_withdrawn(connection: Connection, table: Any, changed: pl.DataFrame) -> None:
    gone = changed.filter(pl.col("withdrawn_on").is_not_null())
    update_frame(connection, table.__table__, gone.select("id", withdrawn_on=pl.lit(None, dtype=pl.Date)))


def store_episodes(connection: Connection, place: Place, rows: pl.DataFrame, today: date) -> tuple[Count, list[int]]:
    """``rows``: source_id, public_id, internal client and clinician ids, the fields, recorded_on, ending_recorded_on, withdrawn,
    reopened (an ending that was given was none: from today it is known to be open).

    Returns the count and the ids of episodes that are new, changed or withdrawn.
    """
    statement = select(Episode.id, Episode.source_id, *(getattr(Episode, c) for c in EPISODE_FIELDS)).add_columns(
        Episode.ending_known_from, Episode.known_from, Episode.import_id, Episode.withdrawn_on
    )
    present, undone = without_undone(
        place,
        read_frame(
            connection, statement.where(Episode.practice_id == place.practice_id, Episode.source == place.source)
        ),
    )
    gone, rows = rows.filter("withdrawn"), rows.filter(~pl.col("withdrawn"))
    rows = rows.sort("source_id").with_columns(
        ending_day=pl.when(pl.col("closed_on").is_not_null()).then(
            pl.coalesce("ending_recorded_on", "recorded_on", "closed_on")
        )
    )
    new = rows.join(present.select("source_id"), on="source_id", how="anti")
    fresh = new.select(
        "source_id",
        "public_id",
        *(c for c in EPISODE_FIELDS if c != "kind"),
        pl.col("kind").fill_null("individual"),
        known_from=pl.coalesce("recorded_on", "opened_on"),
        ending_known_from=pl.col("ending_day"),
        source=pl.lit(place.source),
    )
    give_rows(connection, Episode, place, fresh, undone, ["source_id"])
    both = present.join(
        rows.select("source_id", "ending_day", "reopened", *EPISODE_FIELDS), on="source_id", suffix="_new"
    )
    fills = pl.any_horizontal(*(filled(c) for c in EPISODE_FIELDS))
    corrects = pl.any_horizontal(*(corrected(c) for c in EPISODE_FIELDS))
    ends = filled("closed_on")
    ending_corrected = corrected("closed_on") | corrected("ending")
    reopens = pl.col("reopened") & pl.col("closed_on").is_not_null()
    back, after_a_gap = back_again(today)
    changed = both.filter(fills | corrects | back | reopens).with_columns(
        is_correction=corrects | after_a_gap | reopens,
        reopens=reopens,
        ending_corrected=ending_corrected,
        ends=ends,
        fills=fills,
    )
    with_fills = changed.with_columns(
        *(pl.coalesce(c, f"{c}_new").alias(c) for c in EPISODE_FIELDS),
        ending_known_from=pl.when("ends").then("ending_day").otherwise("ending_known_from"),
        superseded_on=pl.coalesce("withdrawn_on", pl.lit(today)),
    )
    stored = ["id", *EPISODE_FIELDS, "ending_known_from", "known_from", "import_id"]
    corrections = with_fills.filter("is_correction")
    fill_versions(
        connection,
        EpisodeVersion,
        place.practice_id,
        with_fills.filter("fills"),
        [*EPISODE_FIELDS, "ending_known_from"],
    )
    keep_versions(connection, EpisodeVersion, place.practice_id, corrections.select(*stored, "superseded_on"), today)
    current = with_fills.with_columns(
        *(pl.coalesce(f"{c}_new", c).alias(c) for c in EPISODE_FIELDS),
        known_from=pl.when("is_correction").then(pl.lit(today)).otherwise("known_from"),
        ending_known_from=pl.when("ending_corrected").then(pl.lit(today)).otherwise("ending_known_from"),
        import_id=pl.lit(place.import_id),
    ).with_columns(pl.when(~pl.col("reopens")).then(c).alias(c) for c in ("closed_on", "ending", "ending_known_from"))
    update_frame(connection, Episode.__table__, current.select(stored))
    _no_longer_withdrawn(connection, Episode, changed)
    hit = _withdraw(connection, Episode, place, present, gone, today)
    count = Count(
        new.height,
        changed.height + hit.height,
        both.height - changed.height + gone.height - hit.height,
    )
    touched = read_frame(
        connection,
        select(Episode.id).where(Episode.practice_id == place.practice_id, Episode.import_id == place.import_id),
    )
    return count, touched["id"].to_list()


def store_appointments(
    connection: Connection, place: Place, rows: pl.DataFrame, today: date
) -> tuple[Count, list[int]]:
    """``rows``: source_id, internal episode_id, starts_at, status, mode, booked_on, recorded_on, withdrawn."""
    statement = select(
        Appointment.id,
        Appointment.source_id,
        Appointment.episode_id,
        Appointment.starts_at,
        Appointment.status,
        Appointment.mode,
        Appointment.known_from,
        Appointment.status_known_from,
        Appointment.import_id,
        Appointment.withdrawn_on,
    ).where(Appointment.practice_id == place.practice_id, Appointment.source == place.source)
    present, undone = without_undone(place, read_frame(connection, statement))
    gone, rows = rows.filter("withdrawn"), rows.filter(~pl.col("withdrawn"))
    day = pl.col("starts_at").dt.date()
    rows = rows.sort("source_id").with_columns(
        booked_known=pl.coalesce("booked_on", "recorded_on", pl.min_horizontal(day, pl.lit(today))),
        # what became of a booking counts from its own day; a cancellation ahead of it from the import that tells of it
        happened_known=pl.max_horizontal("recorded_on", pl.min_horizontal(day, pl.lit(today))),
    )
    new = rows.join(present.select("source_id"), on="source_id", how="anti")
    fresh = new.select(
        "source_id",
        "episode_id",
        "starts_at",
        "status",
        "mode",
        known_from="booked_known",
        status_known_from=pl.when(pl.col("status") == "booked")
        .then("booked_known")
        .otherwise(pl.max_horizontal("booked_known", "happened_known")),
        source=pl.lit(place.source),
    )
    give_rows(connection, Appointment, place, fresh, undone, ["source_id"])
    both = present.join(
        rows.select("source_id", "episode_id", "starts_at", "status", "mode", "booked_on", "happened_known"),
        on="source_id",
        suffix="_new",
    )
    both = _with_first_known(connection, place, both)
    happens = (pl.col("status") == "booked") & (pl.col("status_new") != "booked")
    restated = ~happens & (pl.col("status") != pl.col("status_new"))
    moved = corrected("episode_id") | corrected("starts_at")
    back, after_a_gap = back_again(today)
    corrects = moved | corrected("mode") | restated | after_a_gap
    earlier_booking = (pl.col("booked_on") < pl.col("first_known")).fill_null(False)
    fills = happens | filled("mode") | earlier_booking
    changed = both.filter(fills | corrects | back).with_columns(
        is_correction=corrects, happens=happens & ~moved, restated=restated | (happens & moved), earlier=earlier_booking,
        fills=fills,
    )  # fmt: skip
    of_a_version = pl.col("first_version").is_not_null()
    settled = changed.with_columns(
        mode=pl.coalesce("mode", "mode_new"),
        status=pl.when("happens").then("status_new").otherwise("status"),
        status_known_from=pl.when("happens").then("happened_known").otherwise("status_known_from"),
        known_from=pl.when(pl.col("earlier") & ~of_a_version).then("booked_on").otherwise("known_from"),
        superseded_on=pl.coalesce("withdrawn_on", pl.lit(today)),
    )
    stored = ["id", "episode_id", "starts_at", "status", "mode", "known_from", "status_known_from", "import_id"]
    _settle_versions(connection, place, settled.filter("happens"))
    fill_versions(connection, AppointmentVersion, place.practice_id, settled.filter(given("mode")), ["mode"])
    booked_before = settled.filter(pl.col("earlier") & of_a_version)
    update_frame(
        connection,
        AppointmentVersion.__table__,
        booked_before.select(version_id="first_version", known_from="booked_on"),
        key="version_id",
    )
    keep_versions(
        connection, AppointmentVersion, place.practice_id,
        settled.filter("is_correction").select(*stored, "superseded_on"), today,
    )  # fmt: skip
    current = settled.with_columns(
        episode_id=pl.col("episode_id_new"),
        starts_at=pl.col("starts_at_new"),
        status=pl.col("status_new"),
        mode=pl.coalesce("mode_new", "mode"),
        known_from=pl.when("is_correction").then(pl.lit(today)).otherwise("known_from"),
        status_known_from=pl.when("restated").then(pl.lit(today)).otherwise("status_known_from"),
        import_id=pl.lit(place.import_id),
    )
    update_frame(connection, Appointment.__table__, current.select(stored))
    _no_longer_withdrawn(connection, Appointment, changed)
    hit = _withdraw(connection, Appointment, place, present, gone, today)
    touched = pl.concat(
        [
            new.select("episode_id"),
            changed.select("episode_id"),
            changed.select(pl.col("episode_id_new").alias("episode_id")),
            hit.select("episode_id"),
        ]
    )
    count = Count(
        new.height,
        changed.height + hit.height,
        both.height - changed.height + gone.height - hit.height,
    )
    return count, touched["episode_id"].unique().to_list()


def _with_first_known(connection: Connection, place: Place, both: pl.DataFrame) -> pl.DataFrame:
    """Adds ``first_known``, since when an appointment was known at all, and ``first_version``, which says so if a version does.

    A booking's day belongs to what was known first: of an appointment that was corrected since, to its first version.
    """
    plain = both.with_columns(first_known=pl.col("known_from"), first_version=pl.lit(None, dtype=pl.Int64))
    if plain.filter(pl.col("booked_on") < pl.col("known_from")).is_empty():
        return plain
    versions = read_frame(
        connection,
        select(AppointmentVersion.id, AppointmentVersion.version_id, AppointmentVersion.known_from).where(
            AppointmentVersion.practice_id == place.practice_id, AppointmentVersion.undo_id.is_(None)
        ),
    )
    first = (
        versions.sort("known_from", "version_id")
        .unique("id", keep="first", maintain_order=True)
        .select("id", version_known="known_from", version="version_id")
    )
    return plain.join(first, on="id", how="left", maintain_order="left").with_columns(
        first_known=pl.coalesce("version_known", "known_from"), first_version=pl.col("version")
    )


def _settle_versions(connection: Connection, place: Place, happened: pl.DataFrame) -> None:
    if happened.is_empty():
        return
    earlier = read_frame(
        connection,
        select(AppointmentVersion.version_id, AppointmentVersion.id, AppointmentVersion.starts_at).where(
            AppointmentVersion.practice_id == place.practice_id,
            AppointmentVersion.status == "booked",
            AppointmentVersion.undo_id.is_(None),
        ),
    )
    # a version that stood at another time was never kept: it stays the booking that it was
    same = happened.select("id", "status", "status_known_from", "starts_at")
    joined = earlier.join(same, on=["id", "starts_at"]).select("version_id", "status", "status_known_from")
    if joined.height:
        update_frame(connection, AppointmentVersion.__table__, joined, key="version_id")
