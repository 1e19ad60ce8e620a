"""An episode's rows standing once for all the days of a stretch: a time over which what was known of it only grew at its end.

A feature of a day is then a running value of the last row that was known. ``replay.stretches`` says where a stretch ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from dashboard.contracts import Frames


@dataclass(frozen=True)
class Stretches:
    """What is known on many days, as few rows.

    ``asked``: EPISODES, one row per day asked, whose ``episode_id`` names that day and is sorted; plus ``stretch``, whose rows
    it reads (never falling), and ``known_to``: rows of the stretch up to that day of their own were known. ``appointments``
    (APPOINTMENTS, only those that had happened and whose status was known) and ``scores`` (SCORES): ``episode_id`` is the
    stretch. ``booked``: episode_id of the day asked and ``next_booked_on``, the next appointment ahead, where there is one.
    ``leave``: LEAVE by day asked.
    """

    asked: pl.DataFrame
    appointments: pl.DataFrame
    scores: pl.DataFrame
    booked: pl.DataFrame
    leave: pl.DataFrame


def one_day_each(frames: Frames) -> Stretches:
    """Frames of one day per episode: each is a stretch of its own."""
    asked = frames.episodes.sort("episode_id").with_columns(stretch="episode_id", known_to="as_of")
    appointments = frames.appointments.join(frames.episodes.select("episode_id", "as_of"), on="episode_id")
    day = pl.col("starts_at").dt.date()
    booked = (
        appointments.filter((pl.col("status") == "booked") & (day >= pl.col("as_of")))
        .group_by("episode_id")
        .agg(next_booked_on=day.min())
    )
    past = appointments.filter((pl.col("status") != "booked") & (day <= pl.col("as_of"))).drop("as_of")
    return Stretches(asked, past, frames.scores, booked, frames.leave)
