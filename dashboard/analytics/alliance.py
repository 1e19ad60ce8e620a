"""The working alliance as the client rates it: level, own reference, falls, repair, and ratings that say nothing."""

from __future__ import annotations

import numpy as np
import polars as pl

from dashboard.analytics import reliable_change as rc
from dashboard.analytics.chosen import chosen, latest_rated, rated
from dashboard.analytics.places import run_begins, with_places
from dashboard.analytics.rupture import judge
from dashboard.instruments.instrument import Instrument
from dashboard.settings import Rules

MARKS_SCHEMA = {
    "episode_id": pl.Int64(),
    "taken_on": pl.Date(),
    "instrument": pl.String(),
    "value": pl.Float64(),
    "reference": pl.Float64(),
    "major_below": pl.Float64(),
    "mark": pl.String(),
    "state": pl.String(),
    "rupture_since": pl.Date(),
    "nadir": pl.Float64(),
    "back": pl.Boolean(),
    "at_best": pl.Boolean(),
}


def judged(rated: pl.DataFrame, series: str) -> pl.DataFrame:
    """Ratings with what each said on its day: adds reference, major_below, mark, state, rupture_since, nadir, back.

    ``rated``: one row per rating, rows of one ``series`` together and in time order; value, minimum, maximum and direction in
    the scale's points, sem on 0-1, taken_on. Reference, major_below and nadir are in points; see ``rupture.judge`` for nulls.
    """
    width = pl.col("maximum") - pl.col("minimum")
    scaled = rated.with_columns(
        s=pl.when(pl.col("direction") > 0)
        .then((pl.col("value") - pl.col("minimum")) / width)
        .otherwise((pl.col("maximum") - pl.col("value")) / width)
        .round(9)
    )
    runs = scaled[series].rle().struct.unnest()
    first = (runs["len"].cum_sum() - runs["len"]).cast(pl.Int64)
    own = judge(scaled["s"].to_numpy(), runs["len"].cast(pl.Int64).to_numpy(), scaled["sem"].gather(first).to_numpy())
    started = pl.Series(np.repeat(first.to_numpy(), runs["len"].to_numpy())) + own["start"]
    joined = scaled.hstack(own.with_columns(rupture_since=scaled["taken_on"].gather(started)))

    def points(name: str) -> pl.Expr:
        up = pl.col("minimum") + pl.col(name) * width
        return pl.when(pl.col("direction") > 0).then(up).otherwise(pl.col("maximum") - pl.col(name) * width).alias(name)

    return joined.with_columns(points("reference"), points("major_below"), points("nadir"))


def marks(totals: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """Every client rating of the episode's alliance instrument with what it said on its day (MARKS_SCHEMA, in points)."""
    return _marked(chosen(totals, rc.thresholds(instruments), "alliance")).select(MARKS_SCHEMA.keys())


def _marked(ratings: pl.DataFrame) -> pl.DataFrame:
    best = pl.when(pl.col("direction") > 0).then("maximum").otherwise("minimum")
    return judged(ratings, "series").with_columns(at_best=pl.col("value") == best)


def _from_worst(instruments: dict[str, Instrument]) -> pl.Expr:
    """Column ``mean`` on 0-1, higher better; null where the instrument's range is not known."""
    known = {key: one for key, one in instruments.items() if one.kind == "alliance" and one.usable}

    def of(name: str) -> pl.Expr:
        values = {key: float(getattr(one, name)) for key, one in known.items()}
        return pl.col("instrument").replace_strict(values, default=None, return_dtype=pl.Float64)

    up = (pl.col("mean") - of("minimum")) / (of("maximum") - of("minimum"))
    return pl.when(of("direction") > 0).then(up).otherwise(1 - up).round(9)


def alliance(
    totals: pl.DataFrame, asked: pl.DataFrame, instruments: dict[str, Instrument], rules: Rules
) -> pl.DataFrame:
    """One row per day asked, in the order of ``asked``; null without a client alliance rating.

    ``asked``: stretch, known_to, as_of, closed_on, last_attended_on. ``rupture`` is the latest major episode's state: open
    becomes unrated where sessions followed without a rating, and unrepaired where the episode closed or the client has not
    returned within the dropout limit. ``alliance_reference`` comes from earlier ratings only. ``rupture_back``: the latest
    rating is near the reference again. ``ceiling``: the last ``rules.ceiling_sessions`` ratings or more are all the best
    possible. ``alliance_mean``: of all ratings so far, 0-1, higher better.
    """
    ratings = rated(totals, rc.thresholds(instruments), "alliance")
    placed = with_places(_marked(ratings), "series").with_columns(
        best_from=run_begins("at_best"), count=pl.col("row") - pl.col("first") + 1
    )
    ceiling_row = pl.col("best_from") + rules.ceiling_sessions - 1
    at_ceiling = ceiling_row <= pl.col("row")
    running = placed.with_columns(
        mean=pl.col("value").cum_sum().over("series") / pl.col("count"), drop=pl.col("reference") - pl.col("value")
    ).select(
        "state",
        alliance_instrument="instrument",
        alliance_mean=_from_worst(instruments),
        alliance_scores="count",
        alliance_latest="value",
        alliance_latest_on="taken_on",
        alliance_reference="reference",
        alliance_major_below="major_below",
        alliance_mark_latest="mark",
        alliance_drop=pl.col("drop") * pl.col("direction"),
        rupture_since="rupture_since",
        rupture_nadir="nadir",
        rupture_back="back",
        ceiling=at_ceiling,
        ceiling_since=pl.when(at_ceiling).then(
            pl.lit(placed["taken_on"]).gather(ceiling_row.clip(0, max(0, placed.height - 1)))
        ),
    )
    known = running.select(pl.all().gather(latest_rated(ratings, asked)))
    seen_on = pl.col("last_attended_on")
    gone = pl.col("closed_on").is_not_null() | (
        (pl.col("as_of") - seen_on).dt.total_days() >= rules.dropout_days
    ).fill_null(False)
    is_open = pl.col("state") == "open"
    return (
        known.hstack(asked.select("as_of", "closed_on", "last_attended_on"))
        .with_columns(
            rupture=pl.when(is_open & (seen_on > pl.col("alliance_latest_on")).fill_null(False))
            .then(pl.lit("unrated"))
            .when(is_open & gone)
            .then(pl.lit("unrepaired"))
            .otherwise(pl.col("state"))
        )
        .drop("state", "as_of", "closed_on", "last_attended_on")
    )
