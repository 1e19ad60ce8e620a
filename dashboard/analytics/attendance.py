"""Who came when: sessions, gaps, missed appointments and what is booked next.

A session is an attended appointment. A row may stand for an episode as known on its own ``as_of``; appointments later than
that day are already masked as booked.
"""

from __future__ import annotations

import polars as pl

from dashboard.analytics.places import with_places
from dashboard.settings import Rules

MISSED = ("no_show", "late_cancelled")
DAYS = 2**20  # more days than any calendar date has, so that episode and day make one sortable whole number


def dated(episodes: pl.DataFrame, appointments: pl.DataFrame) -> pl.DataFrame:
    """Appointments with their day and the episode's as_of, in time order."""
    return (
        appointments.join(episodes.select("episode_id", "as_of"), on="episode_id")
        .with_columns(day=pl.col("starts_at").dt.date())
        .sort(["episode_id", "starts_at", "appointment_id"])
    )


def _place_in_time(episode: str, day: pl.Expr) -> pl.Expr:
    return pl.col(episode) * DAYS + day.to_physical().cast(pl.Int64) + DAYS // 2


def session_on(diary: pl.DataFrame, rated: pl.DataFrame) -> pl.Series:
    """Per row of ``rated`` (episode_id, taken_on) how many sessions there were up to that day; null before the first.

    ``diary`` comes from ``dated``.
    """
    attended = diary.filter(pl.col("status") == "attended").select(at=_place_in_time("episode_id", pl.col("day")))["at"]
    up_to = attended.search_sorted(
        rated.select(_place_in_time("episode_id", pl.col("taken_on"))).to_series(), side="right"
    )
    before = attended.search_sorted(rated.select(pl.col("episode_id") * DAYS).to_series(), side="left")
    count = (up_to.cast(pl.Int64) - before.cast(pl.Int64)).alias("session_number")
    return count.replace(0, None)


def attendance(diary: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """One row per episode with anything in its diary (from ``dated``).

    First, last and last but one session, count, next booking, missed of recent. ``missed_before_last`` and
    ``late_before_last``: no-shows and late cancellations between the last two sessions. ``missed_recent`` counts both among
    the last ``rules.recent_appointments`` past appointments whose status is known; ``missed_since`` is the day of the one
    that made the count reach ``rules.missed_of_recent``.
    """
    known = with_places(diary.filter((pl.col("status") != "booked") & (pl.col("day") <= pl.col("as_of"))))
    counted = known.with_columns(
        no_shows=(pl.col("status") == "no_show").cast(pl.Int64).cum_sum(),
        late=(pl.col("status") == "late_cancelled").cast(pl.Int64).cum_sum(),
    )
    attended = with_places(
        counted.filter(pl.col("status") == "attended").select("episode_id", "day", "mode", "no_shows", "late", at="row")
    )
    last = attended.filter("is_last")
    has_one_before = last["row"] > last["first"]
    before = (last["row"] - 1).clip(0)
    # before the first session everything since the episode's first appointment counts
    begins = counted[counted.filter("is_last").join(last.select("episode_id"), on="episode_id", how="semi")["first"]]
    met = last.select(
        "episode_id",
        first_attended_on=attended["day"].gather(last["first"]),
        last_attended_on="day",
        sessions_attended=pl.col("row") - pl.col("first") + 1,
        last_mode="mode",
        previous_attended_on=pl.when(has_one_before).then(attended["day"].gather(before)),
        **{
            name: pl.col(column)
            - pl.when(has_one_before)
            .then(attended[column].gather(before))
            .otherwise(begins[column] - (begins["status"] == status).cast(pl.Int64))
            for name, column, status in (
                ("missed_before_last", "no_shows", "no_show"),
                ("late_before_last", "late", "late_cancelled"),
            )
        },
    )
    ahead = (
        diary.filter((pl.col("status") == "booked") & (pl.col("day") >= pl.col("as_of")))
        .unique("episode_id", keep="first", maintain_order=True)
        .select("episode_id", next_booked_on="day")
    )
    last_row = pl.when("is_last").then(pl.col("row")).backward_fill()
    missed = (
        known.filter((last_row - pl.col("row") < rules.recent_appointments) & pl.col("status").is_in(MISSED))
        .group_by("episode_id", maintain_order=True)
        .agg(
            missed_recent=pl.len().cast(pl.Int64),
            last_missed_on=pl.col("day").last(),
            missed_since=pl.col("day").get(rules.missed_of_recent - 1, null_on_oob=True),
        )
    )
    latest = known.filter("is_last").select("episode_id", last_status="status")
    frame = diary.select(pl.col("episode_id").unique(maintain_order=True))
    for part in (met, ahead, missed, latest):
        frame = frame.join(part, on="episode_id", how="left")
    return frame
