"""The four measures of closed episodes in words. They are never merged into one (science 6.1)."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.ui.words import MISSING


@dataclass(frozen=True)
class Measure:
    """``name`` on screen, what ``of`` it counts, ``better`` which way is hoped for, whether it is a share of episodes."""

    name: str
    of: str
    better: str
    is_share: bool = True

    def value(self, number: float | None, n: int) -> str:
        """As a share in whole percent, from ten episodes on; in standard deviations with one decimal and sign."""
        if number is None:
            return MISSING
        if self.is_share:
            return f"{round(100 * number)} %" if n >= 10 else f"{round(number * n)} of {n}"
        return f"{number:+.1f}".replace("-", "−")


MEASURES = {
    "dropout": Measure(
        "Ended without a planned ending", "episodes whose ending is known", "fewer is better for clients"
    ),
    "reliable_improvement": Measure(
        "Reliable improvement", "ended episodes with two scores", "more is better for clients"
    ),
    "reliable_worsening": Measure(
        "Reliable worsening", "ended episodes with two scores", "fewer is better for clients"
    ),
    "outcome": Measure(
        "Gain on the questionnaire", "ended episodes with two scores", "more is better for clients", is_share=False
    ),
}
CAVEAT = (
    "Differences between clinicians also reflect who is referred to them and chance: more than nine tenths of what differs "
    "between episodes is not the clinician (Johns 2019: 5 %)."
)
