"""Episodes: an EpisodeOfCare is one; a client without any gets one per practitioner."""

from __future__ import annotations

import polars as pl

from dashboard.intake.batch import PLACE
from dashboard.intake.fhir.aside import Aside
from dashboard.intake.fhir.attribution import MADE, STAND_IN, KnownCare
from dashboard.intake.fhir.collect import Collected
from dashboard.intake.fhir.people import People, once
from dashboard.intake.fhir.times import practice_day
from dashboard.intake.fhir.visits import WITHDRAWN

OPEN = ("active", "onhold", "planned", "waitlist")
CLOSED = ("finished", "cancelled")


def care_of(people: People, collected: Collected, known: KnownCare, timezone: str, aside: Aside) -> pl.DataFrame:
    """EpisodeOfCare rows that count, with opened_on and closed_on as text."""
    given = people.settle(collected.episodes.frame(), patient="Patient", practitioner="Practitioner")
    given = once(given, aside)
    lost = pl.col("patient").is_null()
    aside.report(given.filter(lost), "patient", None, "no Patient that can be followed")
    given = given.filter(~lost)
    late = given.join(known.made.select("patient").unique(), on="patient", how="semi").filter(
        ~pl.col("rid").is_in(known.episodes["episode_id"].implode())
    )
    aside.report(
        late, "patient", "patient",
        "came after an episode was made for this client from earlier files; undo that import to take it in",
    )  # fmt: skip
    given = given.join(late.select("rid"), on="rid", how="anti")
    odd = ~pl.col("status").is_in([*OPEN, *CLOSED, WITHDRAWN])
    aside.report(given.filter(odd), "status", "status", "not a status of an episode of care")
    given = given.filter(~odd)
    given = given.with_columns(
        opened_on=practice_day(given["start"], timezone), ended_on=practice_day(given["end"], timezone)
    )
    closed = pl.col("status").is_in(CLOSED)
    return given.with_columns(closed_on=pl.when(closed).then(pl.col("ended_on")), is_closed=closed)


def made_episodes(events: pl.DataFrame, clients: frozenset[str], known: KnownCare) -> pl.DataFrame:
    """Episodes of rule 3 that are new, or now begin earlier: episode_id, client_id, clinician_id, opened_on and place."""
    made = events.filter(pl.col("episode_id").str.contains(MADE)).with_columns(
        client_id=pl.col("episode_id").str.extract(MADE, 1), clinician_id=pl.col("episode_id").str.extract(MADE, 2)
    )
    made = made.filter(pl.col("client_id").is_in(list(clients)) & pl.col("day").is_not_null())
    first = made.sort(["day", "file", "line"]).unique("episode_id", keep="first", maintain_order=True)
    before = known.episodes.select("episode_id", "opened")
    first = first.join(before, on="episode_id", how="left", maintain_order="left")
    first = first.filter(pl.col("opened").is_null() | (pl.col("day") < pl.col("opened")))
    return first.select(
        "episode_id",
        "client_id",
        pl.col("clinician_id").fill_null(STAND_IN),
        pl.col("day").cast(pl.String).alias("opened_on"),
        "file",
        "line",
    )


def named_episodes(care: pl.DataFrame, events: pl.DataFrame, known: KnownCare, aside: Aside) -> pl.DataFrame:
    """EpisodeOfCare as our episodes; a missing clinician or beginning comes from what is in the episode."""
    inside = events.filter(pl.col("episode_id").is_in(care["rid"].implode()))
    most = (
        inside.drop_nulls("practitioner")
        .group_by("episode_id", "practitioner")
        .len()
        .sort(["len", "practitioner"], descending=[True, False])
        .unique("episode_id", keep="first", maintain_order=True)
        .select("episode_id", pl.col("practitioner").alias("most"))
    )
    first = inside.group_by("episode_id").agg(pl.col("day").min().cast(pl.String).alias("first"))
    before = known.episodes.select("episode_id", "clinician", pl.col("opened").cast(pl.String))
    both = care.rename({"rid": "episode_id"})
    for more in (most, first, before):
        both = both.join(more, on="episode_id", how="left", maintain_order="left")
    both = both.select(
        "episode_id",
        pl.col("patient").alias("client_id"),
        pl.coalesce("practitioner", "clinician", "most", pl.lit(STAND_IN)).alias("clinician_id"),
        pl.coalesce("opened_on", "opened", "first").alias("opened_on"),
        "closed_on",
        "is_closed",
        "status",
        *PLACE,
    )
    unbegun = pl.col("opened_on").is_null() & (pl.col("status") != WITHDRAWN)
    aside.report(both.filter(unbegun), "period", None, "no period.start, and nothing in it from which it could be told")
    unended = pl.col("is_closed") & pl.col("closed_on").is_null() & ~unbegun
    aside.report(both.filter(unended), "period", "status", "closed without period.end: the day it closed is not known")
    return both.filter(~unbegun & ~unended)
