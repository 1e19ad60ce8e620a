"""What a clinician has seen of each problem area: a count first, and an estimate only where there are very many (science 7).

Clinician x area estimate of science test 27: theta_c = w_c mean(e_c), theta_cd = theta_c + w_d (mean(e_cd) - theta_c), with
w = n t2 / (n t2 + s2). With a dozen episodes of an area its weight is a fifth: what shows is chance and the clinician's own
level, so that under a weight of one half (47 episodes of that area) nothing but the count is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import polars as pl

from dashboard.analytics.intervals import Z95

LEAST_WEIGHT = 0.5  # science 7: below it an area's own episodes say less than everything else


@dataclass(frozen=True)
class Spread:
    """Variances of a standardised outcome: between clinicians, between areas of one clinician, and the rest (science 7)."""

    clinician: float = 0.05
    area: float = 0.02
    rest: float = 0.93


DEFAULT = Spread()
RESIDUALS = {
    "episode_id": pl.Int64(),
    "clinician_id": pl.Int64(),
    "area": pl.String(),
    "residual": pl.Float64(),
}
# episodes: all of that area; measured: of these with a residual. estimate, low, high (95 %): null unless shown
AREAS = {
    "clinician_id": pl.Int64(),
    "area": pl.String(),
    "episodes": pl.Int64(),
    "measured": pl.Int64(),
    "weight": pl.Float64(),
    "shown": pl.Boolean(),
    "estimate": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
}


def weight(n: int, between: float, rest: float) -> float:
    """How far the mean of n episodes is believed: reliability n t2 / (n t2 + s2)."""
    return n * between / (n * between + rest)


def area_estimate(
    own: float, own_n: int, area: float | None, area_n: int, spread: Spread = DEFAULT
) -> tuple[float, float, float]:
    """(estimate, low, high) for an area from the means of all of a clinician's residuals and of those of the area.

    The interval holds 95 %: what is not known of the area given the clinician, and what is not known of the clinician.
    """
    w_own, w_area = weight(own_n, spread.clinician, spread.rest), weight(area_n, spread.area, spread.rest)
    level = w_own * own
    estimate = level + w_area * ((level if area is None else area) - level)
    doubt = spread.area * (1 - w_area) + (1 - w_area) ** 2 * spread.clinician * (1 - w_own)
    return estimate, estimate - Z95 * sqrt(doubt), estimate + Z95 * sqrt(doubt)


def problem_areas(residuals: pl.DataFrame, spread: Spread = DEFAULT) -> pl.DataFrame:
    """One row per clinician and area (AREAS), by area. ``residuals``: RESIDUALS, standardised, better upwards.

    Null residual: counts as experience only. Null area: counts for the clinician's own level only.
    """
    rows = []
    ordered = residuals.sort("clinician_id", "area", "episode_id", nulls_last=True)
    for (clinician,), theirs in ordered.group_by("clinician_id", maintain_order=True):
        own = theirs["residual"].drop_nulls().to_numpy()
        for (area,), seen in theirs.drop_nulls("area").group_by("area", maintain_order=True):
            said = seen["residual"].drop_nulls().to_numpy()
            w = weight(len(said), spread.area, spread.rest)
            shown = w >= LEAST_WEIGHT
            three = (
                area_estimate(float(np.mean(own)), len(own), float(np.mean(said)), len(said), spread) if shown else ()
            )
            estimate, low, high = three or (None, None, None)
            rows.append((clinician, area, seen.height, len(said), w, shown, estimate, low, high))
    return pl.DataFrame(rows, schema=AREAS, orient="row")
