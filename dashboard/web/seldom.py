"""Telling of refusals without letting whoever is refused fill the log."""

from __future__ import annotations

import time
from enum import StrEnum

EVERY_SECONDS = 10  # project default: one line for each reason in so many seconds, with how many there were


class Seldom:
    """Counts by reason, and says when it is time to tell of one again."""

    def __init__(self) -> None:
        """Nothing has been told of."""
        self._told_at: dict[StrEnum, float] = {}
        self._since: dict[StrEnum, int] = {}

    def due(self, why: StrEnum) -> int | None:
        """How often it has happened since it was last told of, this time included; null where that was a moment ago."""
        self._since[why] = self._since.get(why, 0) + 1
        now = time.monotonic()
        if why in self._told_at and now - self._told_at[why] < EVERY_SECONDS:
            return None
        self._told_at[why] = now
        return self._since.pop(why)
