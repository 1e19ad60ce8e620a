"""The clinician's week: what changed in seven days, and what waits for an answer. Counts, and rows to show them by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from dashboard.analytics.attendance import MISSED

WEEK_DAYS = 7


@dataclass(frozen=True)
class Week:
    """``raised``, ``cleared``, ``unanswered``: flag rows. ``missed``: appointments. ``unbooked``: states with nothing booked."""

    raised: pl.DataFrame
    cleared: pl.DataFrame
    unanswered: pl.DataFrame
    missed: pl.DataFrame
    unbooked: pl.DataFrame


def week(flags: pl.DataFrame, states: pl.DataFrame, appointments: pl.DataFrame, as_of: date) -> Week:
    """The seven days up to ``as_of`` of open episodes; safety items stand apart and are not among the flags.

    ``flags``: episode_id, family, raised_on, cleared_on, state. ``states``: episode_id, next_booked_on, sessions_attended.
    ``appointments``: episode_id, starts_at, status. Unbooked: seen at least once and nothing ahead.
    """
    since = as_of - timedelta(days=WEEK_DAYS)
    own = flags.filter(pl.col("family") != "safety").join(states.select("episode_id"), on="episode_id", how="semi")
    standing = own.filter(pl.col("cleared_on").is_null())
    day = pl.col("starts_at").dt.date()
    return Week(
        raised=standing.filter(pl.col("raised_on") > since),
        cleared=own.filter(pl.col("cleared_on") > since),
        unanswered=standing.filter(pl.col("state") == "open"),
        missed=appointments.filter(pl.col("status").is_in(MISSED) & (day > since) & (day <= as_of)),
        unbooked=states.filter(pl.col("next_booked_on").is_null() & (pl.col("sessions_attended") > 0)),
    )
