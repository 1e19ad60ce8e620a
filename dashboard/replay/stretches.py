"""Cutting the past of episodes into stretches: how long what was known of an episode only grew at its end.

A row is seen from the day on which it had happened and was known. Reading on is enough as long as each row seen later lies later
in the episode's own time than everything seen before. Where something earlier is recorded late, or anything is corrected or
withdrawn, a new stretch begins on that day, and the rows known then stand there once more.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from dashboard.analytics.places import DAYS, EARLIEST, LATEST, place_in_time
from dashboard.analytics.scoring import risk_answers
from dashboard.analytics.stretches import Stretches
from dashboard.contracts import APPOINTMENTS, EPISODES, SCORES
from dashboard.instruments.instrument import Instrument
from dashboard.replay.known import History, away_on, by_unit, checked_by, episodes_on, scores_by

ROW = ["episode_id", "own", "seen", "valid_to"]
CUTS = {"episode_id": pl.Int64(), "begins": pl.Date()}


def _appointments_seen(history: History, as_of: date) -> pl.DataFrame:
    """Appointments that had happened and whose status was known by ``as_of``, with ``own`` day and day ``seen``."""
    own = pl.col("starts_at").dt.date()
    settled = (pl.col("status") != "booked") & pl.col("status_known_from").is_not_null()
    return _seen(history.appointments.filter(settled), own, ["valid_from", "status_known_from"], as_of)


def _scores_seen(history: History, as_of: date) -> pl.DataFrame:
    return _seen(history.scores, pl.col("taken_on"), ["valid_from"], as_of)


def _seen(rows: pl.DataFrame, own: pl.Expr, known: list[str], as_of: date) -> pl.DataFrame:
    found = rows.with_columns(own=own).with_columns(seen=pl.max_horizontal("own", *known))
    return found.filter(
        (pl.col("seen") <= as_of) & (pl.col("valid_to").is_null() | (pl.col("seen") < pl.col("valid_to")))
    )


def _reached(rows: pl.DataFrame) -> pl.DataFrame:
    """Per episode and day on which rows were first seen, by both: ``reach`` (the latest own day seen so far) and ``grew``.

    ``grew``: every row of that day lies later than all that was seen before.
    """
    steps = (
        rows.group_by("episode_id", "seen")
        .agg(first=pl.col("own").min(), last=pl.col("own").max())
        .sort("episode_id", "seen")
    )
    episode = pl.col("episode_id") * DAYS
    same = pl.col("episode_id") == pl.col("episode_id").shift(1)
    day = pl.col("last").to_physical().cast(pl.Int64) + DAYS // 2
    return (
        steps.with_columns(
            reach=((episode + day).cum_max() - episode - DAYS // 2).cast(pl.Int32).cast(pl.Date),
        )
        .with_columns(grew=~same.fill_null(False) | (pl.col("first") > pl.col("reach").shift(1)).fill_null(True))
        .drop("first", "last")
    )


def one_by_one(days: pl.DataFrame) -> pl.DataFrame:
    """CUTS on every day asked: each is a stretch of its own."""
    return days.select("episode_id", begins="as_of")


def cuts(reached: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """CUTS: the days on which an episode's past did not only grow at its end."""
    late = reached.filter(~pl.col("grew")).select("episode_id", begins="seen")
    gone = rows.filter(pl.col("valid_to").is_not_null()).select("episode_id", begins="valid_to")
    return pl.concat([late, gone])


def stretches(history: History, days: pl.DataFrame, begins: pl.DataFrame | None = None) -> Stretches:
    """What was known on the days asked for (unit, episode_id, as_of, sorted); ``begins``: CUTS other than the needed ones.

    Days on which the episode was not known, or not yet opened, are absent, as in ``as_known``.
    """
    last = days["as_of"].max() or EARLIEST
    assert isinstance(last, date)  # noqa: S101
    appointments, scores = _appointments_seen(history, last), _scores_seen(history, last)
    rows = pl.concat([appointments.select(ROW), scores.select(ROW)])
    reached = _reached(rows)
    starts = _starts(days, cuts(reached, rows) if begins is None else begins)
    asked = episodes_on(history, days)
    placed = asked.with_columns(
        stretch=_stretch_on(starts, asked["episode_id"], asked["as_of"]),
        known_to=_known_to(reached, asked),
    )
    return Stretches(
        by_unit(placed.sort("unit"), [*EPISODES.schema, "stretch", "known_to"]),
        _spread(appointments, starts).select(APPOINTMENTS.schema.keys()),
        _spread(scores, starts).select(SCORES.schema.keys()),
        _next_booked(history, days),
        away_on(history, asked),
    )


