"""A difference between two shares whose rows come from the same episodes over and over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.distributions import t_quantile


@dataclass(frozen=True)
class Difference:
    """``one`` and ``other``: shares of ``one_n`` and ``other_n`` rows. ``low`` to ``high``: 95 % interval of one less other."""

    one: float
    other: float
    one_n: int
    other_n: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The first share less the second."""
        return self.one - self.other


def difference(yes: NDArray[np.bool_], first: NDArray[np.bool_], episode: NDArray[np.int64]) -> Difference | None:
    """Share of ``yes`` among ``first`` less that among the rest; null without both, or with a single episode.

    Rows of one episode are alike, so that they are added up before their squares are (Liang & Zeger 1986), with the correction
    C / (C - 1) and Student's t on C - 1 for C episodes.
    """
    one_n, other_n = int(first.sum()), int((~first).sum())
    _, place = np.unique(episode, return_inverse=True)
    clusters = int(place.max()) + 1 if len(place) else 0
    if not one_n or not other_n or clusters < 2:
        return None
    one, other = float(yes[first].mean()), float(yes[~first].mean())
    each = np.where(first, (yes - one) / one_n, -(yes - other) / other_n)
    added = np.bincount(place, weights=each, minlength=clusters)
    error = float(np.sqrt((added**2).sum() * clusters / (clusters - 1)))
    wide = t_quantile(0.975, clusters - 1) * error
    return Difference(one, other, one_n, other_n, one - other - wide, one - other + wide)
