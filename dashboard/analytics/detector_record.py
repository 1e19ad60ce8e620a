"""How well possible ruptures are found: measured figures of the shipped detector and its rivals, as data for a reader.

Measured on simulated series with known falls, because no practice knows when its ruptures were; a test measures a small sample
again and fails where these figures no longer hold. Change the detector, run ``COMMAND`` and copy what it prints.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Measured:
    """One rule. ``found``: percent of rated falls found within one rated session of being complete.

    ``found_after_three``: of those before which the client had rated three times. ``false_per_100``: false alarms per 100
    rated sessions outside falls; ``worst_false_per_100``: in the worst of the four kinds of series. ``precision``: percent of
    alarms that were true.
    """

    name: str
    found: float
    found_after_three: float
    false_per_100: float
    worst_false_per_100: float
    precision: float


MEASURED_ON = date(2026, 11, 25)
COMMAND = "python -m tests.contests rupture"

SHIPPED = Measured("This dashboard's rule", 55.8, 65.9, 0.75, 0.95, 59.7)

# Each with the threshold at which its worst kind of series has at most one false alarm per 100.
AT_EQUAL_RATE = (
    Measured("Fell by so many points since the last rating (5.9 of 40)", 41.4, 41.5, 0.72, 0.96, 54.1),
    Measured("Below one value for everyone (23 of 40)", 11.0, 11.0, 0.26, 0.79, 67.1),
    Measured("Fell by so many points below the client's own level (4.7 of 40)", 53.9, 62.2, 0.71, 0.96, 60.5),
    Measured(
        "Twice the spread or below the individuals chart, limits widened (science 4.4)", 45.9, 54.2, 0.78, 0.97, 54.4
    ),
)
AS_OTHERS_USE_THEM = (
    Measured("Fell by 1 point since the last rating", 71.7, 71.1, 21.67, 25.41, 6.3),
    Measured("Below 36 of 40", 35.6, 35.5, 13.19, 15.92, 5.7),
)
# The one assumption that matters: how far a client's ratings scatter from session to session (5 % of the scale).
WHERE_RATINGS_SCATTER_MORE = Measured("This dashboard's rule, scatter half as much again", 64.9, 76.3, 1.95, 2.09, 40.0)

SERIES = (
    "Invented clients on the Session Rating Scale (0-40), about ten ratings each, 30 % of ratings missing, one client in four "
    "with one fall of 3-9 points (rate: Larsson 2018). Four kinds: independent noise (SD 1-2.5 points) with falls of 1-3 "
    "sessions; noise that carries over and a slow drift; levels near the top of the scale with very different scatter and "
    "slow leaks over three sessions; heavy tails, whole points and fewer ratings during a fall. Every rule's limit was set, on "
    "other series than these figures come from, so that no kind has more than one false alarm per 100 rated sessions."
)
LIMITS = (
    "Simulated ratings, not real ones: about two alarms in five were false, and more than two rated falls in five were missed. "
    "Falls before a client's fourth rating cannot be found. Where a client's ratings scatter half as much again as assumed, "
    "false alarms rise to about 2 per 100 rated sessions. Falls that no rating shows are never found."
)
