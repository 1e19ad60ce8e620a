"""What the form "Add a session" proposes: the booked appointment of these days, else now; how it usually meets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

BACK_DAYS = 14  # project default: a booking whose day is longer ago is still in the list of sessions, not proposed
STEP_MINUTES = 15  # project default: sessions begin on quarters of an hour


def rounded(now: datetime, minutes: int = STEP_MINUTES) -> datetime:
    """The last full quarter of an hour: a session that is entered has begun."""
    return now.replace(minute=now.minute - now.minute % minutes, second=0, microsecond=0)


def to_fill(appointments: pl.DataFrame, now: datetime, own_source: str) -> list[dict[str, Any]]:
    """Appointments that the form may be about, the likeliest first: booked by hand from BACK_DAYS ago to today, and those of
    a file in the same days, to which scores can be entered.

    ``appointments``: ref, source, starts_at, status, mode. Nearest to now comes first, today's before other days'.
    """
    first = now.date() - timedelta(days=BACK_DAYS)
    day = pl.col("starts_at").dt.date()
    by_hand = pl.col("source") == own_source
    fits = (by_hand & (pl.col("status") == "booked")) | ~by_hand
    near = appointments.filter(fits & day.is_between(first, now.date()))
    return (
        near.with_columns(gap=(pl.col("starts_at") - now).abs(), today=day == now.date(), hand=by_hand)
        .sort(["hand", "today", "gap", "ref"], descending=[True, True, False, False])
        .to_dicts()
    )


def proposed(choices: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The appointment preselected: the likeliest that waits for what became of it; else one of a file today; null for now."""
    for one in choices:
        if one["hand"] or one["today"]:
            return one
    return None


def usual_mode(appointments: pl.DataFrame) -> str:
    """How the latest session that says so was held; empty where none does."""
    said = appointments.filter(pl.col("mode").is_not_null() & (pl.col("status") == "attended")).sort("starts_at")
    return "" if said.is_empty() else str(said["mode"][-1])


def booked_ahead(appointments: pl.DataFrame, today: date) -> datetime | None:
    """The next booking after today, by hand or from a file."""
    ahead = appointments.filter((pl.col("status") == "booked") & (pl.col("starts_at").dt.date() > today))
    return ahead["starts_at"].min() if ahead.height else None  # type: ignore[return-value]


def enters_items(scores: pl.DataFrame) -> dict[str, bool]:
    """Whether a questionnaire was last entered item by item; ``scores``: instrument, scale, taken_on."""
    if scores.is_empty():
        return {}
    last = scores.filter(pl.col("taken_on") == pl.col("taken_on").max().over("instrument"))
    found = last.group_by("instrument").agg(by_item=pl.col("scale").str.starts_with("item_").any())
    return dict(found.iter_rows())
