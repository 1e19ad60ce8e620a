"""Signs by which a growth goal can be looked at: each a count of what is on record anyway, none of them an outcome of clients.

A goal is about what a clinician does, not about how clients turn out: outcomes of a few episodes are mostly chance (science 6.4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from dashboard.analytics.endings import AGREED, MISSED, NOT_A_DROPOUT

BEFORE_DAYS = 180  # project default: how far back the value at the start is counted
FOLLOW_DAYS = 14  # days after a missed appointment in which another one counts as following it
BY_SESSION = 3  # science 4.1: alliance by session 3

SIGN_SESSIONS = {
    "episode_id": pl.Int64(),
    "session_number": pl.Int64(),
    "starts_at": pl.Datetime("us"),
    "status": pl.String(),
    "outcome": pl.Float64(),
    "alliance": pl.Float64(),
}
SIGN_STATES = {
    "episode_id": pl.Int64(),
    "sessions_attended": pl.Int64(),
    "closed_on": pl.Date(),
    "ending": pl.String(),
    "rupture": pl.String(),
    "rupture_since": pl.Date(),
}


@dataclass(frozen=True)
class Part:
    """``part`` of ``n``; ``value`` is null where there is nothing to count."""

    part: int
    n: int

    @property
    def value(self) -> float | None:
        """The share."""
        return self.part / self.n if self.n else None


Count = Callable[[pl.DataFrame, pl.DataFrame, date, date], pl.DataFrame]


@dataclass(frozen=True)
class Sign:
    """``words``: of a list to choose from. ``of``: what is counted. ``count`` gives one row per case with ``yes``."""

    words: str
    of: str
    count: Count


def _days(sessions: pl.DataFrame) -> pl.DataFrame:
    return sessions.with_columns(day=pl.col("starts_at").dt.date())


def _within(column: str, after: date, until: date) -> pl.Expr:
    return (pl.col(column) > after) & (pl.col(column) <= until)


def _rated_sessions(sessions: pl.DataFrame, _: pl.DataFrame, after: date, until: date) -> pl.DataFrame:
    held = _days(sessions).filter((pl.col("status") == "attended") & _within("day", after, until))
    return held.select(yes=pl.col("alliance").is_not_null())


def _rated_early(sessions: pl.DataFrame, _: pl.DataFrame, after: date, until: date) -> pl.DataFrame:
    first = _days(sessions).filter(pl.col("session_number") <= BY_SESSION)
    return (
        first.group_by("episode_id")
        .agg(
            reached=pl.col("day").filter(pl.col("session_number") == BY_SESSION).max(), rated=pl.col("alliance").count()
        )
        .filter(_within("reached", after, until))
        .select(yes=pl.col("rated") > 0)
    )


def _measured_last(sessions: pl.DataFrame, states: pl.DataFrame, after: date, until: date) -> pl.DataFrame:
    last = (
        sessions.drop_nulls("session_number")
        .sort("episode_id", "session_number")
        .unique("episode_id", keep="last", maintain_order=True)
        .select("episode_id", "outcome")
    )
    closed = states.filter(_within("closed_on", after, until) & (pl.col("sessions_attended") > 0))
    return closed.join(last, on="episode_id").select(yes=pl.col("outcome").is_not_null())


def _followed(sessions: pl.DataFrame, _: pl.DataFrame, after: date, until: date) -> pl.DataFrame:
    """A missed appointment counts once the days after it have passed; until then nobody can say."""
    dated = _days(sessions)
    missed = dated.filter(pl.col("status").is_in(MISSED) & _within("day", after, until - timedelta(days=FOLLOW_DAYS)))
    met = dated.filter(pl.col("status").is_in(["attended", "booked"])).select("episode_id", next="starts_at")
    gap = pl.col("next") - pl.col("starts_at")
    return (
        missed.select("episode_id", "starts_at")
        .with_row_index("row")
        .join(met, on="episode_id", how="left")
        .group_by("row")
        .agg(yes=((gap > timedelta(0)) & (gap <= timedelta(days=FOLLOW_DAYS))).fill_null(False).any())
        .select("yes")
    )


def _planned(_: pl.DataFrame, states: pl.DataFrame, after: date, until: date) -> pl.DataFrame:
    told = pl.col("ending").is_not_null() & ~pl.col("ending").is_in(["unknown", *NOT_A_DROPOUT])
    closed = states.filter(_within("closed_on", after, until) & (pl.col("sessions_attended") > 0) & told)
    return closed.select(yes=pl.col("ending").is_in(AGREED))


def _repaired(_: pl.DataFrame, states: pl.DataFrame, after: date, until: date) -> pl.DataFrame:
    fallen = states.filter(
        pl.col("rupture").is_in(["open", "repaired", "unrepaired", "unrated"]) & _within("rupture_since", after, until)
    )
    return fallen.select(yes=pl.col("rupture") == "repaired")


SIGNS: dict[str, Sign] = {
    "alliance_each_session": Sign("Sessions with an alliance rating", "sessions", _rated_sessions),
    "alliance_by_third": Sign(
        f"Alliance rated by session {BY_SESSION}", f"episodes that reached session {BY_SESSION}", _rated_early
    ),
    "outcome_at_last": Sign("Outcome measured at the last session", "closed episodes", _measured_last),
    "missed_followed": Sign(
        f"Missed appointments followed by another within {FOLLOW_DAYS} days", "missed appointments", _followed
    ),
    "ended_as_planned": Sign("Episodes ended as planned or agreed", "closed episodes with a recorded ending", _planned),
    "ruptures_repaired": Sign("Possible ruptures repaired", "episodes with a marked fall in the rating", _repaired),
}


def sign_value(sign: str, sessions: pl.DataFrame, states: pl.DataFrame, *, after: date, until: date) -> Part:
    """How many of what the sign counts, after one day up to another; raises KeyError for an unknown sign.

    ``sessions``: SIGN_SESSIONS, ``states``: SIGN_STATES, of one clinician, as an evaluation on or after ``until`` has them.
    """
    rows = SIGNS[sign].count(sessions, states, after, until)
    return Part(int(rows["yes"].sum()), rows.height)


def value_before(sign: str, sessions: pl.DataFrame, states: pl.DataFrame, day: date) -> Part:
    """The value of a sign over the days before a goal is set."""
    return sign_value(sign, sessions, states, after=day - timedelta(days=BEFORE_DAYS), until=day)


def value_since(sign: str, sessions: pl.DataFrame, states: pl.DataFrame, set_on: date, as_of: date) -> Part:
    """The value of a sign since a goal was set: no day counts for both."""
    return sign_value(sign, sessions, states, after=set_on, until=as_of)
