"""How sure a share of a count is."""

from __future__ import annotations

from math import sqrt

Z95 = 1.959963984540054  # half the width of a 95 % interval in sd


def wilson(part: int, whole: int, z: float = Z95) -> tuple[float, float] | None:
    """The score interval of ``part`` of ``whole`` (Wilson 1927), within 0..1; null where nothing was counted."""
    if whole == 0:
        return None
    share, square = part / whole, z * z / whole
    middle = (share + square / 2) / (1 + square)
    half = z * sqrt(share * (1 - share) / whole + square / (4 * whole)) / (1 + square)
    low = 0.0 if part == 0 else max(0.0, middle - half)
    high = 1.0 if part == whole else min(1.0, middle + half)
    return low, high
