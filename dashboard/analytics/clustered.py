"""Shares and odds of rows that come from the same episodes over and over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.distributions import t_quantile

Reals = NDArray[np.float64]
STEPS, CLOSE = 50, 1e-9
LONGEST = 10.0  # log odds: an estimate beyond it only says that the rows part completely


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


@dataclass(frozen=True)
class Ratio:
    """A ratio of odds with its 95 % interval; 1 is none."""

    ratio: float
    low: float
    high: float


def odds_ratio(yes: NDArray[np.bool_], of: NDArray[np.bool_], given: Reals, episode: NDArray[np.int64]) -> Ratio | None:
    """How many times the odds of ``yes`` are higher where ``of``, on top of a straight line in ``given`` (logistic).

    The interval allows for rows of one episode being alike, as in ``difference``. Null where the rows part completely or do not
    tell the two apart.
    """
    spread = float(given.std()) if len(given) else 0.0
    _, place = np.unique(episode, return_inverse=True)
    clusters = int(place.max()) + 1 if len(place) else 0
    if clusters < 2 or spread == 0 or yes.all() or not yes.any():
        return None
    x = np.column_stack([np.ones(len(yes)), of.astype(float), (given - given.mean()) / spread])
    b, information = np.zeros(3), np.eye(3)
    for _step in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ b, -35, 35)))
        information = (x * (p * (1 - p))[:, None]).T @ x
        if np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, x.T @ (yes - p))
        b = b + step
        if np.abs(step).max() < CLOSE:
            break
    if np.abs(b).max() > LONGEST:
        return None
    p = 1 / (1 + np.exp(-x @ b))
    scores = np.zeros((clusters, 3))
    np.add.at(scores, place, x * (yes - p)[:, None])
    bread = np.linalg.inv(information)
    error = float(np.sqrt((bread @ (scores.T @ scores) @ bread)[1, 1] * clusters / (clusters - 1)))
    wide = t_quantile(0.975, clusters - 1) * error
    return Ratio(float(np.exp(b[1])), float(np.exp(b[1] - wide)), float(np.exp(b[1] + wide)))
