"""The days on which anything about an episode could have looked different from the day before."""

from __future__ import annotations

from datetime import date

import polars as pl

from dashboard.analytics.leave import passes
from dashboard.replay.known import History
from dashboard.settings import Rules


def _column(frame: pl.DataFrame, day: pl.Expr) -> pl.DataFrame:
    return frame.select("episode_id", day.alias("day")).drop_nulls("day")


def _limits(history: History, rules: Rules) -> list[pl.DataFrame]:
    """Days on which a time limit after the opening or a session passes, unless a known next session came before."""
    attended = history.appointments.filter(pl.col("status") == "attended").select(
        "episode_id",
        base=pl.col("starts_at").dt.date(),
        learned=pl.max_horizontal("valid_from", "status_known_from"),
        withdrawn="valid_to",
        met=pl.lit(True),
    )
    opened = history.episodes.select(
        "episode_id",
        base=pl.col("opened_on"),
        learned=pl.col("valid_from"),
        withdrawn=pl.lit(None, dtype=pl.Date),
        met=pl.lit(False),
    )
    bases = pl.concat([opened, attended]).sort(["episode_id", "base", "met", "learned", "withdrawn"])
    bases = bases.with_columns(
        after=pl.col("base").shift(-1).over("episode_id"),
        after_learned=pl.col("learned").shift(-1).over("episode_id"),
        after_withdrawn=pl.col("withdrawn").shift(-1).over("episode_id"),
        # an opening recorded with a day after the first session is no session
        after_met=pl.col("met").shift(-1).over("episode_id"),
    )
    found = _limits_after_leave(history, bases, rules)
    for limit in sorted({rules.no_contact_days + 1, rules.dropout_days, rules.booking_grace_days}):
        passes = pl.col("base") + pl.duration(days=limit)
        overtaken = (
            pl.col("after_met")
            & (pl.col("after") <= passes)
            & (pl.col("after_learned") <= passes)
            & pl.col("after_withdrawn").is_null()
        ).fill_null(False)
        found.append(_column(bases.filter(~overtaken), passes))
    return found


def _away(history: History) -> pl.DataFrame:
    """Leave of anyone who was ever an episode's clinician, by episode."""
    return history.episodes.select("episode_id", "clinician_id").unique().join(history.leave, on="clinician_id")


def _limits_after_leave(history: History, bases: pl.DataFrame, rules: Rules) -> list[pl.DataFrame]:
    """Days on which the limits pass when days of leave do not count, and those on which leave becomes known."""
    away = _away(history)
    if away.is_empty():
        return []
    found = [_column(away, pl.col("valid_from"))]
    leave = away.select("episode_id", "from_day", "to_day").unique()
    concerned = bases.join(leave.select("episode_id").unique(), on="episode_id", how="semi")
    for limit in (rules.no_contact_days + 1, rules.booking_grace_days):
        for passing in passes(concerned, leave, limit, every_step=True)[1:]:
            found.append(_column(concerned.with_columns(passing.alias("passing")), pl.col("passing")))
    return found


def change_days(history: History, as_of: date, rules: Rules) -> pl.DataFrame:
    """unit, episode_id, as_of: every day up to ``as_of`` on which an episode's evaluation could differ, and ``as_of``."""
    episodes, appointments, scores = history.episodes, history.appointments, history.scores
    starts = pl.col("starts_at").dt.date()
    parts = [
        *(
            _column(episodes, pl.col(c))
            for c in ("valid_from", "valid_to", "opened_on", "closed_on", "ending_known_from", "change_requested_on")
        ),
        *(_column(appointments, pl.col(c)) for c in ("valid_from", "valid_to", "status_known_from")),
        _column(appointments, starts),
        # the day after, a booking that nobody has said anything about lies no longer ahead
        _column(
            appointments.filter((pl.col("status") == "booked") | (pl.col("status_known_from") > starts)),
            starts + pl.duration(days=1),
        ),
        *(_column(scores, pl.col(c)) for c in ("valid_from", "valid_to", "taken_on")),
        _column(history.safety_checks, pl.col("checked_on")),
        *_limits(history, rules),
        episodes.select("episode_id", day=pl.lit(as_of)),
    ]
    first = episodes.group_by("episode_id").agg(first=pl.min_horizontal("valid_from", "opened_on").min())
    return (
        pl.concat(parts)
        .unique()
        .join(first, on="episode_id")
        .filter((pl.col("day") <= as_of) & (pl.col("day") >= pl.col("first")))
        .sort(["episode_id", "day"])
        .select(unit=pl.int_range(pl.len(), dtype=pl.Int64), episode_id=pl.col("episode_id"), as_of=pl.col("day"))
    )
