"""Which episodes to talk about first: words, never a score (the status table of the design)."""

from __future__ import annotations

import polars as pl

from dashboard.instruments.instrument import Instrument
from dashboard.signals.wording import name

NOT_A_FAMILY = ("data", "safety")
# fit questions read from the ratings that a rupture is read from repeat it: together they are one family
SAME_RATINGS = ("early_alliance_low", "goal_task_below_bond")
FIRST_ALONE = ("reliable_worsening", "no_contact")


def priorities(features: pl.DataFrame, raised: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """episode_id, priority, missing. ``missing`` says which data are lacking; null where the minimum is met.

    Talk first: reliable worsening, no contact past the limit, or two families raised (data does not count as one; fit
    questions read from the alliance ratings count as the alliance's). Worth discussing: one signal. Safety stands above all
    and apart from this.
    """
    unknown = pl.col("outcome_threshold").is_null()
    instrument = name("outcome_instrument", instruments)
    missing = (
        pl.when(pl.col("scores") == 0)
        .then(pl.lit("Needs two outcome scores; has none yet."))
        .when(pl.col("scores") < 2)
        .then(pl.format("Needs two {} scores; has one ({}).", instrument, pl.col("latest_on").dt.strftime("%-d %b %Y")))
        .when(unknown)
        .then(pl.format("No reliable-change threshold is known for {}; the practice can set one.", instrument))
    )
    return worded(features.with_columns(missing=missing), raised).select("episode_id", "priority", "missing")


def worded(states: pl.DataFrame, raised: pl.DataFrame) -> pl.DataFrame:
    """``states`` (episode_id, missing and whatever else) with the ``priority`` that these standing signals give.

    ``raised``: episode_id, signal, family.
    """
    own_family = pl.when(pl.col("signal").is_in(SAME_RATINGS)).then(pl.lit("alliance")).otherwise(pl.col("family"))
    counted = (
        raised.filter(pl.col("family") != "safety")
        .group_by("episode_id")
        .agg(
            families=own_family.filter(~pl.col("family").is_in(NOT_A_FAMILY)).n_unique(),
            alone=pl.col("signal").is_in(FIRST_ALONE).any(),
        )
    )
    return (
        states.join(counted, on="episode_id", how="left", maintain_order="left")
        .with_columns(
            priority=pl.when((pl.col("families") >= 2) | pl.col("alone"))
            .then(pl.lit("talk_first"))
            .when(pl.col("families").is_not_null())
            .then(pl.lit("worth_discussing"))
            .when(pl.col("missing").is_not_null())
            .then(pl.lit("not_enough_data"))
            .otherwise(pl.lit("no_signals"))
        )
        .drop("families", "alone")
    )
