"""Held out: courses written before any change to the expected range was tried on them; nothing may be chosen by what they say.

Made as ``tests.simulators.growth`` makes its own (rows, rounding, missing scores), with other courses and other reasons to stay.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tests.simulators.growth import LONGEST, MISSING, TOP

Reals = NDArray[np.float64]


def _crises(draw: np.random.Generator, count: int) -> tuple[Reals, Reals]:
    """Slow gains broken by crises that pass; clients leave in a crisis, or when two good months have gone by."""
    start = np.clip(draw.normal(14.0, 5.5, count), 1, 26)
    gain = draw.gamma(3.0, 0.06, count)
    t = np.arange(LONGEST)
    level = start[:, None] * np.exp(-gain[:, None] * np.sqrt(t))
    crisis = np.zeros((count, LONGEST))
    for at in range(1, LONGEST):
        crisis[:, at] = 0.6 * crisis[:, at - 1] + (draw.random(count) < 0.06) * draw.uniform(3, 9, count)
    level = level + crisis
    well = np.cumsum(level < 7, axis=1) >= 8
    return level, 0.02 + 0.06 * (crisis > 3) + 0.20 * well


def _whatever(draw: np.random.Generator, count: int) -> tuple[Reals, Reals]:
    """A straight line of one's own with heavy tails; everyone ends by agreed number, however they are."""
    start = np.clip(draw.normal(16.5, 4.5, count), 3, 27)
    slope = 0.35 * draw.standard_t(4, count) / np.sqrt(2) - 0.30
    level = start[:, None] + slope[:, None] * np.minimum(np.arange(LONGEST), 20)
    agreed = draw.choice([6, 12, 20, 30], count, p=[0.3, 0.4, 0.2, 0.1])
    return level, np.where(np.arange(LONGEST)[None, :] >= agreed[:, None], 1.0, 0.02)


COURSES = {"crises": _crises, "whatever": _whatever}


def practice(shape: str, episodes: int, seed: int, instrument: str = "phq9") -> pl.DataFrame:
    """The scores of that many closed episodes, as ``tests.simulators.growth.practice`` gives them."""
    draw = np.random.default_rng([seed, *shape.encode()])
    level, leaves = COURSES[shape](draw, episodes)
    score = np.clip(np.round(level + draw.normal(0, 2.3, level.shape)), 0, TOP)
    leaves[:, 0] = 0
    seen = np.cumprod(draw.random(level.shape) >= leaves, axis=1).astype(bool) & (draw.random(level.shape) >= MISSING)
    seen[:, 0] |= draw.random(episodes) < 0.8
    episode, at = np.nonzero(seen)
    return pl.DataFrame(
        {
            "episode_id": episode.astype(np.int64),
            "instrument": np.full(len(episode), instrument),
            "taken_on": (at * 7).astype(np.int32),
            "session_number": (at + 1).astype(np.int64),
            "value": score[episode, at],
        }
    ).with_columns(pl.date(2024, 1, 1) + pl.duration(days=pl.col("taken_on")))
