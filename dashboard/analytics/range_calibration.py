"""How far the lines of an expected range must lie from its middle so that 1 in 10 unseen clients is beyond each (science 3.3).

Split-conformal within baseline third and session band (Vovk 2005, Mondrian; each tail for itself, so that a course that is
not the model's own form shifts a line and does not widen both). Standardised residuals z = (y - middle) / SD of episodes the
model has not seen go in. A cell's distribution is

    C = (m F_cell + 20 T) / (m + 20)      T = (m F_third + 20 P) / (m + 20)      P = (m F_all + 10 Normal) / (m + 10)

with F the share of residuals up to z and m the episodes behind it: a cell with few episodes borrows from its third, that from
the practice, and that from the normal distribution of the uncalibrated range. Without episodes the lines are the prior's.
Between the middles of neighbouring bands a line runs straight over ln session, so that no client crosses it at a step.
"""

from __future__ import annotations

from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Whole = NDArray[np.int64]

Z_TAIL = 1.2816  # science 3.3: a tenth in each tail of a normal distribution
BANDS = (3, 4, 6, 9, 13, 20, 35)  # sessions 2, 3, 4-5, 6-8, 9-12, 13-19, 20-34, 35 and later: about equal steps of ln t
THIRDS = 3
NORMAL_EPISODES = (
    10.0  # project default, as is the next: best of a few tried in ``tests.contests range``, all within noise
)
BORROWED_EPISODES = 20.0
BISECTIONS = 45  # to a ten-billionth of an SD
WIDEST = 12.0  # SDs; no line lies further out
LAST_MIDDLE = 45.0  # session; the last band has no upper end

Lines = tuple[float, float, float]
UNCALIBRATED: Lines = (-Z_TAIL, 0.0, Z_TAIL)


def third_of(baseline: Reals, cuts: tuple[float, ...]) -> Whole:
    """0, 1 or 2: which third of the practice's first scores this one lies in, upper edge included; 0 without cuts."""
    return np.searchsorted(np.asarray(cuts), baseline, side="left").astype(np.int64)


def band_of(session: Reals) -> Whole:
    """0 to 7: session band."""
    return np.searchsorted(np.asarray(BANDS), session, side="right").astype(np.int64)


MIDDLES = np.log(
    [*np.sqrt(np.array([2, *BANDS[:-1]]) * (np.array(BANDS) - 1.0)), LAST_MIDDLE]
)  # of the bands, ln session


def lines_at(cells: tuple[tuple[Lines, ...], ...], third: Whole, session: Reals) -> Reals:
    """Lower line, middle and upper line in SDs (three columns) for each third and session, from the cells of ``lines``."""
    found = np.empty((len(third), 3))
    for one, bands in enumerate(cells):
        here = third == one
        for line, at_middles in enumerate(zip(*bands, strict=True)):
            found[here, line] = np.interp(np.log(session[here]), MIDDLES, at_middles)
    return found


def cuts_of(first_scores: Reals) -> tuple[float, ...]:
    """Upper edges of the lower and the middle third of the episodes' first scores; none without episodes."""
    if not len(first_scores):
        return ()
    low, high = np.quantile(first_scores, (1 / THIRDS, 2 / THIRDS), method="inverted_cdf")
    return float(low), float(high)


class _Share:
    """The share of residuals up to each z and the number of episodes they come from."""

    def __init__(self, z: Reals, episode: Whole) -> None:
        self.z = np.sort(z)
        self.episodes = float(len(np.unique(episode)))

    def __call__(self, z: Reals) -> Reals:
        return np.searchsorted(self.z, z, side="right") / max(len(self.z), 1)


def _normal(z: float) -> float:
    return 0.5 * (1 + erf(z / sqrt(2)))


LEVELS = np.array([_normal(-Z_TAIL), 0.5, _normal(Z_TAIL)])


def lines(z: Reals, third: Whole, band: Whole, episode: Whole) -> tuple[tuple[Lines, ...], ...]:
    """Per third and band the lower line, middle and upper line in SDs from the uncalibrated middle.

    One entry per residual: ``z``, its third, its session band and its episode.
    """
    every = _Share(z, episode)
    found: list[tuple[Lines, ...]] = []
    for one in range(THIRDS):
        in_third = third == one
        strata = _Share(z[in_third], episode[in_third])
        cells: list[Lines] = []
        for step in range(len(BANDS) + 1):
            here = in_third & (band == step)
            cell = _Share(z[here], episode[here])
            low, middle, high = _lines((every, NORMAL_EPISODES), (strata, BORROWED_EPISODES), (cell, BORROWED_EPISODES))
            cells.append((float(low), float(middle), float(high)))
        found.append(tuple(cells))
    return tuple(found)


def _lines(*chain: tuple[_Share, float]) -> Reals:
    """The points up to which the blended distribution, broadest part first, has a tenth, half and nine tenths."""
    low, high = np.full(3, -WIDEST), np.full(3, WIDEST)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        share = np.array([_normal(one) for one in middle])
        for own, borrowed in chain:
            share = (own.episodes * own(middle) + borrowed * share) / (own.episodes + borrowed)
        under = share < LEVELS
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return (low + high) / 2