def _starts(days: pl.DataFrame, begins: pl.DataFrame) -> pl.DataFrame:
    """CUTS with the beginning of every episode's first stretch, sorted; the row is the stretch's number."""
    first = days.select(pl.col("episode_id").unique(), begins=pl.lit(EARLIEST))
    return pl.concat([first, begins.join(first, on="episode_id", how="semi")]).unique().sort("episode_id", "begins")


def _stretch_on(starts: pl.DataFrame, episode: pl.Series, day: pl.Series) -> pl.Series:
    """The stretch of an episode in which a day lies."""
    keys = place_in_time(starts["episode_id"], starts["begins"])
    return pl.Series(np.searchsorted(keys, place_in_time(episode, day), side="right") - 1, dtype=pl.Int64)


def _known_to(reached: pl.DataFrame, asked: pl.DataFrame) -> pl.Series:
    """The latest own day of what had been seen by each day; EARLIEST where nothing had."""
    keys = place_in_time(reached["episode_id"], reached["seen"])
    at = np.searchsorted(keys, place_in_time(asked["episode_id"], asked["as_of"]), side="right") - 1
    if not len(keys):
        return asked["as_of"]
    own = reached["reach"].gather(np.maximum(at, 0))
    same = (at >= 0) & (reached["episode_id"].to_numpy()[np.maximum(at, 0)] == asked["episode_id"].to_numpy())
    return own.set(~pl.Series(same), EARLIEST)


def _spread(rows: pl.DataFrame, starts: pl.DataFrame) -> pl.DataFrame:
    """Rows once for each stretch in which they were seen, by which they are named."""
    first = _stretch_on(starts, rows["episode_id"], rows["seen"])
    until = rows.select((pl.col("valid_to") - pl.duration(days=1)).fill_null(LATEST)).to_series()
    last = _stretch_on(starts, rows["episode_id"], until)
    times = (last - first + 1).to_numpy()
    if (times == 1).all():
        return rows.with_columns(episode_id=first)
    at = np.repeat(np.arange(rows.height), times)
    step = np.arange(len(at)) - np.repeat(np.cumsum(times) - times, times)
    return rows[at].with_columns(episode_id=first.gather(at) + pl.Series(step))


def _next_booked(history: History, days: pl.DataFrame) -> pl.DataFrame:
    """unit as episode_id and ``next_booked_on``: the next appointment that lay ahead on each day asked, where there was one."""
    own = pl.col("starts_at").dt.date()
    until = pl.when(pl.col("status") != "booked").then(pl.col("status_known_from") - pl.duration(days=1))
    ahead = (
        history.appointments.select(
            "episode_id",
            "valid_from",
            day=own,
            until=pl.min_horizontal(own, until, pl.col("valid_to") - pl.duration(days=1)),
        )
        .filter(pl.col("valid_from") <= pl.col("until"))
        .sort("episode_id")
    )
    keys = place_in_time(days["episode_id"], days["as_of"])
    first = np.searchsorted(keys, place_in_time(ahead["episode_id"], ahead["valid_from"]), side="left")
    times = np.searchsorted(keys, place_in_time(ahead["episode_id"], ahead["until"]), side="right") - first
    at = np.repeat(np.arange(ahead.height), times)
    day = np.arange(len(at)) - np.repeat(np.cumsum(times) - times - first, times)
    return (
        pl.DataFrame({"episode_id": days["unit"].gather(day), "next_booked_on": ahead["day"].gather(at)})
        .group_by("episode_id")
        .agg(pl.col("next_booked_on").min())
    )


def safety_on(
    history: History, days: pl.DataFrame, instruments: dict[str, Instrument]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Risk answers and safety checks known on each day asked, named by its unit: few, so that each stands there for every day."""
    items = [f"item_{item}" for one in instruments.values() for item in one.risk_items]
    risky = history.scores.filter(pl.col("scale").is_in(sorted(set(items))))
    units = episodes_on(history, days).select("unit", "episode_id", "as_of")
    return risk_answers(scores_by(risky, units), instruments), checked_by(history, units)
