"""Since we last met: what is new, what has cleared, who ended, who was measured for the first time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl


@dataclass(frozen=True)
class Since:
    """What changed after a day. ``raised`` and ``cleared``: flag rows; ``ended`` and ``measured``: state rows."""

    raised: pl.DataFrame
    cleared: pl.DataFrame
    ended: pl.DataFrame
    measured: pl.DataFrame

    @property
    def is_empty(self) -> bool:
        """Nothing changed."""
        return all(one.is_empty() for one in (self.raised, self.cleared, self.ended, self.measured))


def since(flags: pl.DataFrame, states: pl.DataFrame, last_met: date) -> Since:
    """Changes after ``last_met``; what was known on that day was there to be talked about.

    ``flags``: signal, family, raised_on, cleared_on of standing and cleared flags. ``states``: closed_on, baseline_on of open
    and closed episodes. A signal raised and cleared in between counts as neither. Safety items are listed apart.
    """
    counted = flags.filter(pl.col("family") != "safety")
    new = pl.col("raised_on") > last_met
    return Since(
        counted.filter(new & pl.col("cleared_on").is_null()),
        counted.filter(~new & (pl.col("cleared_on") > last_met)),
        states.filter(pl.col("closed_on") > last_met),
        states.filter(pl.col("closed_on").is_null() & (pl.col("baseline_on") > last_met)),
    )
