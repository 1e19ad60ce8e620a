"""Each day's features with what the models in force on that day say: expected range and risk of an unplanned ending."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboard.analytics.alliance_low import low_below
from dashboard.analytics.expected_range import expected_ranges
from dashboard.analytics.features import JUDGED
from dashboard.analytics.hazard_risk import chances, predict
from dashboard.analytics.hazard_rows import asked_rows
from dashboard.analytics.places import run_begins, with_places
from dashboard.replay.course import with_session_reached
from dashboard.replay.learning import Learned

SAID = {
    "dropout_next_session": "next_session",
    "dropout_next_4": "next_4",
    "dropout_usual_4": "usual_4",
    "dropout_relative": "relative",
}
DETAILS = {"dropout_next_4_low": "next_4_low", "dropout_next_4_high": "next_4_high", "dropout_reasons": "reasons"}


@dataclass(frozen=True)
class Wanted:
    """For which days more than the chances is asked: intervals and reasons on ``as_of``, reasons where the risk is ``raised``.

    ``raised``: risk relative to the usual one above which a signal says why.
    """

    as_of: date
    raised: float


def judged(real: pl.DataFrame, sessions: pl.DataFrame, learned: Learned, wanted: Wanted) -> pl.DataFrame:
    """``real`` with JUDGED filled in, in its own order; intervals and reasons of the risk only where ``wanted``.

    ``real``: features keyed by real episode and day, sorted so. ``sessions``: what
    ``sessions_known`` made of it.
    """
    if real.is_empty():
        return real
    fitted = pl.Series([one.fitted_on for one in learned.models], dtype=pl.Date)
    which = fitted.search_sorted(real["as_of"], side="right").cast(pl.Int64).to_numpy() - 1
    ranged = expected_ranges(real, [one.ranges for one in learned.models], which)
    norms = [one.hazard.norms for one in learned.models]
    said = ranged.hstack([low_below(real, norms, which)]).hstack(_risks(real, sessions, learned, which, wanted))
    placed = real.select("episode_id", "alliance_mean", "latest_on", "alliance_latest_on").hstack(said)
    together = _with_since(placed).select(JUDGED.keys())
    return real.drop(JUDGED).hstack(together).select(real.columns)


def _risks(
    real: pl.DataFrame, sessions: pl.DataFrame, learned: Learned, which: NDArray[np.int64], wanted: Wanted
) -> pl.DataFrame:
    """Risk of the latest session known, for open episodes that have one, in the order of ``real``; the rest stays null."""
    reached = with_session_reached(real.select("episode_id", "as_of", "sessions_attended", "is_open"))
    # a session's row stands in ``sessions`` for the day on which it became known: the last such day is the one asked about
    asked = reached.with_columns(
        session=pl.col("new").cast(pl.Int64).cum_sum() - 1, models=pl.lit(which), day=pl.int_range(pl.len())
    ).filter(pl.col("is_open") & (pl.col("reached") > 0))
    changes = pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift(1)) for c in ("session", "models"))
    asked = asked.with_columns(run=changes.cast(pl.Int64).cum_sum() - 1)
    runs = asked.group_by("run", maintain_order=True).agg(
        pl.col("session", "models").first(), is_today=(pl.col("as_of") == wanted.as_of).any()
    )
    is_today = runs["is_today"].to_numpy()
    norms = [one.hazard.norms for one in learned.models]
    said = np.empty((len(SAID), runs.height))
    details = [pl.DataFrame(schema={"run": pl.Int64(), **{name: JUDGED[name] for name in DETAILS}})]
    for number, own, rows in asked_rows(sessions, runs["session"].to_numpy(), runs["models"].to_numpy(), norms):
        model = learned.models[number].hazard
        found = chances(model, rows)
        said[:, own] = [found[theirs].to_numpy() for theirs in SAID.values()]
        told = is_today[own] | (found["relative"] > wanted.raised).to_numpy()
        if told.any():
            more = predict(model, rows.only(told)).select(
                pl.col(theirs).alias(ours) for ours, theirs in DETAILS.items()
            )
            details.append(more.select(pl.lit(own[told]).alias("run"), *DETAILS))
    by_run = pl.DataFrame(dict(zip(SAID, said, strict=True)), schema={name: JUDGED[name] for name in SAID})
    by_run = by_run.with_columns(run=pl.int_range(pl.len(), dtype=pl.Int64)).join(
        pl.concat(details), on="run", how="left", maintain_order="left"
    )
    run = pl.Series([None], dtype=pl.Int64).new_from_index(0, real.height).scatter(asked["day"], asked["run"])
    return by_run.drop("run").select(pl.all().gather(run)).with_columns(pl.col("dropout_reasons").replace("", None))


def _with_since(said: pl.DataFrame) -> pl.DataFrame:
    """SINCE: day of the score with which the unbroken run began, beyond the unfavourable edge or low for this practice."""
    placed = with_places(
        said.with_columns(
            off=pl.col("on_track") == "not_on_track", low=pl.col("alliance_mean") <= pl.col("alliance_low_below")
        )
    )

    def since(run: str, day: str) -> pl.Expr:
        begins = placed.select(run_begins(run)).to_series().clip(0, max(0, placed.height - 1))
        return pl.when(pl.col(run).fill_null(False)).then(placed[day].gather(begins))

    return placed.with_columns(
        off_track_since=since("off", "latest_on"), alliance_low_since=since("low", "alliance_latest_on")
    )
