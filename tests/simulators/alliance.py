"""Alliance ratings of invented clients in which the time of every fall is known. Frozen: written before any detector was tuned.

Sessions become ratings on the SRS (0-40, tenths of a point), 30 % of them missing at random, and are handed over on 0-1.
About one client in four has one fall (Larsson 2018) of 3-9 points from the fourth session on. A fall's *window* are the
sessions it lowers; it is *complete* in the first session at full depth (a single fall at once, a leak in its third step).

white: constant level, independent noise of SD 1-2.5 points; falls last 1-3 sessions.
drift: AR(1) noise (correlation .2-.6), the level rises or sinks slowly; falls last 1-5 sessions and mend in two steps.
ceiling: a latent level near 40, cut off there; clients differ much in SD (.8-3.2); half the falls leak in over 3 sessions.
heavy: tails of a t with 5 degrees of freedom; whole points of a 48-point scale (12 items of 1-5); half of the ratings missing
while a fall lasts, a quarter otherwise. Written after the rule was chosen on the other three; limits are set with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TOP = 40.0
MISSING = 0.30
WITH_FALL = 0.25
FIRST_FALL = 3  # position of the fourth session
FORMS = ("white", "drift", "ceiling", "heavy")
WHOLE_TOP = 48.0

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Rated:
    """Series one behind the other, 0-1. Per series, as positions among its ratings, -1 without a rated fall.

    ``start`` and ``end``: first and last rating in the fall's window; ``due``: the first in which it is complete (the last
    of the window where none of those was rated). ``unseen``: falls of which no session was rated.
    """

    ratings: Reals
    lengths: NDArray[np.int64]
    start: NDArray[np.int64]
    due: NDArray[np.int64]
    end: NDArray[np.int64]
    unseen: int


def _fall(form: str, draw: np.random.Generator, count: int) -> tuple[Reals, int, int, int]:
    """Points lost per session, and first, complete and last session of the fall (-1 without one)."""
    lost = np.zeros(count)
    if count <= FIRST_FALL or draw.random() >= WITH_FALL:
        return lost, -1, -1, -1
    depth = draw.uniform(3, 9)
    first = int(draw.integers(FIRST_FALL, count))
    steps = [1.0] * int(draw.integers(1, 4))
    complete = first
    if form == "drift":
        steps = [1.0] * int(draw.integers(1, 6)) + [2 / 3, 1 / 3]
    elif form == "ceiling" and draw.random() < 0.5:
        steps = [1 / 3, 2 / 3, *steps]
        complete = first + 2
    steps = steps[: count - first]
    lost[first : first + len(steps)] = depth * np.array(steps)
    last = first + len(steps) - 1
    return lost, first, min(complete, last), last


def _sessions(form: str, draw: np.random.Generator, count: int, lost: Reals) -> Reals:
    """Points in every session, before the scale cuts them off."""
    if form == "white":
        return draw.normal(34.5, 3.0) + draw.uniform(1.0, 2.5) * draw.normal(size=count) - lost
    if form == "drift":
        spread, tie = draw.uniform(1.0, 2.5), draw.uniform(0.2, 0.6)
        noise = draw.normal(size=count)
        for place in range(1, count):
            noise[place] = tie * noise[place - 1] + np.sqrt(1 - tie**2) * noise[place]
        return draw.normal(33.5, 3.0) + draw.normal(0.08, 0.12) * np.arange(count) + spread * noise - lost
    if form == "heavy":
        noise = draw.standard_t(5, size=count) * np.sqrt(3 / 5)
        return draw.normal(33.0, 4.0) + draw.uniform(1.0, 2.5) * noise - lost
    spread = float(np.clip(draw.lognormal(np.log(1.6), 0.4), 0.8, 3.2))
    return draw.normal(38.5, 2.5) + spread * draw.normal(size=count) - lost


def simulate(form: str, seed: int, clients: int) -> Rated:
    """Ratings of so many clients of one form."""
    draw = np.random.default_rng([FORMS.index(form), seed])
    ratings, lengths, places, unseen = [], [], [], 0
    for _ in range(clients):
        count = int(np.clip(round(draw.gamma(3.2, 4.6)), 3, 40))
        lost, first, complete, last = _fall(form, draw, count)
        points = np.round(np.clip(_sessions(form, draw, count, lost), 0.0, TOP), 1)
        missing: float | Reals = MISSING
        if form == "heavy":
            points = np.round(points * WHOLE_TOP / TOP) * TOP / WHOLE_TOP
            missing = np.where(lost > 0, 0.5, 0.25)
        held = np.flatnonzero(draw.random(count) >= missing)
        inside = np.flatnonzero((held >= first) & (held <= last)) if first >= 0 else np.array([], dtype=int)
        unseen += int(first >= 0 and not len(inside))
        if len(inside):
            whole = inside[held[inside] >= complete]
            places.append((inside[0], whole[0] if len(whole) else inside[-1], inside[-1]))
        else:
            places.append((-1, -1, -1))
        ratings.append(points[held] / TOP)
        lengths.append(len(held))
    start, due, end = np.array(places, dtype=np.int64).T
    return Rated(np.concatenate(ratings), np.array(lengths, dtype=np.int64), start, due, end, unseen)
