"""Who came when: sessions, gaps, missed appointments and what is booked next.

A session is an attended appointment. A row may stand for an episode as known on its own ``as_of``; appointments later than
that day are already masked as booked.
"""

from __future__ import annotations

import polars as pl

from dashboard.settings import Rules

MISSED = ("no_show", "late_cancelled")


def dated(episodes: pl.DataFrame, appointments: pl.DataFrame) -> pl.DataFrame:
    """Appointments with their day and the episode's as_of, in time order."""
    return (
        appointments.join(episodes.select("episode_id", "as_of"), on="episode_id")
        .with_columns(day=pl.col("starts_at").dt.date())
        .sort(["episode_id", "starts_at", "appointment_id"])
    )


def sessions(appointments: pl.DataFrame) -> pl.DataFrame:
    """Attended appointments with ``session_number`` 1, 2, … within the episode (input from ``dated``)."""
    attended = appointments.filter(pl.col("status") == "attended")
    return attended.with_columns(
        session_number=pl.int_range(pl.len(), dtype=pl.Int64).over("episode_id") + 1,
    )


def attendance(episodes: pl.DataFrame, appointments: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """One row per episode with anything in its diary: first and last session, count, next booking, missed of recent.

    ``missed_recent`` counts no-shows and late cancellations among the last ``rules.recent_appointments`` past appointments
    whose status is known; ``missed_since`` is the day of the one that made the count reach ``rules.missed_of_recent``.
    """
    diary = dated(episodes, appointments)
    known = diary.filter((pl.col("status") != "booked") & (pl.col("day") <= pl.col("as_of")))
    met = (
        known.filter(pl.col("status") == "attended")
        .group_by("episode_id", maintain_order=True)
        .agg(
            first_attended_on=pl.col("day").first(),
            last_attended_on=pl.col("day").last(),
            sessions_attended=pl.len().cast(pl.Int64),
        )
    )
    ahead = (
        diary.filter((pl.col("status") == "booked") & (pl.col("day") >= pl.col("as_of")))
        .group_by("episode_id", maintain_order=True)
        .agg(next_booked_on=pl.col("day").first())
    )
    recent = known.group_by("episode_id", maintain_order=True).tail(rules.recent_appointments)
    missed = (
        recent.filter(pl.col("status").is_in(MISSED))
        .group_by("episode_id", maintain_order=True)
        .agg(
            missed_recent=pl.len().cast(pl.Int64),
            last_missed_on=pl.col("day").last(),
            missed_since=pl.col("day").get(rules.missed_of_recent - 1, null_on_oob=True),
        )
    )
    last = known.group_by("episode_id", maintain_order=True).agg(
        last_status=pl.col("status").last(), last_appointment_on=pl.col("day").last()
    )
    frame = episodes.select("episode_id")
    for part in (met, ahead, missed, last):
        frame = frame.join(part, on="episode_id", how="left")
    return frame.with_columns(pl.col("sessions_attended", "missed_recent").fill_null(0))
