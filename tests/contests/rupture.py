"""Which rule finds most known falls at the same false-alarm rate: ``python -m tests.contests rupture``, about a minute.

An *alarm* begins where a rating is called major and the one before was not. It finds a fall if it begins in the fall's window,
at the latest one rated session after the fall is complete; an alarm that already stood says nothing new. It is *false* if it
begins outside every window. Rate: false alarms per 100 rated sessions outside falls, the first ratings of a client included.
Falls of which no session was rated are left out; those before a client's fourth rating count (as missed), and again without.

Every threshold is set on training seeds so that the *worst* of the four forms has at most 1 false alarm in 100; the figures
are from other seeds. "per form": found where each form may have a threshold of its own with exactly that rate; no practice could
set it so, but it is the kindest comparison for a rule whose rate differs by form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.instruments.instrument import UNKNOWN_SEM
from tests.contests.fall_candidates import (
    CANDIDATES,
    Candidate,
    Marks,
    at_or_below,
    fell_since_last,
    shipped,
)
from tests.simulators.alliance import FORMS, TOP, Rated, simulate

TRAINING, HELD_OUT = (11, 12), (101, 102, 103)
CLIENTS = 4000
MOST_FALSE = 1.0
REFERENCE_MINIMUM = 3

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """``found``: share of rated falls found in time; ``found_known``: of those with three earlier ratings.

    ``false_per_100`` rated sessions outside falls; ``precision``: found falls among found falls and false alarms.
    """

    found: float
    found_known: float
    false_per_100: float
    precision: float


Sample = list[tuple[Reals, Rated]]


def side_by_side(rated: Rated) -> Reals:
    """One row per series, NaN after its last rating."""
    series = np.full((len(rated.lengths), int(rated.lengths.max())), np.nan)
    series[np.arange(series.shape[1]) < rated.lengths[:, None]] = rated.ratings
    return series


def score(marks: Marks, rated: Rated) -> Score:
    """How marks of major falls meet the known falls."""
    begins = marks.copy()
    begins[:, 1:] &= ~marks[:, :-1]
    place = np.arange(marks.shape[1])
    has = rated.start >= 0
    window = has[:, None] & (place >= rated.start[:, None]) & (place <= rated.end[:, None])
    in_time = (begins & window & (place <= rated.due[:, None] + 1)).any(axis=1)
    outside = (place < rated.lengths[:, None]) & ~window
    known = rated.start >= REFERENCE_MINIMUM
    false, found = int((begins & outside).sum()), int(in_time.sum())
    return Score(
        found / int(has.sum()),
        int((in_time & known).sum()) / int(known.sum()),
        100 * false / int(outside.sum()),
        found / max(1, found + false),
    )


def samples(seeds: tuple[int, ...], clients: int = CLIENTS) -> dict[str, Sample]:
    """Series of each form, one set per seed."""
    drawn = {form: [simulate(form, seed, clients) for seed in seeds] for form in FORMS}
    return {form: [(side_by_side(rated), rated) for rated in sets] for form, sets in drawn.items()}


def mean_score(candidate: Candidate, threshold: float, sets: Sample) -> Score:
    """The mean over the sets of one form."""
    scores = [score(candidate.marks(series, threshold), rated) for series, rated in sets]
    return Score(*np.mean([[s.found, s.found_known, s.false_per_100, s.precision] for s in scores], axis=0).tolist())


def calibrated(candidate: Candidate, training: dict[str, Sample], steps: int = 10) -> float:
    """The threshold with most alarms at which no form has more than MOST_FALSE false ones."""
    low, high = candidate.low, candidate.high
    for _ in range(steps):
        middle = (low + high) / 2
        worst = max(mean_score(candidate, middle, sets).false_per_100 for sets in training.values())
        if (worst > MOST_FALSE) == candidate.rising:
            low = middle
        else:
            high = middle
    return high if candidate.rising else low


def _fixed(name: str, marks: Marks | object) -> Candidate:
    return Candidate(name, marks, 0.0, 0.0)  # type: ignore[arg-type]


AS_USED = (
    _fixed("SHIPPED (rupture.judge)", lambda series, _: shipped(series)),
    _fixed("fell by 1 point, as others use it", lambda series, _: fell_since_last(series, 1 / TOP)),
    _fixed("below 36, as others use it", lambda series, _: at_or_below(series, 35.9 / TOP)),
    _fixed("SHIPPED, scatter half as much again as assumed", lambda series, _: shipped(series, UNKNOWN_SEM / 1.5)),
)


def _line(name: str, threshold: str, by_form: list[Score], per_form: float | None = None) -> str:
    def column(field: str, digits: int, percent: int = 1) -> str:
        values = [getattr(one, field) * percent for one in by_form]
        return f"{np.mean(values):6.{digits}f} (" + " ".join(f"{value:.{digits}f}" for value in values) + ")"

    return (
        f"{name:47}{threshold:>7}  {column('found', 1, 100):29}{column('found_known', 1, 100):29}"
        f"{column('false_per_100', 2):31}{column('precision', 1, 100):31}"
        + ("" if per_form is None else f"{100 * per_form:.1f}")
    )


def run() -> None:
    """Prints one line per rule: mean over the forms, and (white drift ceiling heavy)."""
    training, held_out = samples(TRAINING), samples(HELD_OUT)

    def scores(one: Candidate, threshold: float) -> list[Score]:
        return [mean_score(one, threshold, sets) for sets in held_out.values()]

    def per_form(one: Candidate) -> float:
        own = {form: calibrated(one, {form: training[form]}) for form in FORMS}
        return float(np.mean([mean_score(one, own[form], held_out[form]).found for form in FORMS]))

    print(f"{'rule (forms: ' + ', '.join(FORMS) + ')':47}{'at':>7}  {'% found':29}{'% with 3 before':29}", end="")
    print(f"{'false per 100':31}{'precision %':31}% found, per form")
    for one in CANDIDATES:
        threshold = calibrated(one, training)
        print(_line(one.name, f"{threshold:.3f}", scores(one, threshold), per_form(one)))
    for one in AS_USED:
        print(_line(one.name, "", scores(one, 0.0)))
