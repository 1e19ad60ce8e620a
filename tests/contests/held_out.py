"""Held out: invented practices written before any change was tried on them, to tell an improvement from a fit to the frozen ones.

Nothing may be chosen by what they say; they only confirm or refuse what was argued from a source or a principle. None has the
form of the frozen worlds: here commitment fades and takes ratings and appointments with it, half of a rating's level is the
client's way of answering, and risks add up instead of multiplying.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.simulators.level_and_fall import chance
from tests.simulators.practice import People, Session


class FadingCommitment:
    """Commitment falls by steps; unanswered forms and missed sessions follow from it, and so does the alliance, loosely."""

    clinician_sd = 0.35

    def __init__(self, draw: np.random.Generator, people: People) -> None:
        count = len(people.clinician)
        self.draw, self.people = draw, people
        self.commitment = draw.normal(0, 1, count) - 0.15 * people.preference_unmet
        self.taste = draw.normal(0, 0.10, count)
        self.frailty = draw.normal(0, 0.6, count)

    def session(self, number: int, going: NDArray[np.int64]) -> Session:
        """The hazard falls until the sixth session and rises with tiredness from the tenth."""
        draw, people, count = self.draw, self.people, len(going)
        if number > 1:
            self.commitment[going] += draw.normal(0, 0.22, count) - (draw.random(count) < 0.05) * 1.2
            self.commitment[going] += 0.10 * (0.3 - self.commitment[going])
        here = self.commitment[going]
        rating = 0.77 + self.taste[going] + 0.09 * np.tanh(0.8 * here) + draw.normal(0, 0.06, count)
        missed = draw.poisson(0.12 * np.exp(-0.5 * here)) * (number > 1)
        late = draw.poisson(0.05 * np.exp(-0.3 * here)) * (number > 1)
        worse = draw.random(count) < (0.05 if number > 1 else 0)
        log_odds = (
            -4.35
            + 0.35 * max(0, 5 - number) / 4
            + 0.08 * max(0, number - 10)
            - 0.85 * here
            + 0.40 * (missed > 0)
            + 0.20 * (late > 0)
            + 0.20 * worse
            + 0.10 * people.severity[going]
            + 0.35 * people.preference_unmet[going]
            + 0.25 * people.trainee[going]
            + people.clinician_effect[people.clinician[going]]
        )
        return Session(
            np.clip(np.round(rating * 48) / 48, 0, 1),
            draw.random(count) < chance(1.0 + 0.8 * here),
            missed,
            late,
            worse,
            chance(log_odds),
            chance(log_odds + self.frailty[going]),
        )


class WaysOfAnswering:
    """Half of a rating's level is a way of answering and says nothing; three clients in ten come to try and soon stop."""

    clinician_sd = 0.45

    def __init__(self, draw: np.random.Generator, people: People) -> None:
        count = len(people.clinician)
        self.draw, self.people = draw, people
        self.style = draw.normal(0, 0.08, count)
        self.bond = 0.09 * draw.standard_t(5, count) / np.sqrt(5 / 3)
        self.passing = np.zeros(count)
        self.trying = draw.random(count) < 0.3
        self.careless = draw.gamma(1.0, 0.10, count)

    def session(self, number: int, going: NDArray[np.int64]) -> Session:
        """Who tries leaves within four sessions or stays; the others leave after what is worse than usual for them."""
        draw, people, count = self.draw, self.people, len(going)
        self.passing[going] = 0.4 * self.passing[going] + draw.normal(0, 0.055, count) * (number > 1)
        bond, passing = self.bond[going], self.passing[going]
        rating = 0.74 + self.style[going] + bond + passing + draw.normal(0, 0.05, count)
        missed = (draw.random(count) < self.careless[going]).astype(int) * (number > 1)
        late = (draw.random(count) < 0.04).astype(int) * (number > 1)
        worse = draw.random(count) < (0.04 if number > 1 else 0)
        log_rate = (
            -4.35
            + 1.1 * self.trying[going] * (number <= 4)
            - 8.0 * bond
            - 9.0 * np.minimum(passing, 0.02)
            + 0.85 * (missed > 0)
            + 0.30 * late
            + 0.10 * worse
            + 0.20 * people.severity[going]
            + 0.60 * people.preference_unmet[going]
            + 0.10 * people.trainee[going]
            + people.clinician_effect[people.clinician[going]]
        )
        # trying cannot be seen from outside and stays part of what is true: it limits everyone alike
        hazard = 1 - np.exp(-np.exp(np.minimum(log_rate, 0.5)))
        given = draw.random(count) < 0.75
        return Session(np.clip(np.round(rating * 28) / 28, 0, 1), given, missed, late, worse, hazard, hazard)


class AddingRisks:
    """Additive risks: a little for everyone, more for a shortfall of the alliance, after a missed session, while worse."""

    clinician_sd = 0.5

    def __init__(self, draw: np.random.Generator, people: People) -> None:
        count = len(people.clinician)
        self.draw, self.people = draw, people
        warmth = draw.normal(0, 0.05, len(people.clinician_effect))
        self.level = 0.76 + warmth[people.clinician] + draw.normal(0, 0.09, count)
        self.rift = np.zeros(count)
        self.worse = np.zeros(count, dtype=bool)
        self.often = draw.random(count) < 0.25

    def session(self, number: int, going: NDArray[np.int64]) -> Session:
        """A rift takes a fifth of the scale and closes by a third a session; clients with one answer as others do."""
        draw, people, count = self.draw, self.people, len(going)
        new = (draw.random(count) < 0.05) * (number > 1)
        self.rift[going] = 0.67 * self.rift[going] + 0.20 * new
        self.worse[going] = np.where(self.worse[going], draw.random(count) < 0.8, draw.random(count) < 0.02)
        alliance = self.level[going] - self.rift[going]
        rating = np.clip(np.round((alliance + draw.normal(0, 0.06, count)) * 36) / 36, 0, 1)
        missed = draw.poisson(np.where(self.often[going], 0.25, 0.05)) * (number > 1)
        late = (draw.random(count) < 0.05).astype(int) * (number > 1)
        worse = self.worse[going] & (number > 1)
        risk = (
            0.008
            + 0.012 * np.exp(-(number - 1) / 3)
            + 0.20 * np.maximum(0.74 - alliance, 0)
            + 0.035 * (missed > 0)
            + 0.010 * late
            + 0.012 * worse
            + 0.010 * people.preference_unmet[going]
            + 0.003 * people.trainee[going]
        )
        hazard = np.clip(risk * np.exp(people.clinician_effect[people.clinician[going]]), 0, 0.6)
        return Session(rating, draw.random(count) < 0.7, missed, late, worse, hazard, hazard)


HELD_OUT = {
    "fading commitment": FadingCommitment,
    "ways of answering": WaysOfAnswering,
    "adding risks": AddingRisks,
}
