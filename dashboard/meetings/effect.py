"""Did discussing help? Change over the next four sessions of discussed against not-discussed flagged cases (science 8).

Where equal cases were drawn, those the draw put on the agenda are compared with those it left out in the same meeting,
stratum and caseload, whatever was then done (estimator 2: unbiased). Else discussed cases are matched with flagged ones
that were not (estimator 1). Beside both stands what regression to the mean alone would bring: E(next) = mu + rho (y - mu).
Never per clinician.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl

AHEAD = 4  # attended sessions
ENOUGH = 30  # science 8: matched pairs needed to display
CALIPER = 0.5  # science 8: SDs of the current score
CONTROLS = 2  # science 8: matched 1:2 without replacement
BANDS = (4, 8)  # project default: sessions 1 to 4, 5 to 8, later
DRAWS = 1000  # bootstrap samples, by client
SEED = 20_261_120

# One row per flagged case of a closed meeting, followed for AHEAD attended sessions. before, after: score in SDs of the
# questionnaire, higher better. band: of the session number then; family: of the first signal. drawn_in null: not drawn.
CASES = {
    "meeting_id": pl.Int64(),
    "client_id": pl.Int64(),
    "clinician_id": pl.Int64(),
    "instrument": pl.String(),
    "stratum": pl.String(),
    "drawn_in": pl.Boolean(),
    "discussed": pl.Boolean(),
    "family": pl.String(),
    "band": pl.Int64(),
    "before": pl.Float64(),
    "after": pl.Float64(),
}

PAIRS = {
    "pair": pl.Int64(),
    "client_id": pl.Int64(),
    "treated": pl.Boolean(),
    "before": pl.Float64(),
    "change": pl.Float64(),
    "weight": pl.Float64(),
}


@dataclass(frozen=True)
class Effect:
    """Mean changes in SDs, better positive. ``pairs`` under ENOUGH: nothing else is given.

    ``expected``: what regression to the mean alone would bring the discussed ones. ``low`` and ``high``: 95 % of the difference.
    """

    how: str
    pairs: int
    discussed: float | None = None
    others: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    expected: float | None = None

    @property
    def needed(self) -> int:
        """How many pairs are still missing."""
        return max(0, ENOUGH - self.pairs)


@dataclass(frozen=True)
class Regression:
    """How scores four sessions apart hang together in the practice, per questionnaire in SDs: mean and correlation."""

    mean: float
    rho: float

    def change(self, before: float) -> float:
        """What regression to the mean alone brings somebody with this score."""
        return (self.rho - 1) * (before - self.mean)


def regression(pairs: pl.DataFrame) -> Regression | None:
    """From all ``before`` and ``after`` four sessions apart (SDs), discussed or not; null under three."""
    if pairs.height < 3:
        return None
    before, after = pairs["before"].to_numpy(), pairs["after"].to_numpy()
    if before.std() == 0 or after.std() == 0:
        return None
    return Regression(float(before.mean()), float(np.corrcoef(before, after)[0, 1]))


def drawn_pairs(cases: pl.DataFrame) -> pl.DataFrame:
    """PAIRS: blocks of one meeting, stratum and caseload that the draw divided; within one every case had the same chance.

    A block of t drawn in and c left out counts as min(t, c) pairs.
    """
    drawn = cases.drop_nulls("drawn_in").with_columns(change=pl.col("after") - pl.col("before"))
    block = ["meeting_id", "stratum", "clinician_id"]
    sides = drawn.group_by(block).agg(t=pl.col("drawn_in").sum(), c=(~pl.col("drawn_in")).sum())
    both = sides.filter((pl.col("t") > 0) & (pl.col("c") > 0)).with_columns(
        size=pl.min_horizontal("t", "c"), pair=pl.struct(block).rank("dense").cast(pl.Int64)
    )
    return drawn.join(both, on=block).select(
        "pair",
        "client_id",
        treated="drawn_in",
        before="before",
        change="change",
        weight=pl.col("size") / pl.when("drawn_in").then(pl.col("t")).otherwise(pl.col("c")),
    )


def _distance(one: dict[str, Any], other: dict[str, Any]) -> tuple[bool, float]:
    return other["clinician_id"] != one["clinician_id"], abs(other["before"] - one["before"])


def matched_pairs(cases: pl.DataFrame) -> pl.DataFrame:
    """PAIRS: each discussed case with up to two flagged ones that were not, alike in signal, session band and score.

    Controls of the same clinician come first, then the nearest score; none is used twice.
    """
    rows = cases.sort(["meeting_id", "client_id"]).to_dicts()
    free = [row for row in rows if not row["discussed"]]
    found = []
    for pair, one in enumerate(row for row in rows if row["discussed"]):
        alike = [
            other
            for other in free
            if all(other[c] == one[c] for c in ("family", "band", "instrument"))
            and other["client_id"] != one["client_id"]
            and abs(other["before"] - one["before"]) <= CALIPER
        ]
        alike.sort(key=partial(_distance, one))
        chosen = alike[:CONTROLS]
        if not chosen:
            continue
        free = [other for other in free if other not in chosen]
        for row, treated in ((one, True), *((other, False) for other in chosen)):
            found.append(
                {
                    "pair": pair,
                    "client_id": row["client_id"],
                    "treated": treated,
                    "before": row["before"],
                    "change": row["after"] - row["before"],
                    "weight": 1.0 if treated else 1 / len(chosen),
                }
            )
    return pl.DataFrame(found, schema=PAIRS)


def _means(pairs: pl.DataFrame) -> tuple[float, float]:
    def side(treated: bool) -> float:
        own = pairs.filter(pl.col("treated") == treated)
        return float(np.average(own["change"].to_numpy(), weights=own["weight"].to_numpy()))

    return side(True), side(False)


def _interval(pairs: pl.DataFrame) -> tuple[float, float]:
    """95 % of the difference by resampling clients."""
    clients = pairs["client_id"].unique().sort().to_numpy()
    place = np.searchsorted(clients, pairs["client_id"].to_numpy())
    treated = pairs["treated"].to_numpy()
    change, weight = pairs["change"].to_numpy(), pairs["weight"].to_numpy()
    draw = np.random.default_rng(SEED)
    found = []
    for _ in range(DRAWS):
        times = np.bincount(draw.integers(0, len(clients), len(clients)), minlength=len(clients))[place] * weight
        t, c = times * treated, times * ~treated
        if t.sum() and c.sum():
            found.append((t @ change) / t.sum() - (c @ change) / c.sum())
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def effect(cases: pl.DataFrame, all_pairs: pl.DataFrame) -> Effect:
    """The drawn comparison where it has enough pairs, else the matched one, else how many pairs there are.

    ``cases``: CASES. ``all_pairs``: before and after of every episode of the practice four sessions apart.
    """
    drawn, matched = drawn_pairs(cases), matched_pairs(cases.filter(pl.col("discussed").is_not_null()))
    counts = {"drawn": round(float(drawn.filter("treated")["weight"].sum())), "matched": matched["pair"].n_unique()}
    how = "drawn" if counts["drawn"] >= ENOUGH else "matched" if counts["matched"] >= ENOUGH else ""
    if not how:
        best = max(counts, key=lambda key: counts[key])
        return Effect(best, counts[best])
    pairs = drawn if how == "drawn" else matched
    treated, others = _means(pairs)
    low, high = _interval(pairs)
    alone = regression(all_pairs)
    own = pairs.filter("treated")
    expected = (
        None
        if alone is None
        else float(np.average([alone.change(one) for one in own["before"]], weights=own["weight"].to_numpy()))
    )
    return Effect(how, counts[how], treated, others, treated - others, low, high, expected)
