"""Who has been talked about: last discussed, never discussed, share of the caseload in the last four weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

LATELY_DAYS = 28  # NHS guidance: every case reviewed every two to four weeks (product notes, point 3)


@dataclass(frozen=True)
class Coverage:
    """Of ``episodes`` open ones: ``lately`` discussed in the last four weeks, ``never`` at all."""

    episodes: int
    lately: int
    never: int


def with_last_discussed(states: pl.DataFrame, discussed: pl.DataFrame) -> pl.DataFrame:
    """``states`` with last_discussed_on (null: never). ``discussed``: episode_id, held_on, one row per time."""
    last = discussed.group_by("episode_id").agg(last_discussed_on=pl.col("held_on").max())
    return states.join(last, on="episode_id", how="left", maintain_order="left")


def coverage(states: pl.DataFrame, as_of: date) -> Coverage:
    """Counts of ``states`` (open episodes with last_discussed_on)."""
    lately = states.filter(pl.col("last_discussed_on") > as_of - timedelta(days=LATELY_DAYS)).height
    return Coverage(states.height, lately, states["last_discussed_on"].null_count())
