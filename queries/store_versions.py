"""Clinical rows into their tables: episodes, appointments, scores (how versions are kept: ``queries.versions``).

Filling an empty field, or learning what became of a booking, counts from its clinical day. An empty cell says nothing and
empties nothing.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from queries.frames import insert_frame, read_frame, update_frame
from queries.keys import next_id
from queries.store_people import Count, Place
from queries.tables import Appointment, AppointmentVersion, Base, Episode, EpisodeVersion, Score, ScoreVersion
from queries.versions import corrected, fill_versions, filled, given, keep_versions


def _insert(connection: Connection, table: type[Base], place: Place, new: pl.DataFrame, own: dict[str, Any]) -> None:
    if new.is_empty():
        return
    first = next_id(connection, table)
    frame = new.with_columns(
        id=pl.int_range(pl.len(), dtype=pl.Int64) + first,
        practice_id=pl.lit(place.practice_id),
        import_id=pl.lit(place.import_id),
        **own,
    )
    insert_frame(connection, table.__table__, frame)


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


def store_episodes(connection: Connection, place: Place, rows: pl.DataFrame, today: date) -> tuple[Count, list[int]]:
    """``rows``: source_id, public_id, internal client and clinician ids, the fields, recorded_on, ending_recorded_on.

    Returns the count and the ids of episodes that are new or changed.
    """
    statement = select(Episode.id, Episode.source_id, *(getattr(Episode, c) for c in EPISODE_FIELDS)).add_columns(
        Episode.ending_known_from, Episode.known_from, Episode.import_id
    )
    present = read_frame(
        connection, statement.where(Episode.practice_id == place.practice_id, Episode.source == place.source)
    )
    rows = rows.sort("source_id").with_columns(
        ending_day=pl.when(pl.col("closed_on").is_not_null()).then(
            pl.coalesce("ending_recorded_on", "recorded_on", "closed_on")
        )
    )
    new = rows.join(present.select("source_id"), on="source_id", how="anti")
    _insert(
        connection,
        Episode,
        place,
        new.select(
            "source_id",
            "public_id",
            *(c for c in EPISODE_FIELDS if c != "kind"),
            pl.col("kind").fill_null("individual"),
            known_from=pl.coalesce("recorded_on", "opened_on"),
            ending_known_from=pl.col("ending_day"),
        ),
        {"source": pl.lit(place.source)},
    )
    both = present.join(rows.select("source_id", "ending_day", *EPISODE_FIELDS), on="source_id", suffix="_new")
    fills = pl.any_horizontal(*(filled(c) for c in EPISODE_FIELDS))
    corrects = pl.any_horizontal(*(corrected(c) for c in EPISODE_FIELDS))
    ends = filled("closed_on")
    ending_corrected = corrected("closed_on") | corrected("ending")
    changed = both.filter(fills | corrects).with_columns(
        is_correction=corrects, ending_corrected=ending_corrected, ends=ends, fills=fills
    )
    with_fills = changed.with_columns(
        *(pl.coalesce(c, f"{c}_new").alias(c) for c in EPISODE_FIELDS),
        ending_known_from=pl.when("ends").then("ending_day").otherwise("ending_known_from"),
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
    keep_versions(connection, EpisodeVersion, place.practice_id, corrections.select(stored), today)
    current = with_fills.with_columns(
        *(pl.coalesce(f"{c}_new", c).alias(c) for c in EPISODE_FIELDS),
        known_from=pl.when("is_correction").then(pl.lit(today)).otherwise("known_from"),
        ending_known_from=pl.when("ending_corrected").then(pl.lit(today)).otherwise("ending_known_from"),
        import_id=pl.lit(place.import_id),
    )
    update_frame(connection, Episode.__table__, current.select(stored))
    count = Count(new.height, changed.height, both.height - changed.height)
    fresh = read_frame(
        connection,
        select(Episode.id).where(Episode.practice_id == place.practice_id, Episode.import_id == place.import_id),
    )
    return count, fresh["id"].to_list()


def store_appointments(
    connection: Connection, place: Place, rows: pl.DataFrame, today: date
) -> tuple[Count, list[int]]:
    """``rows``: source_id, internal episode_id, starts_at, status, mode, booked_on, recorded_on."""
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
    ).where(Appointment.practice_id == place.practice_id, Appointment.source == place.source)
    present = read_frame(connection, statement)
    day = pl.col("starts_at").dt.date()
    rows = rows.sort("source_id").with_columns(
        booked_known=pl.coalesce("booked_on", "recorded_on", pl.min_horizontal(day, pl.lit(today))),
        # what became of a booking counts from its own day; a cancellation ahead of it from the import that tells of it
        happened_known=pl.max_horizontal("recorded_on", pl.min_horizontal(day, pl.lit(today))),
    )
    new = rows.join(present.select("source_id"), on="source_id", how="anti")
    _insert(
        connection,
        Appointment,
        place,
        new.select(
            "source_id",
            "episode_id",
            "starts_at",
            "status",
            "mode",
            known_from="booked_known",
            status_known_from=pl.when(pl.col("status") == "booked")
            .then("booked_known")
            .otherwise(pl.max_horizontal("booked_known", "happened_known")),
        ),
        {"source": pl.lit(place.source)},
    )
    both = present.join(
        rows.select("source_id", "episode_id", "starts_at", "status", "mode", "booked_on", "happened_known"),
        on="source_id",
        suffix="_new",
    )
    happens = (pl.col("status") == "booked") & (pl.col("status_new") != "booked")
    restated = ~happens & (pl.col("status") != pl.col("status_new"))
    moved = corrected("episode_id") | corrected("starts_at")
    corrects = moved | corrected("mode") | restated
    earlier_booking = (pl.col("booked_on") < pl.col("known_from")).fill_null(False)
    fills = happens | filled("mode") | earlier_booking
    changed = both.filter(fills | corrects).with_columns(
        is_correction=corrects, happens=happens & ~moved, restated=restated | (happens & moved), earlier=earlier_booking,
        fills=fills,
    )  # fmt: skip
    settled = changed.with_columns(
        mode=pl.coalesce("mode", "mode_new"),
        status=pl.when("happens").then("status_new").otherwise("status"),
        status_known_from=pl.when("happens").then("happened_known").otherwise("status_known_from"),
        known_from=pl.when("earlier").then("booked_on").otherwise("known_from"),
    )
    stored = ["id", "episode_id", "starts_at", "status", "mode", "known_from", "status_known_from", "import_id"]
    _settle_versions(connection, place, settled.filter("happens"))
    fill_versions(connection, AppointmentVersion, place.practice_id, settled.filter(given("mode")), ["mode"])
    keep_versions(
        connection, AppointmentVersion, place.practice_id, settled.filter("is_correction").select(stored), today
    )
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
    touched = pl.concat(
        [
            new.select("episode_id"),
            changed.select("episode_id"),
            changed.select(pl.col("episode_id_new").alias("episode_id")),
        ]
    )
    count = Count(new.height, changed.height, both.height - changed.height)
    return count, touched["episode_id"].unique().to_list()


def _settle_versions(connection: Connection, place: Place, happened: pl.DataFrame) -> None:
    if happened.is_empty():
        return
    earlier = read_frame(
        connection,
        select(AppointmentVersion.version_id, AppointmentVersion.id, AppointmentVersion.starts_at).where(
            AppointmentVersion.practice_id == place.practice_id, AppointmentVersion.status == "booked"
        ),
    )
    # a version that stood at another time was never kept: it stays the booking that it was
    same = happened.select("id", "status", "status_known_from", "starts_at")
    joined = earlier.join(same, on=["id", "starts_at"]).select("version_id", "status", "status_known_from")
    if joined.height:
        update_frame(connection, AppointmentVersion.__table__, joined, key="version_id")


SCORE_KEY = ["episode_id", "taken_on", "instrument", "scale", "respondent"]


def store_scores(connection: Connection, place: Place, rows: pl.DataFrame, today: date) -> tuple[Count, list[int]]:
    """``rows``: internal episode_id, the rest of the key, value, appointment_ref, recorded_on."""
    owners = select(Episode.id).where(Episode.practice_id == place.practice_id, Episode.source == place.source)
    statement = select(
        Score.id,
        *(getattr(Score, c) for c in SCORE_KEY),
        Score.value,
        Score.appointment_ref,
        Score.known_from,
        Score.import_id,
    ).where(Score.episode_id.in_(owners))
    present = read_frame(connection, statement)
    rows = rows.sort(SCORE_KEY)
    new = rows.join(present.select(SCORE_KEY), on=SCORE_KEY, how="anti")
    _insert(
        connection,
        Score,
        place,
        new.select(*SCORE_KEY, "value", "appointment_ref", known_from=pl.coalesce("recorded_on", "taken_on")),
        {},
    )
    both = present.join(rows.select(*SCORE_KEY, "value", "appointment_ref"), on=SCORE_KEY, suffix="_new")
    corrects = pl.col("value") != pl.col("value_new")
    changed = both.filter(corrects | filled("appointment_ref") | corrected("appointment_ref")).with_columns(
        is_correction=corrects
    )
    stored = ["id", *SCORE_KEY, "value", "appointment_ref", "known_from", "import_id"]
    keep_versions(connection, ScoreVersion, place.practice_id, changed.filter("is_correction").select(stored), today)
    current = changed.with_columns(
        value=pl.col("value_new"),
        appointment_ref=pl.coalesce("appointment_ref_new", "appointment_ref"),
        known_from=pl.when("is_correction").then(pl.lit(today)).otherwise("known_from"),
        import_id=pl.lit(place.import_id),
    )
    update_frame(
        connection, Score.__table__, current.select("id", "value", "appointment_ref", "known_from", "import_id")
    )
    touched = pl.concat([new.select("episode_id"), changed.select("episode_id")])["episode_id"].unique().to_list()
    return Count(new.height, changed.height, both.height - changed.height), touched
