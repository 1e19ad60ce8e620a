"""A clinician's own ended episodes over time: gains against what was to be expected, and those that went further than that.

Gains are in standard deviations of first scores, better upwards, and already compared with what this practice would expect of
such clients. One person's episodes are few, so a trend is shown with its interval and only from a minimum number on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from dashboard.analytics.distributions import t_quantile

LEAST = 10  # science 6.4: fewer closed measured episodes say nothing
LEAST_SPAN_DAYS = 365  # project default: a slope per year needs a year to lie on
LEAST_FOR_EDGE = 30  # project default: episodes of the practice from which a tenth of them is three or more
UPPER_EDGE = 0.90  # the upper end of the range that holds eight in ten
DAYS_A_YEAR = 365.25

# what queries.patterns.expectations says of an ended episode; gain and gain_expected null where it was not measured
GAINS = {
    "episode_id": pl.Int64(),
    "clinician_id": pl.Int64(),
    "ended_on": pl.Date(),
    "gain": pl.Float64(),
    "gain_expected": pl.Float64(),
}
# half: its first day. mean: observed less expected, in SD; low and high: 95 % interval
BLOCKS = {
    "half": pl.Date(),
    "n": pl.Int64(),
    "mean": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
}


@dataclass(frozen=True)
class Slope:
    """Change of (observed less expected) per year in SD, with its 95 % interval."""

    per_year: float
    low: float
    high: float


@dataclass(frozen=True)
class Trend:
    """``measured`` closed episodes, ``blocks`` (BLOCKS, oldest first), ``slope``; both empty with ``why`` under LEAST.

    ``slope`` is also null where the episodes lie within less than a year.
    """

    measured: int
    blocks: pl.DataFrame
    slope: Slope | None
    why: str = ""


def beyond_expected(gains: pl.DataFrame) -> pl.DataFrame:
    """``gains`` (GAINS) that were measured, with ``residual`` (observed less expected), in order of their end."""
    return (
        gains.drop_nulls(["ended_on", "gain", "gain_expected"])
        .with_columns(residual=pl.col("gain") - pl.col("gain_expected"))
        .sort("ended_on", "episode_id")
    )


def trend(gains: pl.DataFrame) -> Trend:
    """Half-year blocks of one clinician's own episodes (GAINS) and the slope through them.

    Blocks share one spread around their means, so that a block of two has an interval too; all intervals are Student's t. The
    slope is least squares on the day of ending. Says that practice changed, not why: other clients came, too.
    """
    known = beyond_expected(gains)
    n = known.height
    if n < LEAST:
        return Trend(n, pl.DataFrame(schema=BLOCKS), None, f"too few yet: {n} of {LEAST} closed and measured episodes")
    halves = known.with_columns(half=_half_of("ended_on"))
    made = halves.group_by("half").agg(
        n=pl.len().cast(pl.Int64),
        mean=pl.col("residual").mean(),
        rest=((pl.col("residual") - pl.col("residual").mean()) ** 2).sum(),
    )
    free = n - made.height
    if free < 1:
        blocks = made.with_columns(low=pl.lit(None, pl.Float64), high=pl.lit(None, pl.Float64))
    else:
        half_width = t_quantile(0.975, free) * (float(made["rest"].sum()) / free) ** 0.5
        wide = half_width / pl.col("n").cast(pl.Float64).sqrt()
        blocks = made.with_columns(low=pl.col("mean") - wide, high=pl.col("mean") + wide)
    ordered = blocks.sort("half").select(pl.col(name).cast(kind) for name, kind in BLOCKS.items())
    first, last = known["ended_on"][0], known["ended_on"][-1]
    if (last - first).days < LEAST_SPAN_DAYS:
        return Trend(n, ordered, None, "a slope needs endings a year apart")
    return Trend(n, ordered, _slope(known, first))


def _half_of(column: str) -> pl.Expr:
    """The first day of its half-year."""
    month = pl.when(pl.col(column).dt.month() > 6).then(7).otherwise(1)
    return pl.date(pl.col(column).dt.year(), month, 1)


def _slope(known: pl.DataFrame, first: date) -> Slope:
    years = (known["ended_on"] - first).dt.total_days().to_numpy() / DAYS_A_YEAR
    residual = known["residual"].to_numpy()
    x = years - years.mean()
    spread = float(x @ x)
    slope = float(x @ residual) / spread
    left = residual - residual.mean() - slope * x
    free = len(x) - 2
    wide = t_quantile(0.975, free) * float(np.sqrt(left @ left / free / spread))
    return Slope(slope, slope - wide, slope + wide)


def upper_edge(gains: pl.DataFrame) -> float | None:
    """The gain beyond the expected that one in ten of the practice's ended episodes exceeds; null under LEAST_FOR_EDGE.

    ``gains``: GAINS of everybody. One number about the whole practice, nobody's own.
    """
    known = beyond_expected(gains)["residual"]
    if len(known) < LEAST_FOR_EDGE:
        return None
    edge = known.quantile(UPPER_EDGE, interpolation="linear")
    return None if edge is None else float(edge)


def unexpected_gains(gains: pl.DataFrame, edge: float | None) -> pl.DataFrame:
    """The episodes (GAINS and whatever columns stand beside) that went beyond the edge, newest first, with ``residual``.

    None without an edge. A gain that was expected is no surprise, however large; one in ten is beyond the edge by chance alone.
    """
    known = beyond_expected(gains)
    if edge is None:
        return known.clear()
    return known.filter(pl.col("residual") > edge).sort(["ended_on", "episode_id"], descending=[True, False])
