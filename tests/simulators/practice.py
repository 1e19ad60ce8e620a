"""What the invented practices share: people, planned endings, ratings not given, and the session rows they leave behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboard.analytics.rupture import judge

Reals = NDArray[np.float64]
LONGEST = 30
SEM = 0.05  # error of measurement handed to the rupture rule, the project default for an unknown instrument
CEILING = 3


@dataclass(frozen=True)
class People:
    """One value per episode, except ``clinician_effect`` (log odds, one per clinician)."""

    clinician: NDArray[np.int64]
    severity: Reals
    preference_unmet: NDArray[np.bool_]
    trainee: NDArray[np.bool_]
    telehealth: NDArray[np.bool_]
    clinician_effect: Reals


@dataclass(frozen=True)
class Session:
    """What happened at one attended session of every episode still going: ``rating`` 0-1, also where it was not ``given``."""

    rating: Reals
    given: NDArray[np.bool_]
    missed: NDArray[np.int64]
    late: NDArray[np.int64]
    worse: NDArray[np.bool_]
    hazard: Reals
    with_frailty: Reals


class World(Protocol):
    """One way in which clients come to leave."""

    clinician_sd: float

    def __init__(self, draw: np.random.Generator, people: People) -> None: ...

    def session(self, number: int, going: NDArray[np.int64]) -> Session:
        """Session ``number`` of the episodes ``going`` (their positions)."""


@dataclass(frozen=True)
class Simulated:
    """``rows`` as the model gets them; ``dropout`` 1 where the session was the last without agreement, -1 not known yet."""

    rows: pl.DataFrame
    dropout: NDArray[np.int8]
    true_hazard: Reals

    def episodes(self, low: int, high: int) -> Simulated:
        """The episodes that started in this part of the order."""
        inside = self.rows["episode_id"].is_between(low, high, closed="left")
        kept = inside.to_numpy()
        return Simulated(self.rows.filter(inside), self.dropout[kept], self.true_hazard[kept])


def _people(draw: np.random.Generator, episodes: int, clinicians: int, clinician_sd: float) -> People:
    clinician = draw.integers(0, clinicians, episodes)
    trainee = draw.random(clinicians) < 0.25
    return People(
        clinician,
        draw.normal(0, 1, episodes),
        draw.random(episodes) < 0.15,
        trainee[clinician],
        draw.random(episodes) < 0.3,
        draw.normal(0, clinician_sd, clinicians),
    )


def simulate(world: type[World], episodes: int, clinicians: int, seed: int) -> Simulated:
    """A practice of so many episodes in order of their start; about one in twelve is still open."""
    draw = np.random.default_rng(seed)
    people = _people(draw, episodes, clinicians, world.clinician_sd)
    life = world(draw, people)
    still_open_at = np.where(draw.random(episodes) < 1 / 12, draw.integers(1, 13, episodes), LONGEST + 1)
    going = np.arange(episodes)
    parts = []
    for number in range(1, LONGEST + 1):
        now = life.session(number, going)
        gone = draw.random(len(going)) < now.with_frailty
        agreed = draw.random(len(going)) < 0.16 / (1 + np.exp(-(number - 11) / 2.5))
        waiting = still_open_at[going] == number
        left = np.where(waiting, -1, gone).astype(np.int8)
        parts.append((going, number, now, left))
        going = going[~(gone | agreed | waiting)]
        if not len(going):
            break
    return _rows(people, parts)


def _rows(people: People, parts: list[tuple[NDArray[np.int64], int, Session, NDArray[np.int8]]]) -> Simulated:
    who = np.concatenate([part[0] for part in parts])
    number = np.concatenate([np.full(len(part[0]), part[1]) for part in parts])
    order = np.lexsort((number, who))

    def column(name: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(part[2], name) for part in parts])[order]

    who, number = who[order], number[order]
    given, rating = column("given").astype(bool), column("rating").astype(float)
    begins = np.flatnonzero(number == 1)
    open_now, at_best = _ratings_said(who, rating, given, len(people.clinician))
    rows = pl.DataFrame(
        {
            "episode_id": who,
            "clinician_id": people.clinician[who],
            "session_number": number,
            "alliance": pl.Series(rating).set(pl.Series(~given), None),
            "alliance_instrument": pl.Series([None] * len(who), dtype=pl.String),
            "missed_since": column("missed"),
            "late_cancelled_since": column("late"),
            "rupture_open": _carried(open_now, given, begins, len(who)),
            "worse_now": column("worse"),
            "severity": people.severity[who],
            "preference_unmet": people.preference_unmet[who],
            "trainee": people.trainee[who],
            "telehealth": people.telehealth[who],
            "ceiling": _carried(at_best, given, begins, len(who)),
        }
    )
    dropout = np.concatenate([part[3] for part in parts])[order]
    return Simulated(rows, dropout, column("hazard").astype(float))


def _ratings_said(
    who: NDArray[np.int64], rating: Reals, given: NDArray[np.bool_], episodes: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Per given rating: whether a rupture stands open or unrepaired, whether it is the third best possible in a row."""
    lengths = np.bincount(who[given], minlength=episodes)
    state = judge(rating[given].round(9), lengths[lengths > 0], np.full(int((lengths > 0).sum()), SEM))
    standing = state["state"].is_in(["open", "unrepaired"]).to_numpy() & ~state["back"].to_numpy()
    best = rating[given] >= 1 - 1e-9
    run = best.copy()
    for back in range(1, CEILING):
        same = np.concatenate([np.zeros(back, dtype=bool), who[given][back:] == who[given][:-back]])
        run &= same & np.concatenate([np.zeros(back, dtype=bool), best[:-back]])
    return standing, run


def _carried(
    said: NDArray[np.bool_], given: NDArray[np.bool_], begins: NDArray[np.int64], count: int
) -> NDArray[np.bool_]:
    """The latest given rating's word at every session of the same episode; false before the first."""
    place = np.full(count, -1)
    place[given] = np.arange(int(given.sum()))
    latest = np.maximum.accumulate(place)
    first = np.maximum.accumulate(np.where(np.isin(np.arange(count), begins), np.arange(count), 0))
    before = np.concatenate([[-1], latest])[first]
    known = latest > before
    return known & said[np.maximum(latest, 0)]
