"""A hidden bond that wanders, breaks and mends; ratings are its noisy shadow, and clients miss sessions because of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.simulators.practice import People, Session


class WanderingBond:
    """Bond in its own units; rate (complementary log-log) rises with its shortfall, more so early on."""

    clinician_sd = 0.4

    def __init__(self, draw: np.random.Generator, people: People) -> None:
        count = len(people.clinician)
        self.draw, self.people = draw, people
        warmth = draw.normal(0, 0.15, len(people.clinician_effect))
        self.home = draw.normal(0, 0.8, count) + warmth[people.clinician]
        self.bond = self.home + draw.normal(0, 0.4, count)
        self.broken = np.zeros(count, dtype=bool)
        self.frailty = draw.normal(0, 0.7, count)
        self.answers = draw.beta(7, 3, count)

    def session(self, number: int, going: NDArray[np.int64]) -> Session:
        """The bond drifts towards home, breaks by 1.6 with chance .035 and mends with chance .3."""
        draw, people, count = self.draw, self.people, len(going)
        before = self.bond[going]
        if number > 1:
            drift = 0.12 * (self.home[going] + 0.03 * number - before) + draw.normal(0, 0.28, count)
            breaks = ~self.broken[going] & (draw.random(count) < 0.035)
            mends = self.broken[going] & (draw.random(count) < 0.3)
            self.bond[going] = before + drift - 1.6 * breaks + 1.4 * mends
            self.broken[going] = (self.broken[going] | breaks) & ~mends
        bond = self.bond[going]
        shadow = 1 / (1 + np.exp(-(1.1 + 0.75 * bond + draw.normal(0, 0.35, count))))
        rating = np.round(shadow * 36) / 36
        missed = (draw.random(count) < 1 / (1 + np.exp(2.5 + 0.25 * bond))).astype(int) * (number > 1)
        late = (draw.random(count) < 0.05).astype(int) * (number > 1)
        worse = draw.random(count) < 1 / (1 + np.exp(3.0 + 0.4 * bond)) * (number > 1)
        shortfall = np.log1p(np.exp(1.8 * (0.2 - bond))) / 1.8
        early = 1 + 0.25 * np.exp(-number / 5)
        log_rate = (
            -4.2
            - 0.22 * np.log(number)
            + 0.12 * np.abs(np.sin(number / 3))
            + 0.72 * early * shortfall
            - 0.35 * (bond - before) * (number > 1)
            + 0.50 * (missed > 0)
            + 0.25 * late
            + 0.25 * worse
            + 0.40 * people.preference_unmet[going]
            + 0.15 * people.trainee[going]
            + people.clinician_effect[people.clinician[going]]
        )
        given = draw.random(count) < self.answers[going]
        return Session(
            rating,
            given,
            missed,
            late,
            worse,
            1 - np.exp(-np.exp(log_rate)),
            1 - np.exp(-np.exp(log_rate + self.frailty[going])),
        )
