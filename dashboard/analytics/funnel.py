"""Funnel limits: how far a rate strays from a target by chance, and by how much more the rates of a practice stray.

Spiegelhalter 2005 and the R package FunnelPlotR (science 6.5). These draw the smooth lines of a funnel against numbers of
cases. Verdicts about a clinician do not come from here but from ``clinician_estimates``, whose limits stay honest where tau is
hardly known.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, exp, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.distributions import binomial, chi_square_quantile, normal_quantile

Reals = NDArray[np.float64]

TAIL95, TAIL998 = 0.025, 0.001  # of either side; z = 1.96 and 3.09
WINSORISED = 0.10  # of either end; Spiegelhalter 2005
# Mean square of a standard normal whose outer tenths are pulled in to the 10th and 90th percentile: c = 1.28155,
# (0.8 - 2 c phi(c)) + 0.2 c^2. Winsorised z are that much too small even where there is nothing but chance.
WINSORISED_SQUARE = 0.678655

Limits = tuple[float, float]


@dataclass(frozen=True)
class Overdispersion:
    """``phi``: times chance's variance; ``tau2``: variance between clinicians on the scale of the z scores' numerators."""

    phi: float
    tau2: float


def binomial_limits(n: int, target: float, tail: float) -> Limits:
    """Exact limits of a share of ``n`` cases, interpolated between counts (Spiegelhalter 2005, appendix), within 0..1.

    With r the smallest count whose chance of that or less reaches the share wanted: (r - part of its own chance beyond) / n.
    """
    if n < 1 or not 0 < target < 1:
        raise ValueError(f"limits need a case and a target strictly between 0 and 1, not {n} and {target}")
    chance = binomial(n, np.array([target]))[0]
    below = np.cumsum(chance)
    found = []
    for share in (tail, 1 - tail):
        r = min(int(np.searchsorted(below, share)), n)
        found.append(min(1.0, max(0.0, (r - (below[r] - share) / chance[r]) / n)))
    return float(found[0]), float(found[1])


def arcsine_limits(n: float, target: float, tail: float, tau2: float = 0.0) -> Limits:
    """Limits of a share on the scale asin(sqrt(share)), where chance has sd 1 / (2 sqrt n); ``tau2`` on that scale."""
    half = normal_quantile(1 - tail) * sqrt(1 / (4 * n) + tau2)
    middle, most = asin(sqrt(target)), asin(1.0)
    return sin(max(0.0, middle - half)) ** 2, sin(min(most, middle + half)) ** 2


def ratio_limits(expected: float, tail: float, tau2: float = 0.0) -> Limits:
    """Limits of observed / expected: exact Poisson; with ``tau2`` (of its logarithm) exp(+- z sqrt(1 / expected + tau2))."""
    if tau2 > 0:
        half = normal_quantile(1 - tail) * sqrt(1 / expected + tau2)
        return exp(-half), exp(half)
    low = chi_square_quantile(tail, 2 * expected) / 2
    high = chi_square_quantile(1 - tail, 2 * (expected + 1)) / 2
    return low / expected, high / expected


def ratio_scores(observed: Reals, expected: Reals) -> tuple[Reals, Reals]:
    """z and chance's sd of ln(observed / expected). Observed above 0."""
    s = 1 / np.sqrt(expected)
    return np.log(observed / expected) / s, s


def arcsine_scores(observed: Reals, expected: Reals, n: Reals) -> tuple[Reals, Reals]:
    """z and chance's sd of asin(sqrt(observed / n)) - asin(sqrt(expected / n))."""
    s = 1 / (2 * np.sqrt(n))
    return (np.arcsin(np.sqrt(observed / n)) - np.arcsin(np.sqrt(expected / n))) / s, s


def overdispersion(z: Reals, s: Reals, winsorised: float = WINSORISED, *, corrected: bool = False) -> Overdispersion:
    """phi = mean z^2 and the DerSimonian-Laird tau2 = (I phi - (I - 1)) / (sum w - sum w^2 / sum w), w = 1 / s^2.

    ``winsorised``: share of either end pulled in first (linear quantiles), so that the unusual do not hide themselves. That
    makes phi a third too small; ``corrected`` divides it by WINSORISED_SQUARE (only for the usual tenth).
    """
    if corrected and winsorised != WINSORISED:
        raise ValueError(f"the correction is for {WINSORISED} winsorised, not {winsorised}")
    low, high = np.quantile(z, (winsorised, 1 - winsorised))
    phi = float((np.clip(z, low, high) ** 2).mean()) / (WINSORISED_SQUARE if corrected else 1.0)
    weight, count = 1 / s**2, len(z)
    over = count * phi - (count - 1)
    spare = weight.sum() - (weight**2).sum() / weight.sum()
    return Overdispersion(phi, float(over / spare) if over > 0 and spare > 0 else 0.0)
