"""What a client's ratings so far say about the alliance now: own level and distance from it, with ratings missing and noisy.

A rating is the client's own level, plus a passing wobble that carries over from session to session, plus error. The level
starts at the instrument's mean and moves as ratings come in, so that few ratings are shrunk towards the mean (a Kalman
filter with fixed constants). Where a session is not rated the wobble fades and the level stays; nothing is filled in. Only
this client's earlier and present ratings and constants are used: a past session can be replayed exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
# Shares of the variance of single ratings: project defaults, near session-to-session correlations of .7 falling to .6;
# giving a third of the level's share to the wobble, or back, changed nothing in validation.
LEVEL, WOBBLE, ERROR = 0.58, 0.24, 0.18
PERSISTENCE = 0.6  # project default: share of a wobble left a session later; .4 and .8 did no worse in validation
FORGETTING = 0.5  # project default: share of a past fall remembered a session later
# what the filter makes of a rating one within-client SD away from a level known exactly
WOBBLE_UNIT = WOBBLE / (WOBBLE + ERROR) ** 0.5


@dataclass(frozen=True)
class Followed:
    """Per session, in SD of ratings: ``level`` and ``wobble`` (0: the mean), ``falls`` remembered; ``ratings`` so far.

    ``unsure``: what is not known of the two, variance of the level, of the wobble, and their covariance.
    """

    level: Reals
    wobble: Reals
    falls: Reals
    ratings: NDArray[np.int32]
    unsure: NDArray[np.float32]

    def only(self, kept: NDArray[np.int64]) -> Followed:
        """These sessions alone."""
        return Followed(self.level[kept], self.wobble[kept], self.falls[kept], self.ratings[kept], self.unsure[kept])


def follow(ratings: Reals, lengths: NDArray[np.int64]) -> Followed:
    """Walks all clients in step, a session further at a time.

    ``ratings``: standardised, all clients one behind the other in time order, NaN where unrated; ``lengths``: sessions per
    client. A fall is a rating below what was expected of a client who has rated before.
    """
    order = np.argsort(-lengths, kind="stable")
    first = (np.cumsum(lengths) - lengths)[order]
    longest_first = -lengths[order]
    count, total = len(lengths), len(ratings)
    level_now, wobble_now, falls_now, cross = (np.zeros(count) for _ in range(4))
    level_var, wobble_var = np.full(count, LEVEL), np.full(count, WOBBLE)
    seen = np.zeros(count, dtype=np.int32)
    level, wobble, falls = (np.empty(total) for _ in range(3))
    so_far = np.empty(total, dtype=np.int32)
    unsure = np.empty((total, 3), dtype=np.float32)
    fresh = WOBBLE * (1 - PERSISTENCE**2)
    for position in range(int(lengths.max()) if count else 0):
        left = int(np.searchsorted(longest_first, -position, side="left"))
        at = first[:left] + position
        b, w, f, n = level_now[:left], wobble_now[:left], falls_now[:left], seen[:left]
        bb, ww, bw = level_var[:left], wobble_var[:left], cross[:left]
        if position:
            w *= PERSISTENCE
            ww *= PERSISTENCE**2
            ww += fresh
            bw *= PERSISTENCE
            f *= FORGETTING
        surprise = ratings[at] - b - w
        rated = ~np.isnan(surprise)
        surprise[~rated] = 0.0
        f += np.where(n > 0, np.maximum(-surprise, 0.0), 0.0)
        n += rated
        along, across = bb + bw, ww + bw
        gain = rated / (along + across + ERROR)
        b += gain * along * surprise
        w += gain * across * surprise
        bb -= gain * along * along
        ww -= gain * across * across
        bw -= gain * along * across
        level[at], wobble[at], falls[at], so_far[at] = b, w, f, n
        unsure[at, 0], unsure[at, 1], unsure[at, 2] = bb, ww, bw
    return Followed(level, wobble, falls, so_far, unsure)
