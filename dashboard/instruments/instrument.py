"""What is known about one questionnaire: its scale, its direction, its cut-off and its measurement error. Data only."""

from __future__ import annotations

from math import sqrt

from pydantic import BaseModel, ConfigDict, Field

Z_RELIABLE = 1.96  # Jacobson & Truax 1991
UNKNOWN_SEM = 0.05  # science 4.4: spread floor on the 0-1 scale where an instrument's error is not known


class Instrument(BaseModel):
    """One instrument. ``kind`` outcome or alliance; ``better`` the direction of improvement; ranges in its own points.

    ``cutoff``: a score exactly at it is on the clinical side. ``reliable_change``: a published threshold, a change of at
    least that many points counts; without one, Jacobson-Truax from ``reliability`` and ``sd_clinical`` (strictly more than
    1.96 standard errors of a difference). Null means not published: no category is then shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    name: str
    kind: str
    domain: str = ""
    rater: str = "client"
    minimum: float | None = None
    maximum: float | None = None
    better: str
    items: int | None = None
    item_minimum: float | None = None
    item_maximum: float | None = None
    scoring: str = "sum"
    reverse: tuple[int, ...] = ()
    subscales: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    subscale_ranges: dict[str, tuple[float, float]] = Field(default_factory=dict)
    prorate_missing: int = 0
    prorate_per_subscale: bool = False
    cutoff: float | None = None
    cutoff_note: str = ""
    reliable_change: float | None = None
    reliable_change_note: str = ""
    reliability: float | None = None
    reliability_note: str = ""
    sd_clinical: float | None = None
    mean_clinical: float | None = None
    mean_functional: float | None = None
    sd_functional: float | None = None
    severity_bands: str = ""
    risk_items: tuple[int, ...] = ()
    licence: str
    ship_item_text: bool = False
    note: str = ""
    verified: str = ""
    source: str
    reviewed_on: str = ""

    @property
    def usable(self) -> bool:
        """False where the response format is not published: the practice must define it in ``instruments.toml``."""
        return self.minimum is not None and self.maximum is not None

    @property
    def direction(self) -> int:
        """+1 where a higher score is better, -1 where a lower one is."""
        return 1 if self.better == "higher" else -1

    @property
    def rc_inclusive(self) -> bool:
        """True for a published threshold (a change of exactly that size counts), false for Jacobson-Truax."""
        return self.reliable_change is not None

    @property
    def reliable_threshold(self) -> float | None:
        """Points of change beyond measurement error; null where none is published and norms are missing."""
        if self.reliable_change is not None:
            return self.reliable_change
        if self.reliability is None or self.sd_clinical is None:
            return None
        return Z_RELIABLE * sqrt(2) * self.sd_clinical * sqrt(1 - self.reliability)

    @property
    def sem_01(self) -> float:
        """Standard error of measurement on the 0-1 scale: SD * sqrt(1 - r) over the range; 0.05 where not known."""
        if self.reliability is None or self.sd_clinical is None or not self.usable:
            return UNKNOWN_SEM
        return self.sd_clinical * sqrt(1 - self.reliability) / (float(self.maximum or 0) - float(self.minimum or 0))

    def range_of(self, scale: str) -> tuple[float, float] | None:
        """Lowest and highest value of a scale; null where this instrument has no such scale or no stated format."""
        if not self.usable:
            return None
        if scale == "total":
            return float(self.minimum or 0), float(self.maximum or 0)
        if scale in self.subscale_ranges:
            return self.subscale_ranges[scale]
        if scale in self.subscales and self.item_minimum is not None and self.item_maximum is not None:
            return self._scaled(len(self.subscales[scale]))
        if scale.startswith("item_") and self.items and self.item_minimum is not None and self.item_maximum is not None:
            number = scale[5:]
            if number.isdecimal() and not number.startswith("0") and 1 <= int(number) <= self.items:
                return self.item_minimum, self.item_maximum
        return None

    def _scaled(self, count: int) -> tuple[float, float]:
        low, high = float(self.item_minimum or 0), float(self.item_maximum or 0)
        if self.scoring == "mean":
            return low, high
        if self.scoring == "mean_x10":
            return low * 10, high * 10
        factor = {"sum_x4": 4, "sum_x2": 2}.get(self.scoring, 1)
        return low * count * factor, high * count * factor
