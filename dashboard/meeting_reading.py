"""What a meeting is prepared from: the caseloads it is about, who has been discussed, what was agreed, what is marked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import Connection

from dashboard.access import FirstLook, Scope
from dashboard.head_start import as_seen
from dashboard.instruments.instrument import Instrument
from dashboard.meetings.agenda import CASES
from dashboard.meetings.coverage import with_last_discussed
from dashboard.signals import BY_KEY
from queries import caseload, meetings
from queries.frames import read_frame


@dataclass(frozen=True)
class Caseloads:
    """``states``: open and closed episodes in scope with last_discussed_on; ``flags``: standing and cleared; the rest by row."""

    states: pl.DataFrame
    flags: pl.DataFrame
    safety: pl.DataFrame
    actions: pl.DataFrame
    marks: pl.DataFrame
    discussed: pl.DataFrame

    @property
    def open_states(self) -> pl.DataFrame:
        """Open episodes alone."""
        return self.states.filter(pl.col("closed_on").is_null())

    @property
    def standing(self) -> pl.DataFrame:
        """Flags that stand, without safety items."""
        return self.flags.filter(pl.col("cleared_on").is_null() & (pl.col("family") != "safety"))


def caseloads(connection: Connection, scope: Scope, first: FirstLook | None = None) -> Caseloads:
    """Reads everything a meeting about a scope needs; with ``first`` without what clinicians are to see first."""
    flags = read_frame(connection, caseload.flags(scope, standing=False, first=first))
    states = as_seen(connection, scope, read_frame(connection, caseload.states(scope, open_only=False)), first)
    discussed = read_frame(connection, meetings.discussed(scope))
    return Caseloads(
        with_last_discussed(states, discussed),
        flags,
        read_frame(connection, caseload.waiting_safety(scope)),
        read_frame(connection, meetings.actions(scope)),
        read_frame(connection, meetings.marks(scope)),
        discussed,
    )


def lacks_data() -> pl.Expr:
    """Seen at least once, and without an outcome score, an alliance rating or a next appointment."""
    return (pl.col("sessions_attended") > 0) & (
        (pl.col("scores") == 0) | pl.col("alliance_latest").is_null() | pl.col("next_booked_on").is_null()
    )


def _gained(instruments: dict[str, Instrument]) -> pl.Expr:
    """Latest score beyond the favourable edge of the expected range; null without a range."""
    direction = pl.col("outcome_instrument").replace_strict(
        {key: one.direction for key, one in instruments.items()}, default=None, return_dtype=pl.Int64
    )
    return (
        pl.when(direction > 0)
        .then(pl.col("latest") > pl.col("expected_high"))
        .otherwise(pl.col("latest") < pl.col("expected_low"))
    )


def cases(read: Caseloads, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """The open episodes as ``agenda.propose`` reads them (CASES)."""
    order = {key: place for place, key in enumerate(BY_KEY)}
    weight = pl.col("signal").replace_strict(order, default=len(order), return_dtype=pl.Int64)
    counted = read.standing.filter(pl.col("state") != "snoozed").sort([weight, "raised_on"])
    flagged = counted.group_by("episode_id").agg(
        signals=pl.col("signal").unique(maintain_order=True).str.join(";"),
        raised_on=pl.col("raised_on").max(),
        unanswered=(pl.col("state") == "open").sum().cast(pl.Int64),
    )
    marked = read.marks.group_by("episode_id").agg(
        brought=(pl.col("kind") == "bring").any(), marked_well=(pl.col("kind") == "went_well").any()
    )
    return (
        read.open_states.join(flagged, on="episode_id", how="left")
        .join(marked, on="episode_id", how="left")
        .with_columns(
            pl.col("signals").fill_null(""),
            pl.col("unanswered").fill_null(0),
            pl.col("brought", "marked_well").fill_null(False),
            gained=_gained(instruments).fill_null(False),
            lacks_data=lacks_data(),
        )
        .select(pl.col(name).cast(kind) for name, kind in CASES.items())
    )


def last_met(listed: pl.DataFrame, before: date) -> date | None:
    """The day of the last meeting before a day; ``listed``: held_on, closed_at of the meetings with the same people."""
    held = listed.filter((pl.col("held_on") < before) & pl.col("closed_at").is_not_null())["held_on"]
    newest = held.max()
    return newest if isinstance(newest, date) else None
