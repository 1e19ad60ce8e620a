"""Log-linear: the client's own level, today's distance from it, missed appointments and the number of the session add up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.simulators.practice import People, Session


def chance(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log odds as a probability."""
    return 1 / (1 + np.exp(-log_odds))


class LevelAndFall:
    """Level sd 0.12 around 0.72, autocorrelated wobble sd 0.08, error 0.07; missing at random; normal frailty."""

    clinician_sd = 0.45

    def __init__(self, draw: np.random.Generator, people: People) -> None:
        count = len(people.clinician)
        self.draw, self.people = draw, people
        self.level = 0.72 + draw.normal(0, 0.12, count)
        self.wobble = draw.normal(0, 0.08, count)
        self.frailty = draw.normal(0, 0.6, count)
        self.unreliable = draw.normal(0, 0.7, count)

    def session(self, number: int, going: NDArray[np.int64]) -> Session:
        """Everything enters the log odds as a straight line."""
        draw, people, count = self.draw, self.people, len(going)
        if number > 1:
            self.wobble[going] = 0.5 * self.wobble[going] + draw.normal(0, 0.08 * np.sqrt(0.75), count)
        shown = self.level[going] + self.wobble[going] + draw.normal(0, 0.07, count)
        rating = np.clip(np.round(shown * 48) / 48, 0, 1)
        missed = draw.poisson(0.10 * np.exp(self.unreliable[going] - 0.245)) * (number > 1)
        late = (draw.random(count) < 0.05).astype(int) * (number > 1)
        worse = draw.random(count) < (0.06 if number > 1 else 0)
        log_odds = (
            -3.75
            - 0.40 * np.log(number)
            - 0.65 * (self.level[going] - 0.72) / 0.12
            - 0.45 * self.wobble[going] / 0.08
            + 0.75 * (missed > 0)
            + 0.35 * late
            + 0.35 * worse
            + 0.05 * people.severity[going]
            + 0.45 * people.preference_unmet[going]
            + 0.20 * people.trainee[going]
            + people.clinician_effect[people.clinician[going]]
        )
        given = draw.random(count) < 0.7
        return Session(rating, given, missed, late, worse, chance(log_odds), chance(log_odds + self.frailty[going]))
