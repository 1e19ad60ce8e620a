"""The practice's share of clients who reliably improved, quarter by quarter, with the limits of usual variation.

Limits are those of Laney's p' chart (Laney 2002): chance for that quarter's number of clients times how much neighbouring
quarters really differ. A p-chart would signal wherever the practice varies by more than chance; an XmR chart would give a
quarter with 8 clients the limits of one with 80.

Signals are three rules of NHS England's "Making data count" as its package NHSRplotthedots computes them (RULES). Each says that
something has changed, not what; the fourth (two of three near a limit) is left out, four rules on few points cry wolf.
"""

from __future__ import annotations

from datetime import date, timedelta
from math import sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray

Reals = NDArray[np.float64]

RUN_CHART = {
    "quarter_start": pl.Date(),
    "n": pl.Int64(),
    "part": pl.Int64(),
    "share": pl.Float64(),
    "centre": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "provisional": pl.Boolean(),
    "special": pl.String(),
}
FEW_POINTS = 13  # quarters; with fewer, limits are provisional (issue 5)
RUN = 7  # NHSRplotthedots: points on one side, or rising, or falling
MEAN_RANGE = 1.128  # d2 of two points: mean moving range per sd
SIGMAS = 3.0
RULES = {  # in order of precedence where several hold
    "beyond_limits": "outside the limits (Shewhart; NHS England, Making data count)",
    "shift": "one of 7 or more quarters in a row on one side of the average (NHSRplotthedots)",
    "trend": "one of 7 or more quarters that only rose or only fell (NHSRplotthedots)",
}


def run_chart(ended: pl.DataFrame, as_of: date, lag_days: int = 0) -> pl.DataFrame:
    """RUN_CHART: one row per completed quarter from the first with a measured episode to the last. Row order does not matter.

    ``ended``: ended_on and ``improved`` (null where there are under two scores: not counted); others may be there.
    ``lag_days``: the practice's limit after which a silent episode counts as ended. A quarter is complete once that many days
    have passed since its last day: before, those who stopped coming without a word are not in it yet. A quarter
    without a measured episode has n = 0, a null share and no part in any rule.
    """
    settled = as_of - timedelta(days=lag_days)
    counted = (
        ended.drop_nulls(["ended_on", "improved"])
        .with_columns(quarter_start=pl.col("ended_on").dt.truncate("1q"))
        .filter(pl.col("quarter_start").dt.offset_by("3mo") <= settled)
        .group_by("quarter_start")
        .agg(n=pl.len().cast(pl.Int64), part=pl.col("improved").cast(pl.Int64).sum())
        .sort("quarter_start")
    )
    if counted.is_empty():
        return pl.DataFrame(schema=RUN_CHART)
    last = settled.replace(day=1, month=3 * ((settled.month - 1) // 3) + 1)
    quarters = pl.date_range(counted["quarter_start"][0], last, "3mo", closed="left", eager=True)
    rows = pl.DataFrame({"quarter_start": quarters}).join(counted, on="quarter_start", how="left")
    rows = rows.with_columns(pl.col("n", "part").fill_null(0)).with_columns(
        share=pl.when(pl.col("n") > 0).then(pl.col("part") / pl.col("n"))
    )
    points = rows.filter(pl.col("n") > 0)
    n, share = points["n"].to_numpy().astype(np.float64), points["share"].to_numpy()
    centre = int(points["part"].sum()) / int(points["n"].sum())
    low, high = limits(n, share, centre)
    judged = points.select("quarter_start").with_columns(
        low=pl.Series(low), high=pl.Series(high), special=pl.Series(special(share, centre, low, high), dtype=pl.String)
    )
    return (
        rows.join(judged, on="quarter_start", how="left")
        .with_columns(centre=pl.lit(centre), provisional=pl.lit(len(points) < FEW_POINTS))
        .select(pl.col(name).cast(dtype) for name, dtype in RUN_CHART.items())
        .sort("quarter_start")
    )


def limits(n: Reals, share: Reals, centre: float) -> tuple[Reals, Reals]:
    """Laney's limits of every point, within 0..1.

    Neighbouring quarters that happen to lie closer together than chance allows do not narrow them: chance is the least (project
    default; Laney would let them, which with few points makes signals out of nothing).
    """
    chance = np.sqrt(centre * (1 - centre) / n)
    z = (share - centre) / np.where(chance > 0, chance, 1.0)
    spread = max(1.0, float(np.abs(np.diff(z)).mean()) / MEAN_RANGE) if len(z) > 1 else 1.0
    half = SIGMAS * chance * spread
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def special(share: Reals, centre: float, low: Reals, high: Reals) -> list[str | None]:
    """The first of RULES that holds for each point, or null. A point on the average, or equal to the one before, ends a run."""
    close = 1e-12 * sqrt(len(share))
    beyond = (share < low - close) | (share > high + close)
    side = np.sign(np.where(np.abs(share - centre) > close, share - centre, 0.0))
    steps = np.diff(share)
    course = np.sign(np.where(np.abs(steps) > close, steps, 0.0))
    shift = _in_run(side, RUN)
    trend = np.zeros(len(share), dtype=np.bool_)
    moving = _in_run(course, RUN - 1)  # seven points make six steps
    trend[1:] |= moving
    trend[:-1] |= moving
    holds = {"beyond_limits": beyond, "shift": shift, "trend": trend}
    return [next((name for name in RULES if holds[name][place]), None) for place in range(len(share))]


def _in_run(sign: Reals, length: int) -> NDArray[np.bool_]:
    """Whether each entry belongs to at least ``length`` equal ones in a row, none of them 0."""
    found = np.zeros(len(sign), dtype=np.bool_)
    start = 0
    for place in range(1, len(sign) + 1):
        if place == len(sign) or sign[place] != sign[start]:
            found[start:place] = sign[start] != 0 and place - start >= length
            start = place
    return found
