"""The days on which anything about an episode could have looked different from the day before."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from dashboard.analytics.leave import passes
from dashboard.analytics.places import DAYS, EARLIEST, place_in_time
from dashboard.replay.known import History
from dashboard.settings import Rules


def _column(frame: pl.DataFrame, day: pl.Expr) -> pl.DataFrame:
    return frame.select("episode_id", day.alias("day")).drop_nulls("day")


def _limits(history: History, rules: Rules) -> list[pl.DataFrame]:
    """Days on which a time limit after the opening or a session passes, unless a known next session came before."""
    attended = history.appointments.filter(
        (pl.col("status") == "attended") & pl.col("status_known_from").is_not_null()
    ).select(
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
        after=pl.col("base").shift(-1),
        after_learned=pl.col("learned").shift(-1),
        # an opening recorded with a day after the first session is no session
        after_stands=pl.col("met").shift(-1)
        & pl.col("withdrawn").shift(-1).is_null()
        & (pl.col("episode_id").shift(-1) == pl.col("episode_id")),
    )
    found = _limits_after_leave(history, bases, rules)
    for limit in sorted({rules.no_contact_days + 1, rules.dropout_days, rules.booking_grace_days}):
        passes = pl.col("base") + pl.duration(days=limit)
        overtaken = (
            pl.col("after_stands") & (pl.col("after") <= passes) & (pl.col("after_learned") <= passes)
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
    visits = appointments.select(
        "episode_id", "status", "valid_from", "valid_to", "status_known_from", starts=pl.col("starts_at").dt.date()
    )
    starts = pl.col("starts")
    parts = [
        *(
            _column(episodes, pl.col(c))
            for c in ("valid_from", "valid_to", "opened_on", "closed_on", "ending_known_from", "change_requested_on")
        ),
        _column(visits, starts),
        *(_other_days(visits, c, "starts") for c in ("valid_from", "valid_to", "status_known_from")),
        # the day after, a booking that nobody has said anything about lies no longer ahead
        _column(
            visits.filter((pl.col("status") == "booked") | (pl.col("status_known_from") > starts).fill_null(True)),
            starts + pl.duration(days=1),
        ),
        _column(scores, pl.col("taken_on")),
        *(_other_days(scores, c, "taken_on") for c in ("valid_from", "valid_to")),
        _column(history.safety_checks, pl.col("checked_on")),
        *_limits(history, rules),
        episodes.select("episode_id", day=pl.lit(as_of)),
    ]
    first = episodes.group_by("episode_id").agg(first=pl.min_horizontal("valid_from", "opened_on").min())
    days = _sorted(pl.concat(parts).filter(pl.col("day").is_between(pl.lit(EARLIEST), pl.lit(as_of))))
    return (
        days.join(first, on="episode_id", maintain_order="left")
        .filter(pl.col("day") >= pl.col("first"))
        .select(unit=pl.int_range(pl.len(), dtype=pl.Int64), episode_id=pl.col("episode_id"), as_of=pl.col("day"))
    )


def _other_days(frame: pl.DataFrame, column: str, own: str) -> pl.DataFrame:
    """Most rows are recorded on their own day, which is counted already."""
    return _column(frame.filter(pl.col(column) != pl.col(own)), pl.col(column))


def _sorted(days: pl.DataFrame) -> pl.DataFrame:
    """Each episode and day once, in order; sorting whole numbers is several times faster than looking for doubles."""
    at = np.sort(place_in_time(days["episode_id"], days["day"]))
    at = at[np.diff(at, prepend=-1) != 0]
    day = pl.Series(at % DAYS - DAYS // 2).cast(pl.Int32).cast(pl.Date)
    return pl.DataFrame({"episode_id": at // DAYS, "day": day})
