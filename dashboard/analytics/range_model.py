"""An expected range as fitted on one day: frozen, stored as plain JSON, its version made from its content."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.growth import Growth
from dashboard.analytics.range_calibration import BANDS, UNCALIBRATED, Lines, lines_at, third_of
from dashboard.analytics.range_prior import Prior

Reals = NDArray[np.float64]

PRIOR_WEIGHT = 200.0  # science 3.3: local weight n / (n + 200)
FROM_SCALE_ONLY = (
    20  # project default, the contract's count for a refit: closed episodes before a range without norms shows
)
NO_LINES: tuple[tuple[Lines, ...], ...] = ((UNCALIBRATED,) * (len(BANDS) + 1),)


@dataclass(frozen=True)
class RangeModel:
    """The expected range of one instrument.

    ``n``: closed episodes with three or more scores behind ``local`` (null with none). ``cuts``: upper edges of the lower and
    middle third of first scores; ``lines``: per third and session band the lower line, middle and upper line in SDs.
    """

    instrument: str
    direction: int
    prior: Prior
    n: int = 0
    local: Growth | None = None
    cuts: tuple[float, ...] = ()
    lines: tuple[tuple[Lines, ...], ...] = NO_LINES

    @property
    def weight(self) -> float:
        """Share of the practice's own course in the range."""
        return self.n / (self.n + PRIOR_WEIGHT)

    @property
    def usable(self) -> bool:
        """False where only the width of the scale is known and the practice has too few closed episodes to add to it."""
        return self.prior.basis != "scale" or self.n >= FROM_SCALE_ONLY

    @cached_property
    def version(self) -> str:
        """Twelve hexadecimal digits of the content: equal models have equal versions, on any machine and day."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:12]

    def blended(self, baseline: Reals, session: Reals) -> tuple[Reals, Reals]:
        """Middle and SD in points before calibration, sessions from the second on."""
        middle, spread = self.prior.mean(baseline, session), self.prior.sd(session)
        if self.local is None:
            return middle, spread
        w = self.weight
        return (
            w * self.local.mean(baseline, session) + (1 - w) * middle,
            w * self.local.sd(session) + (1 - w) * spread,
        )

    def limits(self, baseline: Reals, session: Reals) -> tuple[Reals, Reals, Reals]:
        """Lower limit, middle and upper limit in points, unrounded and not cut at the ends of the scale."""
        middle, spread = self.blended(baseline, session)
        z = lines_at(self.lines, third_of(baseline, self.cuts), session)
        return middle + z[:, 0] * spread, middle + z[:, 1] * spread, middle + z[:, 2] * spread

    def to_dict(self) -> dict[str, Any]:
        """The model as plain JSON values."""
        return dict(json.loads(json.dumps(asdict(self))))

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> RangeModel:
        """The model that ``to_dict`` gave."""
        return cls(
            instrument=stored["instrument"],
            direction=stored["direction"],
            prior=Prior(**stored["prior"]),
            n=stored["n"],
            local=Growth(**stored["local"]) if stored["local"] else None,
            cuts=tuple(stored["cuts"]),
            lines=tuple(tuple((low, mid, high) for low, mid, high in third) for third in stored["lines"]),
        )
