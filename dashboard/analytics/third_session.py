"""Alliance at session 3 against outcome change so far: points of a scope, and a practice reduced to counts."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from dashboard.instruments.instrument import Instrument

SESSION = 3
FURTHEST = 3.0  # reliable changes: further points are drawn at the edge
MANY = 30  # design: under so many the practice is shown in coarser steps
ENOUGH = 10  # project default: under so many the practice is not shown
LEAST = 3  # project default: counts below it are left out
STEPS = {True: (5.0, 0.5), False: (10.0, 1.0)}  # many or not: width in points of 100, height in reliable changes

POINTS_SCHEMA = {"episode_id": pl.Int64(), "rating": pl.Float64(), "change": pl.Float64()}
CELLS_SCHEMA = {"rating": pl.Float64(), "change": pl.Float64(), "episodes": pl.Int64()}


@dataclass(frozen=True)
class Cloud:
    """A practice in counts: ``cells`` (CELLS_SCHEMA), ``episodes`` it was made of, ``mean`` rating (null under ENOUGH)."""

    cells: pl.DataFrame
    episodes: int
    mean: float | None


def points(rows: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """POINTS_SCHEMA: rating at session 3 from 0 to 100, change so far in reliable changes, better upwards.

    ``rows``: episode_id, alliance_instrument, alliance, outcome_instrument, change. Left out where either is not known, where
    the rating does not fit its questionnaire's range, or where no size of reliable change is published.
    """

    def of(column: str, name: str) -> pl.Expr:
        values = {key: getattr(one, name) for key, one in instruments.items() if getattr(one, name) is not None}
        return pl.col(column).replace_strict(
            {key: float(value) for key, value in values.items()}, default=None, return_dtype=pl.Float64
        )

    low, high = of("alliance_instrument", "minimum"), of("alliance_instrument", "maximum")
    up = (pl.col("alliance") - low) / (high - low)
    rating = pl.when(of("alliance_instrument", "direction") > 0).then(up).otherwise(1 - up) * 100
    better = of("outcome_instrument", "direction") * pl.col("change") / of("outcome_instrument", "reliable_threshold")
    return (
        rows.select("episode_id", rating=rating.round(6), change=better.round(6))
        .drop_nulls()
        .filter(pl.col("rating").is_between(0, 100))
        .select(pl.col(name).cast(kind) for name, kind in POINTS_SCHEMA.items())
        .sort("episode_id")
    )


def cloud(found: pl.DataFrame) -> Cloud:
    """A practice's ``points`` as counts in steps, coarser under MANY; none under ENOUGH; cells under LEAST are left out."""
    if found.height < ENOUGH:
        return Cloud(pl.DataFrame(schema=CELLS_SCHEMA), found.height, None)
    width, height = STEPS[found.height >= MANY]
    inside = pl.col("change").clip(-FURTHEST, FURTHEST - 1e-9)
    cells = (
        found.select(
            rating=(pl.col("rating").clip(0, 100 - 1e-9) // width) * width + width / 2,
            change=(inside // height) * height + height / 2,
        )
        .group_by("rating", "change")
        .agg(episodes=pl.len().cast(pl.Int64))
        .filter(pl.col("episodes") >= LEAST)
        .sort(["rating", "change"])
    )
    return Cloud(cells, found.height, round(float(found["rating"].mean() or 0), 1))  # type: ignore[arg-type]
