"""Thresholds: a low alliance matters below a point only, falls are remembered, and both weigh more after a missed session."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.simulators.level_and_fall import chance
from tests.simulators.practice import People, Session


class ThresholdAndMemory:
    """Skewed levels, one client in twelve answers the maximum whatever happens, dips that heal; those below answer less."""

    clinician_sd = 0.33

    def __init__(self, draw: np.random.Generator, people: People) -> None:
        count = len(people.clinician)
        self.draw, self.people = draw, people
        self.level = 0.35 + 0.62 * draw.beta(3.2, 1.7, count)
        self.polite = draw.random(count) < 1 / 12
        self.dip = np.zeros(count)
        self.hurt = np.zeros(count)
        self.frailty = np.log(np.maximum(draw.gamma(2.5, 1 / 2.5, count), 1e-3))
        self.unreliable = draw.random(count) < 0.2

    def session(self, number: int, going: NDArray[np.int64]) -> Session:
        """A bump of leaving at sessions two to four, a second rise late; a step at 0.60; memory of falls."""
        draw, people, count = self.draw, self.people, len(going)
        fell = (draw.random(count) < 0.09) * (0.12 + draw.exponential(0.10, count)) * (number > 1)
        self.dip[going] = 0.6 * self.dip[going] + fell
        alliance = self.level[going] - self.dip[going]
        self.hurt[going] = 0.75 * self.hurt[going] + fell
        rating = np.clip(np.round((alliance + draw.normal(0, 0.04, count)) * 40) / 40, 0, 1)
        rating = np.where(self.polite[going], 1.0, rating)
        low = 1 / (1 + np.exp((alliance - 0.60) / 0.07))
        missed = draw.poisson(np.where(self.unreliable[going], 0.35, 0.07)) * (number > 1)
        late = (draw.random(count) < 0.06).astype(int) * (number > 1)
        worse = draw.random(count) < 0.03 + 0.06 * low
        log_odds = (
            -5.0
            + 1.05 * np.exp(-((number - 2.5) ** 2) / 3)
            + 0.30 * (number > 15)
            + 1.60 * low
            + 2.6 * np.minimum(self.hurt[going], 0.45)
            + 1.10 * (missed > 0)
            + 0.50 * low * (missed > 0)
            + 0.25 * late
            + 0.30 * worse
            + 0.50 * people.preference_unmet[going]
            + people.clinician_effect[people.clinician[going]]
        )
        given = draw.random(count) < np.where(low > 0.5, 0.58, 0.74)
        return Session(rating, given, missed, late, worse, chance(log_odds), chance(log_odds + self.frailty[going]))
