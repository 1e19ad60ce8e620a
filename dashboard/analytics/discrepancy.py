"""Client and therapist rating the same session: how far apart they are, and whether they move together (science 4.6).

A prompt for reflection, never a risk: in 700 treatments agreement was not associated with outcome, and clients usually rate
higher than therapists (Sinclair), so a difference says something only against the practice's usual one.
"""

from __future__ import annotations

import polars as pl

from dashboard.analytics import reliable_change as rc
from dashboard.analytics.chosen import chosen
from dashboard.instruments.instrument import Instrument

PAIRS_MINIMUM = 5  # science 4.6: paired sessions before a correlation is stated
DYADS_MINIMUM = 10  # project default: dyads before a practice has a usual difference
STANDS_OUT = 2.0  # science 4.6: standard deviations from the practice's mean difference
THERAPIST_FORM = "_t"

DISCREPANCY_SCHEMA = {
    "episode_id": pl.Int64(),
    "instrument": pl.String(),
    "pairs": pl.Int64(),
    "latest_pair_on": pl.Date(),
    "difference": pl.Float64(),
    "correlation": pl.Float64(),
}


def _scaled(kinds: pl.DataFrame, rated: pl.DataFrame) -> pl.DataFrame:
    place = (pl.col("value") - pl.col("minimum")) / (pl.col("maximum") - pl.col("minimum"))
    return rated.join(kinds, on="instrument", how="inner").with_columns(
        s=pl.when(pl.col("direction") > 0).then(place).otherwise(1 - place).round(9)
    )


def discrepancy(totals: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """One row per episode with a session that both rated (DISCREPANCY_SCHEMA), by episode.

    Pairs: same day, the client's total on the episode's alliance instrument and the clinician's on the same instrument or its
    therapist form (key + ``_t``; the same instrument wins where both were filled in). Both on 0-1, higher better.
    ``difference``: mean of client minus therapist, null under five pairs. ``correlation``: within the dyad, null under five
    pairs or where one of them always gave the same rating.
    """
    kinds = rc.thresholds(instruments).filter((pl.col("kind") == "alliance") & pl.col("maximum").is_not_null())
    kinds = kinds.select("instrument", "minimum", "maximum", "direction")
    client = chosen(totals, rc.thresholds(instruments), "alliance").select(
        "episode_id", "taken_on", "instrument", "value"
    )
    therapist = (
        _scaled(kinds, totals.filter((pl.col("scale") == "total") & (pl.col("respondent") == "clinician")))
        .with_columns(form=pl.col("instrument").str.ends_with(THERAPIST_FORM))
        .with_columns(
            instrument=pl.when("form")
            .then(pl.col("instrument").str.strip_suffix(THERAPIST_FORM))
            .otherwise("instrument")
        )
        .sort(["episode_id", "instrument", "taken_on", "form"])
        .unique(["episode_id", "instrument", "taken_on"], keep="first")
        .select("episode_id", "instrument", "taken_on", therapist="s")
    )
    pairs = _scaled(kinds, client).join(therapist, on=["episode_id", "instrument", "taken_on"], how="inner")
    enough = pl.len() >= PAIRS_MINIMUM
    varied = (pl.col("s").n_unique() > 1) & (pl.col("therapist").n_unique() > 1)
    found = pairs.group_by("episode_id", "instrument").agg(
        pairs=pl.len().cast(pl.Int64),
        latest_pair_on=pl.col("taken_on").max(),
        difference=pl.when(enough).then((pl.col("s") - pl.col("therapist")).mean()),
        correlation=pl.when(enough & varied).then(pl.corr("s", "therapist")),
    )
    return found.select(pl.col(name).cast(kind) for name, kind in DISCREPANCY_SCHEMA.items()).sort("episode_id")


def against_practice(found: pl.DataFrame) -> pl.DataFrame:
    """``discrepancy`` of a whole practice with practice_mean, practice_sd and ``reflect``, per instrument.

    ``reflect``: the difference has the other sign than the practice's mean and lies two standard deviations or more from it
    (science 4.6). All three are null where the dyad has under five pairs or the instrument under ten such dyads.
    """
    own = pl.col("difference")
    known = own.count().over("instrument") >= DYADS_MINIMUM
    stated = known & own.is_not_null()
    with_practice = found.with_columns(
        practice_mean=pl.when(stated).then(own.mean().over("instrument")),
        practice_sd=pl.when(stated).then(own.std().over("instrument")),
    )
    away = (own - pl.col("practice_mean")).abs() >= STANDS_OUT * pl.col("practice_sd")
    return with_practice.with_columns(reflect=(own * pl.col("practice_mean") < 0) & away)
