"""When episodes end, by session number: the share that left early, with the other ways to end as competing events.

A Kaplan-Meier curve that treats agreed endings as censored overstates leaving early, because a client whose work is done can
no longer leave. The cumulative incidence (Aalen & Johansen 1978; Kalbfleisch & Prentice 1980) adds up, session by session, the
share still coming times the share of those whose last session it was. Time is a count, so ties are the rule and the
discrete product-limit form is exact; nothing is drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboard.analytics.ending_rules import AS_AGREED, LEFT, NOT_KNOWN_YET, OTHERWISE
from dashboard.analytics.intervals import Z95

Reals = NDArray[np.float64]
CAUSES = (LEFT, AS_AGREED, OTHERWISE)
FEWEST_AT_RISK = 5  # design: the curve stops where fewer remain

COURSE: dict[str, pl.DataType] = {
    "session": pl.Int64(),
    "had": pl.Int64(),
    "not_known_yet": pl.Int64(),
    "at_risk": pl.Int64(),
    **{name: pl.Int64() for name in CAUSES},
    **{f"share_{name}": pl.Float64() for name in CAUSES},
    **{f"{edge}_{name}": pl.Float64() for name in CAUSES for edge in ("low", "high")},
}


@dataclass(frozen=True)
class Course:
    """``table`` (COURSE), one row per session from the first on; ``episodes`` counted; ``drawn``: rows a curve may show."""

    table: pl.DataFrame
    episodes: int

    @property
    def drawn(self) -> pl.DataFrame:
        """The sessions before the first with fewer than FEWEST_AT_RISK at risk."""
        few = (pl.col("at_risk") < FEWEST_AT_RISK).cast(pl.Int64).cum_sum()
        return self.table.filter(few == 0)

    @property
    def ended(self) -> int:
        """Episodes whose ending is known."""
        return int(sum(self.table[name].sum() for name in CAUSES))


def cumulative_incidence(episodes: pl.DataFrame) -> Course:
    """``episodes``: ``session`` (last attended, from 1) and ``outcome`` (ending_rules.OUTCOMES); rows with a null are left out.

    At each session: ``had`` it, of those ``not_known_yet`` (open, and nothing is known after it), ``at_risk`` the rest: it is
    known whether that session was the last one, and how it ended. An open episode is thus at risk up to the session before
    its latest one, and is neither an event nor a non-event at the latest, as in the dropout model (science 5.4).
    ``had`` of the next session is ``at_risk`` less those who ended.

    share_*: estimated share ended so by that session, in 0..1; the three and the share still coming add up to 1.
    low_*, high_*: pointwise 95 % limits. Variance: delta method on the multinomial endings of each session
    (Dinse & Larson 1986; Marubini & Valsecchi 1995, ch. 10), with S(t) the share still coming, h the hazards and n at risk:
    Var F_j(t) = sum over sessions i <= t of (1/n_i) [sum_k g_ik^2 h_ik - (sum_k g_ik h_ik)^2],
    g_ik = S(i-1) 1(k = j) - (F_j(t) - F_j(i)) / (1 - h_i). Without open episodes it is the binomial F(1 - F)/n exactly.
    Limits on the log(-log) scale, so that they stay within 0..1 (Choudhury 2002); null before the first ending of the kind.

    No episode: no row. One open episode after one session: one row with nobody at risk and null shares.
    """
    known = episodes.drop_nulls(["session", "outcome"]).filter(pl.col("session") >= 1)
    if known.is_empty():
        return Course(pl.DataFrame(schema=COURSE), 0)
    last = int(known["session"].max())  # type: ignore[arg-type]
    sessions = pl.DataFrame({"session": pl.int_range(1, last + 1, eager=True)})
    counts = known.group_by("session").agg(
        pl.len().alias("n"), *((pl.col("outcome") == name).sum().alias(name) for name in (*CAUSES, NOT_KNOWN_YET))
    )
    table = (
        sessions.join(counts, on="session", how="left")
        .sort("session")
        .with_columns(pl.exclude("session").fill_null(0).cast(pl.Int64))
        .with_columns(had=known.height - pl.col("n").cum_sum() + pl.col("n"))
        .with_columns(at_risk=pl.col("had") - pl.col(NOT_KNOWN_YET))
    )
    at_risk = table["at_risk"].to_numpy().astype(np.float64)
    events = table.select(CAUSES).to_numpy().astype(np.float64)
    # with nobody at risk nothing can be said of that session or any later one
    reach = int(np.argmin(at_risk > 0)) if (at_risk == 0).any() else last
    found: dict[str, list[float | None]] = {}
    shares, spread = _incidence(at_risk[:reach], events[:reach])
    gap: list[float | None] = [None] * (last - reach)
    for at, name in enumerate(CAUSES):
        low, high = _limits(shares[:, at], spread[:, at])
        found |= {
            f"share_{name}": [*shares[:, at].tolist(), *gap],
            f"low_{name}": [*low, *gap],
            f"high_{name}": [*high, *gap],
        }
    made = table.with_columns(pl.Series(name, values, dtype=pl.Float64) for name, values in found.items())
    return Course(made.select(pl.col(name).cast(dtype) for name, dtype in COURSE.items()), known.height)


def _incidence(at_risk: Reals, events: Reals) -> tuple[Reals, Reals]:
    """Cumulative incidence per session and cause, and its standard error."""
    hazards = events / at_risk[:, None] if len(at_risk) else events
    ending = hazards.sum(axis=1)
    coming = np.concatenate([[1.0], np.cumprod(1 - ending)])[: len(ending)]  # before each session
    shares = np.cumsum(coming[:, None] * hazards, axis=0)
    spread = np.zeros_like(shares)
    stay = np.where(ending < 1, 1 - ending, 1.0)  # where all ended, F(t) - F(i) is 0 as well
    for at in range(len(ending)):
        upto = slice(0, at + 1)
        own = hazards[upto]
        later = (shares[at] - shares[upto]) / stay[upto, None]
        gain = coming[upto, None] - later
        second = gain**2 * own + later**2 * (ending[upto, None] - own)
        first = gain * own - later * (ending[upto, None] - own)
        spread[at] = np.sqrt(np.maximum(((second - first**2) / at_risk[upto, None]).sum(axis=0), 0.0))
    return shares, spread


def _limits(share: Reals, spread: Reals) -> tuple[list[float | None], list[float | None]]:
    """95 % limits on the log(-log) scale."""
    low: list[float | None] = []
    high: list[float | None] = []
    for value, error in zip(share.tolist(), spread.tolist(), strict=True):
        if value <= 0:
            low.append(None)
            high.append(None)
        elif value >= 1 - 1e-12:
            low.append(1.0)
            high.append(1.0)
        else:
            reach = float(np.exp(Z95 * error / abs(value * np.log(value))))
            low.append(float(value**reach))
            high.append(float(value ** (1 / reach)))
    return low, high
