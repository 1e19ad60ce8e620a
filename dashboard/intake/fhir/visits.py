"""Appointments and Encounters to our appointments; an Encounter of an Appointment is that one appointment, not a second."""

from __future__ import annotations

import polars as pl

from dashboard.intake.fhir.aside import Aside
from dashboard.intake.fhir.times import practice_day, practice_time

WITHDRAWN = "entered-in-error"
APPOINTED = {
    "booked": "booked", "arrived": "attended", "checked-in": "attended", "fulfilled": "attended", "noshow": "no_show",
    "cancelled": "cancelled", WITHDRAWN: WITHDRAWN, "proposed": "not_booked", "pending": "not_booked", "waitlist": "not_booked",
}  # fmt: skip
MET = {
    "planned": "booked", "arrived": "attended", "triaged": "attended", "in-progress": "attended", "onleave": "attended",
    "finished": "attended", "cancelled": "cancelled", WITHDRAWN: WITHDRAWN,
}  # fmt: skip
# v3-ActCode: stays and emergencies are no sessions of a practice
STAYS = ("IMP", "ACUTE", "NONAC", "EMER", "OBSENC", "PRENC", "SS")
# appointment-cancellation-reason: pat… is the client, prov… and maint the practice; "other" says nobody
BY_CLIENT, BY_PRACTICE = r"(^| )pat\b", r"(^| )(prov|maint)\b"


def _who_cancelled() -> pl.Expr:
    client = pl.col("reason").str.contains(BY_CLIENT)
    practice = pl.col("reason").str.contains(BY_PRACTICE)
    by = (
        pl.when(client & ~practice)
        .then(pl.lit("cancelled_by_client"))
        .when(practice & ~client)
        .then(pl.lit("cancelled_by_clinician"))
        .otherwise(pl.lit("cancelled"))
    )
    return pl.when(pl.col("became") == "cancelled").then(by).otherwise(pl.col("became")).alias("became")


def _worded(frame: pl.DataFrame, words: dict[str, str], aside: Aside) -> pl.DataFrame:
    made = frame.with_columns(became=pl.col("status").replace_strict(words, default=None, return_dtype=pl.String))
    unknown = made.filter(pl.col("became").is_null())
    aside.report(unknown, "status", "status", "a status that does not say whether the client was seen")
    return made.filter(pl.col("became").is_not_null()).with_columns(_who_cancelled())


def visits(appointments: pl.DataFrame, encounters: pl.DataFrame, timezone: str, aside: Aside) -> pl.DataFrame:
    """VISITS rows that are appointments, with appointment_id, became (our status), starts_at and booked_on as text.

    Rows entered in error have ``became`` "entered-in-error". ``encounter`` is the id of the Encounter, for what points to it.
    """
    booked = _worded(appointments, APPOINTED, aside).with_columns(
        appointment_id=pl.col("rid"), encounter=pl.lit(None, pl.String)
    )
    no_slot = pl.col("became") == "not_booked"
    aside.leave_all(booked.filter(no_slot), "Appointment proposed, pending or on a waiting list, so not booked")
    booked = booked.filter(~no_slot)
    part = pl.col("part_of").is_not_null()
    aside.leave_all(encounters.filter(part), "Encounter that is part of another")
    stay = ~part & pl.col("klass").is_in(STAYS)
    aside.leave_all(encounters.filter(stay), "Encounter of a stay or an emergency")
    met = _worded(encounters.filter(~part & ~stay.fill_null(False)), MET, aside)
    met = met.with_columns(of=pl.col("appointment").str.strip_prefix("Appointment/"), encounter=pl.col("rid"))
    met = met.filter((pl.col("became") != WITHDRAWN) | pl.col("of").is_null())
    met = met.with_columns(attended=pl.col("became") == "attended").sort(
        "attended", descending=True, maintain_order=True
    )
    linked = met.filter(pl.col("of").is_not_null())
    single = linked.unique("of", keep="first", maintain_order=True)
    booked = _with_encounter(booked, single, aside)
    there = booked.select("appointment_id")
    alone = single.join(there, left_on="of", right_on="appointment_id", how="anti")
    alone = alone.with_columns(appointment_id=pl.col("of"))
    free = met.filter(pl.col("of").is_null()).with_columns(appointment_id=pl.format("Encounter/{}", "rid"))
    columns = [*booked.columns]
    every = pl.concat([booked, alone.select(columns), free.select(columns)])
    lost = pl.col("became") == "cancelled"
    aside.report(
        every.filter(lost), "status", "status",
        "cancelled, but no cancelationReason says by whom; it is neither a session nor a missed one",
    )  # fmt: skip
    every = every.filter(~lost)
    return every.with_columns(
        starts_at=practice_time(every["starts"], timezone), booked_on=practice_day(every["created"], timezone)
    )


def _with_encounter(booked: pl.DataFrame, met: pl.DataFrame, aside: Aside) -> pl.DataFrame:
    """What the Encounter adds to its Appointment: that the client came, the mode, the people, the episode."""
    added = ["patient", "practitioner", "shown", "mode", "episode", "starts"]
    both = booked.drop("encounter").join(
        met.select("of", "attended", "encounter", *(pl.col(c).alias(f"met_{c}") for c in added)),
        left_on="appointment_id",
        right_on="of",
        how="left",
        maintain_order="left",
    )
    came = pl.col("attended").fill_null(False) & ~pl.col("became").is_in(["attended", WITHDRAWN])
    differs = both.filter(came & (pl.col("became") != "booked"))
    aside.report(differs, "status", "status", "the Encounter of this Appointment took place; it was taken as attended")
    return both.with_columns(
        *(pl.coalesce(c, f"met_{c}").alias(c) for c in added),
        became=pl.when(came).then(pl.lit("attended")).otherwise(pl.col("became")),
    ).select(booked.columns)
