"""Where the rate of an ordinary clinician with a given caseload falls: chance and ordinary differences together (science 6.5).

Counts have no limit between two counts. Interpolating there, as Spiegelhalter 2005 does to draw a smooth funnel, would call the
count at the upper limit itself unusual, which with ten cases happens to 12 % of ordinary clinicians at a rate of 6 %.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.distributions import binomial, normal_cdf
from dashboard.analytics.random_intercept import Curves

Reals = NDArray[np.float64]

TAILS = {"limit95": 0.025, "limit998": 0.001}  # science 6.5
SPACING = 0.5  # of chance's own sd, between shifts: lumping that little makes limits wider by a hundredth at most


def limits(curves: Curves, ordinary: Reals) -> dict[str, Reals]:
    """Rates that an ordinary clinician with this caseload exceeds, or stays below, with a chance of at most each of TAILS.

    ``ordinary``: ``random_intercept.ordinary`` of the same curves. Keys limit95_low, limit95_high, limit998_low, limit998_high;
    one entry per clinician, on the scale of the rates.
    """
    found = {f"{name}_{side}": np.full(len(curves.n), np.nan) for name in TAILS for side in ("low", "high")}
    for j, n in enumerate(curves.n):
        if curves.error_sd is not None:
            value, below = _gains(curves, ordinary[j], j)
        else:
            value, below = _counts(curves, ordinary[j], j)
        for name, tail in TAILS.items():
            for side, share in (("low", tail), ("high", 1 - tail)):
                if curves.error_sd is not None:
                    found[f"{name}_{side}"][j] = np.interp(share, below, value)
                else:
                    found[f"{name}_{side}"][j] = min(int(np.searchsorted(below, share - 1e-12)), n) / n
    return found


def _gains(curves: Curves, ordinary: Reals, j: int) -> tuple[Reals, Reals]:
    """Mean gains and the chance of staying below each."""
    sd = (curves.error_sd or 0.0) / sqrt(curves.n[j])
    place, weight = _thinned(curves, ordinary, sd)
    shift = curves.shift[place]
    value = np.linspace(shift[0] - 4.5 * sd, shift[-1] + 4.5 * sd, 241)
    below = normal_cdf((value[:, None] - shift) / sd) @ weight
    return value + (curves.mean[j, 0] - curves.shift[0]), below


def _counts(curves: Curves, ordinary: Reals, j: int) -> tuple[Reals, Reals]:
    """Shares of 0 … n and the chance of at most each."""
    n = int(curves.n[j])
    place, weight = _thinned(curves, ordinary, 2 / sqrt(n))  # the least that chance can be in log odds
    p = np.clip(curves.mean[j, place], 1e-12, 1 - 1e-12)
    return np.arange(n + 1) / n, np.cumsum(weight @ binomial(n, p))


def _thinned(curves: Curves, ordinary: Reals, sd: float) -> tuple[NDArray[np.int64], Reals]:
    """The places of as many shifts as the limits need where chance has this sd, and the weight of each."""
    step = float(curves.shift[1] - curves.shift[0])
    block = 2 * int(max(0.0, SPACING * sd / step - 1) / 2) + 1  # odd, so that the middle one is the middle
    likely = np.flatnonzero(ordinary > 1e-9)
    edges = np.arange(likely[0], likely[-1] + 1, block)
    weight = np.add.reduceat(ordinary[: likely[-1] + 1], edges)
    return np.minimum(edges + block // 2, likely[-1]), weight / weight.sum()
