"""Who came when: sessions, gaps, missed appointments and what is booked next.

A session is an attended appointment. An episode may stand for a stretch of days (``stretches``): what it says on one of them is
the running value of the last row known by then.
"""

from __future__ import annotations

import polars as pl

from dashboard.analytics.places import DAYS, place_in_time, row_up_to, with_places
from dashboard.settings import Rules

MISSED = ("no_show", "late_cancelled")


def dated(appointments: pl.DataFrame) -> pl.DataFrame:
    """Appointments with their ``day``, in time order."""
    return appointments.with_columns(day=pl.col("starts_at").dt.date()).sort(
        ["episode_id", "starts_at", "appointment_id"]
    )


def session_on(diary: pl.DataFrame, rated: pl.DataFrame) -> pl.Series:
    """Per row of ``rated`` (episode_id, taken_on) how many sessions there were up to that day; null before the first.

    ``diary`` comes from ``dated``.
    """
    attended = diary.filter(pl.col("status") == "attended")
    at = pl.Series(place_in_time(attended["episode_id"], attended["day"]))
    up_to = at.search_sorted(pl.Series(place_in_time(rated["episode_id"], rated["taken_on"])), side="right")
    before = at.search_sorted(rated["episode_id"] * DAYS, side="left")
    count = (up_to.cast(pl.Int64) - before.cast(pl.Int64)).alias("session_number")
    return count.replace(0, None)


def _counted(diary: pl.DataFrame) -> pl.DataFrame:
    """Running counts over all rows; those of an episode are a difference of two."""
    status = pl.col("status")
    return with_places(diary).with_columns(
        attended=(status == "attended").cast(pl.Int64).cum_sum(),
        no_shows=(status == "no_show").cast(pl.Int64).cum_sum(),
        late=(status == "late_cancelled").cast(pl.Int64).cum_sum(),
        missed=status.is_in(MISSED).cast(pl.Int64).cum_sum(),
    )


def attendance(diary: pl.DataFrame, asked: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """One row per day asked, in the order of ``asked`` (stretch, known_to); null where the diary says nothing yet.

    ``diary``: from ``dated``, of appointments whose status is known. First, last and last but one session, count, missed of
    recent. ``missed_before_last`` and ``late_before_last``: no-shows and late cancellations between the last two sessions, before
    the first everything since the episode's first appointment. ``missed_recent`` counts both among the last
    ``rules.recent_appointments`` past appointments, null where there is none; ``missed_since`` is the day of the one that made
    the count reach ``rules.missed_of_recent``.
    """
    counted = _counted(diary)
    sessions = counted.filter(pl.col("status") == "attended")
    missed = counted.filter(pl.col("status").is_in(MISSED))["day"]
    row = row_up_to(counted["episode_id"], counted["day"], asked["stretch"], asked["known_to"])

    def at(column: str, place: str) -> pl.Expr:
        return pl.lit(counted[column]).gather(place).alias(column)

    def before(column: str, place: str, holds: pl.Expr) -> pl.Expr:
        """The running count just before a row."""
        own = pl.lit(counted.select(holds.cast(pl.Int64)).to_series()).gather(place)
        return pl.lit(counted[column]).gather(place) - own

    def met(column: str, place: str) -> pl.Expr:
        return pl.lit(sessions[column]).gather(place)

    status = pl.col("status")
    placed = pl.DataFrame({"row": row}).with_columns(first=at("first", "row"), attended=at("attended", "row"))
    placed = placed.with_columns(
        begins=before("attended", "first", status == "attended"),
        window=pl.max_horizontal("first", pl.col("row") - (rules.recent_appointments - 1)),
        missed=at("missed", "row"),
    )
    placed = placed.with_columns(
        sessions_attended=pl.col("attended") - pl.col("begins"),
        earlier=before("missed", "window", status.is_in(MISSED)),
    ).with_columns(missed_recent=pl.col("missed") - pl.col("earlier"))
    came, again = pl.col("sessions_attended") > 0, pl.col("sessions_attended") > 1
    placed = placed.with_columns(
        start=pl.when(came).then("begins"),
        last=pl.when(came).then(pl.col("attended") - 1),
        previous=pl.when(again).then(pl.col("attended") - 2),
        latest=pl.when(pl.col("missed_recent") > 0).then(pl.col("missed") - 1),
        reached=pl.when(pl.col("missed_recent") >= rules.missed_of_recent).then(
            pl.col("earlier") + rules.missed_of_recent - 1
        ),
    )
    return placed.select(
        first_attended_on=met("day", "start"),
        last_attended_on=met("day", "last"),
        sessions_attended=pl.when(came).then("sessions_attended"),
        last_mode=met("mode", "last"),
        previous_attended_on=met("day", "previous"),
        missed_before_last=met("no_shows", "last")
        - pl.coalesce(met("no_shows", "previous"), before("no_shows", "first", status == "no_show")),
        late_before_last=met("late", "last")
        - pl.coalesce(met("late", "previous"), before("late", "first", status == "late_cancelled")),
        missed_recent=pl.when(pl.col("missed_recent") > 0).then("missed_recent"),
        last_missed_on=pl.lit(missed).gather("latest"),
        missed_since=pl.lit(missed).gather("reached"),
        last_status=at("status", "row"),
    )
