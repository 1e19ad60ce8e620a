"""Where an expected range starts before the practice has closed episodes of its own (science 3.3).

    E(t | y0) = end + (y0 - end) (1 + k ln t)        SD(t) = spread sqrt(ln t / ln 8), no wider after session 8

``end`` is the functional end of the scale (0 on the PHQ-9), so the same words serve scales on which higher is better.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from dashboard.instruments import BUILT_IN
from dashboard.instruments.instrument import Instrument

Reals = NDArray[np.float64]

COURSE_SESSIONS = 8  # NHS Talking Therapies 2022-23: start and end are about eight sessions apart

# Mean at the start, mean at the end, spread of the end score given the first one. Start and end: NHS Talking Therapies
# 2022-23 (PHQ-9 15.4 to 9.4, GAD-7 14 to 8.4). Spread: end SD (6.4, 5.7) * sqrt(1 - r^2) with r = .5 assumed, as
# science 3.3 rounds it.
PUBLISHED = {"phq9": (15.4, 9.4, 5.5), "gad7": (14.0, 8.4, 4.9)}

# Project defaults for every other instrument. A client at the stated mean gains over eight sessions what the PHQ-9's does,
# in SDs of the starting score or in proportion to the distance from the functional end, whichever is less (the GAD-7's,
# 5.6 / 4.5 and 5.6 / 14, are larger). The end score spreads as widely around its expectation as starting scores do (PHQ-9
# 5.5 and 5.5, GAD-7 4.9 and 4.5).
GAIN_IN_SD = 6.0 / 5.5
GAIN_OF_DISTANCE = 6.0 / 15.4
# Where not even a spread is published: a fifth of the scale (PHQ-9 .20, GAD-7 .21, CORE-10 .19).
SPREAD_OF_SCALE = 0.2


@dataclass(frozen=True)
class Prior:
    """A starting range. ``basis``: published, stated (from the instrument's own mean and SD) or scale (from its width only).

    ``k`` proportion of the distance to ``end`` gained per ln session, 0 or negative; ``spread`` and ``least`` (never
    narrower than the error of a difference between two scores, where known) in points.
    """

    basis: str
    end: float
    k: float
    spread: float
    least: float = 0.0

    def mean(self, baseline: Reals, session: Reals) -> Reals:
        """Expected score in points; at session 1 the first score itself, never past the functional end."""
        return np.asarray(self.end + (baseline - self.end) * np.maximum(1 + self.k * np.log(session), 0.0))

    def sd(self, session: Reals) -> Reals:
        """Spread in points of typical clients around it."""
        grown = self.spread * np.sqrt(np.minimum(np.log(session) / log(COURSE_SESSIONS), 1.0))
        return np.asarray(np.maximum(grown, self.least))


def prior_for(instrument: Instrument) -> Prior | None:
    """The starting range of an outcome measure; null for alliance measures and where the scale itself is not known.

    PHQ-9 and GAD-7: published. An instrument with a stated SD: that SD, and from its stated mean the PHQ-9's gain, for other
    first scores in proportion to their distance from the functional end; without a stated mean no improvement is
    assumed. With neither: a fifth of the scale as spread and no improvement; too little to judge a client by, see
    ``RangeModel.usable``, but enough to steady what the practice's first episodes say.
    """
    if instrument.kind != "outcome" or not instrument.usable:
        return None
    low, high = float(instrument.minimum or 0), float(instrument.maximum or 0)
    end = high if instrument.direction > 0 else low
    if instrument.key in PUBLISHED and _as_published(instrument):
        start, finish, spread = PUBLISHED[instrument.key]
        return Prior("published", end, (finish - start) / start / log(COURSE_SESSIONS), spread)
    if instrument.sd_clinical is None:
        return Prior("scale", end, 0.0, SPREAD_OF_SCALE * (high - low))
    sd = instrument.sd_clinical
    least = sd * sqrt(2 * (1 - instrument.reliability)) if instrument.reliability is not None else 0.0
    distance = abs(instrument.mean_clinical - end) if instrument.mean_clinical is not None else 0.0
    gain = min(GAIN_IN_SD * sd, GAIN_OF_DISTANCE * distance)
    k = -gain / distance / log(COURSE_SESSIONS) if distance > 0 else 0.0
    return Prior("stated", end, k, sd, least)


def _as_published(instrument: Instrument) -> bool:
    """False where a practice's own definition took the key for something on another scale."""
    known = BUILT_IN[instrument.key]
    return (instrument.minimum, instrument.maximum, instrument.better) == (known.minimum, known.maximum, known.better)
