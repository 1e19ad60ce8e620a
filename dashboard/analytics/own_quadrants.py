"""Change of the alliance rating beside change of the scores, episode by episode, in reliable changes."""

from __future__ import annotations

import polars as pl

from dashboard.analytics.quadrants import RELIABLE, quadrants
from dashboard.instruments.instrument import Instrument

# changes from first to latest in reliable changes, better (rated higher) upwards; alliance: up, same, down; symptoms: better,
# same, worse. A side that cannot be told is null.
QUADRANT_POINTS = {
    "episode_id": pl.Int64(),
    "public_id": pl.String(),
    "client_code": pl.String(),
    "alliance_change": pl.Float64(),
    "outcome_change": pl.Float64(),
    "alliance": pl.String(),
    "symptoms": pl.String(),
}


def own_quadrants(states: pl.DataFrame, rated: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """One row per episode of ``states`` (QUADRANT_POINTS), by code.

    ``states``: episode_id, public_id, client_code, alliance_instrument, outcome_instrument, change, change_category. ``rated``:
    TOTALS; the client's totals on the episode's own alliance questionnaire count. Words follow from the two changes alone, so
    that a point lies where its words say; a fall that stands though the first rating was as low is told on the alliance page.
    """
    sides = {
        key: (one.direction, float(one.minimum or 0), float(one.maximum or 0), one.sem_01)
        for key, one in instruments.items()
        if one.kind == "alliance" and one.usable
    }

    def of(place: int) -> pl.Expr:
        values = {key: float(side[place]) for key, side in sides.items()}
        return pl.col("alliance_instrument").replace_strict(values, default=None, return_dtype=pl.Float64)

    own = (
        rated.filter((pl.col("respondent") == "client") & (pl.col("scale") == "total"))
        .join(
            states.select("episode_id", "alliance_instrument"),
            left_on=["episode_id", "instrument"],
            right_on=["episode_id", "alliance_instrument"],
            how="semi",
        )
        .sort("episode_id", "taken_on")
        .group_by("episode_id", maintain_order=True)
        .agg(alliance_scores=pl.len().cast(pl.Int64), first=pl.col("value").first(), latest=pl.col("value").last())
    )

    def scaled(column: str) -> pl.Expr:
        up = (pl.col(column) - of(1)) / (of(2) - of(1))
        return pl.when(of(0) > 0).then(up).otherwise(1 - up)

    placed = states.join(own, on="episode_id", how="left").with_columns(
        pl.col("alliance_scores").fill_null(0),
        alliance_first=scaled("first"),
        alliance_latest=scaled("latest"),
        sem=of(3),
        fallen=pl.lit(False),
    )
    thresholds = {
        key: one.direction / one.reliable_threshold
        for key, one in instruments.items()
        if one.reliable_threshold is not None
    }
    per_point = pl.col("outcome_instrument").replace_strict(thresholds, default=None, return_dtype=pl.Float64)
    moved = (pl.col("alliance_latest") - pl.col("alliance_first")) / (RELIABLE * pl.col("sem"))
    words = quadrants(placed)
    return (
        placed.with_columns(
            alliance_change=pl.when(pl.col("alliance_scores") >= 2).then(moved),
            outcome_change=pl.col("change") * per_point,
        )
        .join(words, on="episode_id", how="left", maintain_order="left")
        .select(pl.col(name).cast(kind) for name, kind in QUADRANT_POINTS.items())
        .sort("client_code", "public_id")
    )
