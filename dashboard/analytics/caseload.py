"""What each clinician carries on a day: counts, and how many may end without agreement in the next round of sessions.

No validated weight for the complexity of a caseload exists (science 8), so there is none here, and no order by load.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboard.analytics.completeness import RECENT_DAYS

INSIDE = 0.80  # as the retention page: its intervals for open episodes hold 80 %

# silent: open, but without a session for longer than the practice's limit; no part of active. judged: active, with enough data
# for off track. off_track, unmeasured: of judged, of active. estimated: active with a chance for the next session; expected:
# their sum, null without any; low and high: see ``expected_endings``.
CASELOADS = {
    "clinician_id": pl.Int64(),
    "active": pl.Int64(),
    "silent": pl.Int64(),
    "judged": pl.Int64(),
    "off_track": pl.Int64(),
    "unmeasured": pl.Int64(),
    "estimated": pl.Int64(),
    "expected": pl.Float64(),
    "low": pl.Int64(),
    "high": pl.Int64(),
}


@dataclass(frozen=True)
class Expected:
    """A sum of independent chances: its mean, and the counts between which at least INSIDE of it lies."""

    mean: float
    low: int
    high: int


def expected_endings(chances: NDArray[np.float64]) -> Expected | None:
    """How many of these may end without agreement, each with its own chance; null for none.

    The count is Poisson-binomial: its exact distribution comes from convolving the chances one by one (Hong 2013), and low and
    high are its 10th and 90th percentile. It holds the luck of who leaves, not the doubt about the chances themselves, and takes
    episodes as independent of each other.
    """
    if not len(chances):
        return None
    odds = np.ones(1)
    for chance in np.sort(chances):
        odds = np.convolve(odds, [1 - chance, chance])
    reached = np.cumsum(odds)
    tail = (1 - INSIDE) / 2
    low, high = (int(np.searchsorted(reached, level - 1e-12)) for level in (tail, 1 - tail))
    return Expected(float(chances.sum()), low, min(high, len(chances)))


def caseloads(states: pl.DataFrame, clinician_ids: list[int], as_of: date) -> pl.DataFrame:
    """One row per clinician asked for, in that order (CASELOADS); noughts for somebody without an open episode.

    ``states``: open episodes with clinician_id, dropout, on_track, latest_on and dropout_next_session.
    """
    recent = as_of - timedelta(days=RECENT_DAYS)
    rows = []
    for one in clinician_ids:
        own = states.filter(pl.col("clinician_id") == one)
        silent = pl.col("dropout").fill_null(False)
        active = own.filter(~silent)
        said = active["dropout_next_session"].drop_nulls()
        sum_of = expected_endings(said.to_numpy())
        judged = active.filter(pl.col("on_track").is_in(["on_track", "not_on_track"]))
        rows.append(
            {
                "clinician_id": one,
                "active": active.height,
                "silent": own.height - active.height,
                "judged": judged.height,
                "off_track": judged.filter(pl.col("on_track") == "not_on_track").height,
                "unmeasured": active.height - active.filter(pl.col("latest_on") >= recent).height,
                "estimated": len(said),
                "expected": sum_of.mean if sum_of else None,
                "low": sum_of.low if sum_of else None,
                "high": sum_of.high if sum_of else None,
            }
        )
    return pl.DataFrame(rows, schema=CASELOADS, orient="row")
