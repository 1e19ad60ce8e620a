"""What a client's ratings so far say about the alliance now: own level and distance from it, with ratings missing and noisy.

A rating is the client's own level, plus a passing wobble that carries over from session to session, plus error. The level
starts at the practice's mean and moves as ratings come in, so that few ratings are shrunk towards the mean (a Kalman
filter with fixed constants). Where a session is not rated the wobble fades and the level stays; nothing is filled in. Only
this client's earlier and present ratings and the constants of ``Norm`` are used: a past session can be replayed exactly.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
PERSISTENCE = 0.6  # project default: share of a wobble left a session later; .4 and .8 did no worse in validation
FORGETTING = 0.5  # project default: share of a past fall remembered a session later
FAR = 4  # sessions apart at which a wobble has all but faded
SMALLEST = 0.05  # each part of the variance keeps at least this share
NORM_WEIGHT = 50  # clients' worth of belief in the default norm


@dataclass(frozen=True)
class Norm:
    """Mean and spread of alliance ratings on the 0-1 scale. The defaults are project defaults, near a WAI-SR mean of 4 of 5.

    Being wrong by a third in spread, or .1 in mean, cost less than two points of the share in validation.
    """

    mean: float = 0.75
    level_sd: float = 0.11
    wobble_sd: float = 0.07
    error_sd: float = 0.06

    @property
    def rating_sd(self) -> float:
        """SD of single ratings over clients and sessions."""
        return float(np.sqrt(self.level_sd**2 + self.wobble_sd**2 + self.error_sd**2))

    @property
    def wobble_unit(self) -> float:
        """What the filter makes of a rating one within-client SD away from a level known exactly."""
        return float(self.wobble_sd**2 / np.sqrt(self.wobble_sd**2 + self.error_sd**2))

    def to_dict(self) -> dict[str, float]:
        """For storage."""
        return asdict(self)


DEFAULT_NORM = Norm()


@dataclass(frozen=True)
class Followed:
    """Per session, in rating points: ``level`` and ``wobble`` (0: the mean), ``falls`` remembered; ``ratings`` so far."""

    level: Reals
    wobble: Reals
    falls: Reals
    ratings: NDArray[np.int32]


def follow(ratings: Reals, lengths: NDArray[np.int64], norm: Norm) -> Followed:
    """Walks all clients in step. ``ratings``: one behind the other in time order, NaN where unrated; ``lengths``: per client."""
    order = np.argsort(-lengths, kind="stable")
    first = (np.cumsum(lengths) - lengths)[order]
    longest_first = -lengths[order]
    count, total = len(lengths), len(ratings)
    level_now, wobble_now, falls_now, cross = (np.zeros(count) for _ in range(4))
    level_var, wobble_var = np.full(count, norm.level_sd**2), np.full(count, norm.wobble_sd**2)
    seen = np.zeros(count, dtype=np.int32)
    level, wobble, falls = (np.empty(total) for _ in range(3))
    so_far = np.empty(total, dtype=np.int32)
    fresh = norm.wobble_sd**2 * (1 - PERSISTENCE**2)
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
        surprise = ratings[at] - norm.mean - b - w
        rated = surprise == surprise  # NaN where unrated
        surprise[~rated] = 0.0
        f += np.where(n > 0, np.maximum(-surprise, 0.0), 0.0)
        n += rated
        along, across = bb + bw, ww + bw
        gain = rated / (along + across + norm.error_sd**2)
        b += gain * along * surprise
        w += gain * across * surprise
        bb -= gain * along * along
        ww -= gain * across * across
        bw -= gain * along * across
        level[at], wobble[at], falls[at], so_far[at] = b, w, f, n
    return Followed(level, wobble, falls, so_far)


def measured_norm(ratings: Reals, lengths: NDArray[np.int64], start: Norm = DEFAULT_NORM) -> Norm:
    """The practice's own norm from ratings known so far, blended with ``start`` (weight NORM_WEIGHT clients).

    Needs no endings: open episodes count too. Ratings one and four sessions apart tell level, wobble and error from each
    other. Without ratings it is ``start``.
    """
    rated = ~np.isnan(ratings)
    episode = np.repeat(np.arange(len(lengths)), lengths)
    clients = len(np.unique(episode[rated]))
    if not clients:
        return start
    mean = float(ratings[rated].mean())
    away = ratings - mean

    def together(apart: int) -> tuple[float, int]:
        product = (away[apart:] * away[:-apart])[episode[apart:] == episode[:-apart]]
        product = product[~np.isnan(product)]
        return (float(product.mean()) if len(product) else 0.0), len(product)

    weight = clients / (clients + NORM_WEIGHT)
    variance = float((away[rated] ** 2).mean())
    parts = np.array([start.level_sd, start.wobble_sd, start.error_sd]) ** 2
    shares = parts / parts.sum()
    (near, _), (far, pairs) = together(1), together(FAR)
    if variance > 0 and pairs:
        wobble = (near - far) / (PERSISTENCE - PERSISTENCE**FAR)
        level = far - PERSISTENCE**FAR * wobble
        own = np.maximum(np.array([level, wobble, variance - level - wobble]) / variance, SMALLEST)
        shares = weight * own / own.sum() + (1 - weight) * shares
    spread = np.sqrt((weight * variance + (1 - weight) * parts.sum()) * shares)
    blended = weight * mean + (1 - weight) * start.mean
    # rounded so that the order of sums on another machine cannot make another model
    return Norm(round(blended, 6), *(round(float(one), 6) for one in spread))
