"""The latest marked fall of each episode: from where, how low, where the rating is now, and in which word."""

from __future__ import annotations

import polars as pl

from dashboard.analytics.places import with_places
from dashboard.instruments.instrument import Instrument

FALLS_SCHEMA = {
    "episode_id": pl.Int64(),
    "instrument": pl.String(),
    "since": pl.Date(),
    "reference": pl.Float64(),
    "lowest": pl.Float64(),
    "latest": pl.Float64(),
    "latest_on": pl.Date(),
    "word": pl.String(),
}
WORDS = ("still lower", "not rated since", "recovering", "recovered")


def falls(marked: pl.DataFrame, unrated: list[int], instruments: dict[str, Instrument]) -> pl.DataFrame:
    """One row per episode whose alliance rating has fallen by a marked step (FALLS_SCHEMA, in points), by episode.

    ``marked`` from ``alliance.marks``; ``unrated``: episodes with sessions but no rating since. ``reference`` is the client's
    own level before the fall. Recovered: repaired, or near that level again; recovering: above the lowest by more than the
    error of measurement (a project default); else still lower.
    """
    known = {key: one for key, one in instruments.items() if one.kind == "alliance" and one.usable}
    last = with_places(marked).filter(pl.col("is_last") & pl.col("rupture_since").is_not_null())
    last = last.filter(pl.col("instrument").is_in(list(known)))
    if last.is_empty():
        return pl.DataFrame(schema=FALLS_SCHEMA)
    before = marked.filter(pl.col("taken_on") == pl.col("rupture_since")).select("episode_id", before="reference")
    points = {key: one.sem_01 * (float(one.maximum or 0) - float(one.minimum or 0)) for key, one in known.items()}
    ways = {key: one.direction for key, one in known.items()}
    error = pl.col("instrument").replace_strict(points, return_dtype=pl.Float64)
    gained = (pl.col("value") - pl.col("nadir")) * pl.col("instrument").replace_strict(ways, return_dtype=pl.Int64)
    return (
        last.join(before, on="episode_id", how="left")
        .select(
            "episode_id",
            "instrument",
            since="rupture_since",
            reference=pl.coalesce("before", "reference"),
            lowest="nadir",
            latest="value",
            latest_on="taken_on",
            word=pl.when((pl.col("state") == "repaired") | pl.col("back"))
            .then(pl.lit("recovered"))
            .when(pl.col("episode_id").is_in(unrated))
            .then(pl.lit("not rated since"))
            .when(gained > error)
            .then(pl.lit("recovering"))
            .otherwise(pl.lit("still lower")),
        )
        .drop_nulls(["reference", "lowest", "latest"])
        .select(pl.col(name).cast(kind) for name, kind in FALLS_SCHEMA.items())
        .sort("episode_id")
    )
