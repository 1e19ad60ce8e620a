"""Simulated practices whose clients do not grow as the expected range's model says: for contests and coverage tests. Frozen.

Each gives one row per score: episode_id, instrument, taken_on, session_number, value. Scores are whole numbers between the
scale's ends, 30 % of them are missing, and who stays depends on how they are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Draw = np.random.Generator

LONGEST = 40
MISSING = 0.30
TOP = 27


def _start(draw: Draw, count: int) -> Reals:
    return np.clip(draw.normal(15.4, 5.0, count), 2, 26)


def _asymptote(draw: Draw, count: int) -> Reals:
    """Exponential approach to a person's own level at a person's own rate: fast gains, then none."""
    start = _start(draw, count)
    rest = start * np.clip(draw.beta(2.0, 2.4, count) * 1.1, 0, 1.1)
    rate = np.exp(draw.normal(np.log(0.22), 0.8, count))
    t = np.arange(LONGEST)
    return np.asarray(rest[:, None] + (start - rest)[:, None] * np.exp(-rate[:, None] * t))


def _late(draw: Draw, count: int) -> Reals:
    """Late responders and sudden gains (Saunders 2019): level for some sessions, then one step down; a third never."""
    start = _start(draw, count)
    when = 2 + draw.geometric(0.16, count)
    size = np.where(draw.random(count) < 0.33, 0.0, draw.uniform(0.3, 0.8, count)) * start
    t = np.arange(1, LONGEST + 1)
    steep = 1 / (1 + np.exp(-2.0 * (t[None, :] - when[:, None])))
    return np.asarray(start[:, None] - size[:, None] * steep)


def _relapse(draw: Draw, count: int) -> Reals:
    """Gains over the first sessions, a plateau, and for four in ten a slow return of what was gained."""
    start = _start(draw, count)
    gain = start * np.clip(draw.normal(0.45, 0.25, count), -0.3, 0.95)
    turn = draw.integers(5, 14, count)
    back = np.where(draw.random(count) < 0.4, draw.uniform(0.3, 1.2, count), 0.0) * gain
    t = np.arange(LONGEST)
    down = 1 - np.exp(-0.5 * t)
    up = np.clip((t[None, :] - turn[:, None]) / 8.0, 0, 1)
    return np.asarray(start[:, None] - gain[:, None] * down + back[:, None] * up)


def _slow(draw: Draw, count: int) -> Reals:
    """A long-term practice: little change on average, every client wandering, spread the wider the worse they began."""
    start = _start(draw, count)
    steps = draw.normal(-0.05, 0.06 * start[:, None] ** 0.8, (count, LONGEST))
    steps[:, 0] = 0
    return np.asarray(start[:, None] + np.cumsum(steps, axis=1))


SHAPES: dict[str, Callable[[Draw, int], Reals]] = {
    "asymptote": _asymptote,
    "late": _late,
    "relapse": _relapse,
    "slow": _slow,
}


def practice(shape: str, episodes: int, seed: int, instrument: str = "phq9") -> pl.DataFrame:
    """The scores of that many closed episodes; ``instrument`` phq9, or ors: the same mirrored onto 0 to 40, higher better."""
    draw = np.random.default_rng([seed, *shape.encode()])
    level = SHAPES[shape](draw, episodes)
    error = draw.normal(0, 2.1, level.shape)
    wander = np.zeros_like(level)
    for t in range(1, LONGEST):
        wander[:, t] = 0.6 * wander[:, t - 1] + draw.normal(0, 0.9, episodes)
    score = np.clip(np.round(level + error + wander), 0, TOP)
    stays = np.cumprod(_staying(draw, level), axis=1).astype(bool)
    seen = stays & (draw.random(level.shape) >= MISSING)
    seen[:, 0] |= draw.random(episodes) < 0.8
    if instrument == "ors":
        score = 40 - np.round(score * 40 / TOP)
    episode, at = np.nonzero(seen)
    return pl.DataFrame(
        {
            "episode_id": episode.astype(np.int64),
            "instrument": np.full(len(episode), instrument),
            "taken_on": (at * 7).astype(np.int32),
            "session_number": (at + 1).astype(np.int64),
            "value": score[episode, at],
        }
    ).with_columns(pl.lit(date(2024, 1, 1)) + pl.duration(days=pl.col("taken_on")))


def _staying(draw: Draw, level: Reals) -> NDArray[np.bool_]:
    """Whether a client comes again: well clients end as planned, unwell ones leave, everyone sooner or later."""
    leaves = 0.03 + 0.10 * (level < 6) + 0.05 * (level > 18)
    leaves[:, 0] = 0
    return np.asarray(draw.random(level.shape) >= leaves)
