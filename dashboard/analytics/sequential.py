"""Has something changed, case by case: VLAD and the risk-adjusted CUSUM of a practice (science 6.6).

Both compare what happened with what the case-mix model expected, in the order in which episodes ended; several on one day in
the order of their numbers. For the practice by default, for one clinician only at that clinician's wish.

The expectations come from the same years that are monitored, so the VLAD ends near 0 and both show change *within* those years,
not whether the whole is good. Clinicians who differ by chance alone already make runs a little longer than the stated length
says; a signal is a prompt to look, first at the data.

Steiner, Cook, Farewell & Treasure 2000: weights and chart; Brook & Evans 1972: run length by a Markov chain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Reals = NDArray[np.float64]

DOUBLE, HALF = 2.0, 0.5  # odds against expectation that the CUSUM looks for; science 6.6
YEARS = 10.0  # between two false signals; science 6.6
STATES = 100  # of the chain between 0 and the threshold
KINDS = 40  # of cases, by chance: more change the run length by less than a hundredth
LEAST_DAYS = 90  # project default: a caseload counted over less time says little about a year
HIGHEST = 15.0  # threshold; beyond what any practice reaches in ten years
DAYS_PER_YEAR = 365.25

MONITORED = {
    "ended_on": pl.Date(),
    "episode_id": pl.Int64(),
    "number": pl.Int64(),
    "vlad": pl.Float64(),
    "cusum": pl.Float64(),
    "signal": pl.Boolean(),
}


@dataclass(frozen=True)
class Monitored:
    """``frame``: MONITORED, one row per episode in order of ending. Null thresholds where there is no case.

    ``vlad``: cases better than expected so far, up is better. ``cusum``: evidence that the odds have become ``ratio`` times the
    expected; above ``threshold`` it is a ``signal`` and starts again at 0. Without any change a signal comes every
    ``run_length`` cases on average, which is every ``years`` years of this caseload (``per_year`` cases).
    """

    frame: pl.DataFrame
    ratio: float
    threshold: float | None
    run_length: float | None
    per_year: float | None
    years: float | None


def monitor(dated: pl.DataFrame, *, ratio: float = DOUBLE, adverse: bool = True, years: float = YEARS) -> Monitored:
    """Follows one yes-or-no measure. Order of rows does not matter.

    ``dated``: ended_on, episode_id, observed (0 or 1, or true and false) and expected (a chance); rows with a null are left out.
    ``adverse``: dropout or worsening, where fewer is better; otherwise more is. To look for worse, ``ratio`` is above 1 for
    adverse measures and below 1 for others.
    """
    rows = (
        dated.select("ended_on", "episode_id", pl.col("observed").cast(pl.Float64), "expected")
        .drop_nulls()
        .sort("ended_on", "episode_id")
    )
    p, y = rows["expected"].to_numpy(), rows["observed"].to_numpy()
    threshold = length = per_year = None
    if len(p):
        ended = rows["ended_on"].to_list()
        per_year = len(p) / max((ended[-1] - ended[0]).days, LEAST_DAYS) * DAYS_PER_YEAR
        threshold = threshold_for(p, ratio, years * per_year)
        length = run_length(p, ratio, threshold)
    level, signal = cusum(p, y, ratio, np.inf if threshold is None else threshold)
    frame = rows.select(
        "ended_on",
        "episode_id",
        number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        vlad=pl.Series(vlad(p, y, adverse=adverse), dtype=pl.Float64),
        cusum=pl.Series(level, dtype=pl.Float64),
        signal=pl.Series(signal, dtype=pl.Boolean),
    )
    return Monitored(frame, ratio, threshold, length, per_year, length / per_year if length and per_year else None)


def vlad(p: Reals, y: Reals, *, adverse: bool = True) -> Reals:
    """Variable life-adjusted display: the running sum of expected minus observed (of the opposite for a wanted event)."""
    return np.asarray(np.cumsum(p - y if adverse else y - p))


def weights(p: Reals, ratio: float) -> tuple[Reals, Reals]:
    """What a case without and with the event adds to the CUSUM: log likelihood ratios of odds times ``ratio`` against p."""
    without = -np.log1p((ratio - 1) * p)
    return np.asarray(without), np.asarray(without + np.log(ratio))


def cusum(p: Reals, y: Reals, ratio: float, threshold: float) -> tuple[Reals, NDArray[np.bool_]]:
    """C_n = max(0, C_{n-1} + W_n) and where it is above the threshold; after a signal it goes on from 0."""
    without, with_event = weights(p, ratio)
    level, signal = np.zeros(len(p)), np.zeros(len(p), dtype=np.bool_)
    now = 0.0
    for place, step in enumerate(np.where(y > 0, with_event, without).tolist()):
        now = max(0.0, now + step)
        level[place] = now
        if now > threshold:
            signal[place], now = True, 0.0
    return level, signal


def run_length(p: Reals, ratio: float, threshold: float) -> float:
    """Cases until a signal on average, if the chances ``p`` are right and cases come in random order (Markov chain).

    Where a step ends between two states it is shared between them, which keeps its mean.
    """
    kinds, share = _kinds(p)
    without, with_event = weights(kinds, ratio)
    steps = np.concatenate([without, with_event])
    chances = np.concatenate([share * (1 - kinds), share * kinds])
    width = threshold / STATES
    states = np.arange(STATES + 1)
    place = np.maximum(states + steps[:, None] / width, 0)
    beyond = place > STATES + 1e-9
    lower = np.minimum(place.astype(np.int64), STATES)
    upper_part = np.where(beyond, 0.0, place - lower) * chances[:, None]
    lower_part = np.where(beyond, 0.0, chances[:, None]) - upper_part
    cell = states * (STATES + 2) + lower
    moves = np.bincount(cell.ravel(), lower_part.ravel(), (STATES + 1) * (STATES + 2))
    moves += np.bincount(cell.ravel() + 1, upper_part.ravel(), (STATES + 1) * (STATES + 2))
    within = moves.reshape(STATES + 1, STATES + 2)[:, :-1]
    return float(np.linalg.solve(np.eye(STATES + 1) - within, np.ones(STATES + 1))[0])


def threshold_for(p: Reals, ratio: float, cases: float) -> float:
    """The smallest threshold (to a hundredth) with at least so many ``cases`` between false signals."""
    low, high = 0, round(HIGHEST * 100)
    while high - low > 1:
        middle = (low + high) // 2
        if run_length(p, ratio, middle / 100) >= cases:
            high = middle
        else:
            low = middle
    return high / 100


def _kinds(p: Reals) -> tuple[Reals, Reals]:
    """Mean chance and share of KINDS equal parts of the caseload, by chance."""
    parts = np.array_split(np.sort(p), min(KINDS, len(p)))
    return np.array([part.mean() for part in parts]), np.array([len(part) for part in parts]) / len(p)
