"""Each clinician's own figures beside what their caseload would lead one to expect, and how far apart clinicians are here.

Per clinician and measure: what was observed, where an ordinary clinician of this practice would fall with the same clients,
and the estimate shrunken towards that. Four measures, never merged, no rank (science 6.1, 6.7). Nothing here decides what is
shown: numbers from one case on are returned, and the minimum numbers of science 6.4 are applied where frames are read.

**Limits** hold what chance and ordinary differences between clinicians bring about together (science 6.5), averaged over every
tau and centre that the *other* clinicians leave possible. Against limits from one estimated tau, or from tau winsorised as in
Spiegelhalter 2005, more ordinary clinicians are called unusual than the limits say (``python -m tests.contests clinicians``).
For counts they are the counts themselves: an ordinary clinician lies above with a chance of 2.5 % or less, below likewise.

**tau** with fewer than FEW_CLINICIANS is not estimated: published values stand in (science 6.5). For dropout these are 5.7 %
(Zimmermann 2017) and 12.6 % of variance (Saxon 2017), tau .446 and .689. They disagree, so each gets half the weight: the
smaller alone would call ordinary clinicians unusual if Saxon is right, the larger alone would believe small numbers too readily.
From FEW_CLINICIANS on it is learned. For averaging, the belief beforehand is half-normal (Gelman 2006); the one tau that is
printed, and reliability with it, is the mode under the boundary-avoiding prior made for that (Chung et al. 2013): "no
difference seen yet" must not read as "none".
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboard.analytics import random_intercept as ri
from dashboard.analytics.case_mix import MEASURES, CaseMix
from dashboard.analytics.clinician_limits import TAILS, limits
from dashboard.analytics.distributions import t_quantile
from dashboard.analytics.intervals import wilson
from dashboard.analytics.newton import chance
from dashboard.contracts import Contract

Reals = NDArray[np.float64]

ESTIMATES = Contract(
    "clinician_estimates",
    {
        "clinician_id": pl.Int64(),
        "measure": pl.String(),
        "n": pl.Int64(),
        "observed": pl.Float64(),
        "expected": pl.Float64(),
        "rate": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "limit95_low": pl.Float64(),
        "limit95_high": pl.Float64(),
        "limit998_low": pl.Float64(),
        "limit998_high": pl.Float64(),
        "shrunken": pl.Float64(),
        "shrunken_low": pl.Float64(),
        "shrunken_high": pl.Float64(),
        "reliability": pl.Float64(),
    },
    key=("clinician_id", "measure"),
    required=("clinician_id", "measure", "n"),
)
PRACTICE = Contract(
    "practice_estimates",
    {
        "measure": pl.String(),
        "n": pl.Int64(),
        "clinicians": pl.Int64(),
        "rate": pl.Float64(),
        "tau": pl.Float64(),
        "tau_source": pl.String(),
        "range_low": pl.Float64(),
        "range_high": pl.Float64(),
        "not_told_apart": pl.Int64(),
        "of": pl.Int64(),
        "beyond998": pl.Int64(),
        "adjusted_for": pl.String(),
    },
    key=("measure",),
    required=("measure", "n", "clinicians", "tau_source", "not_told_apart", "of", "beyond998", "adjusted_for"),
)
LEARNED, PUBLISHED = "learned here", "published prior"

FEW_CLINICIANS = 8  # science 6.5: below, nothing is estimated
LEAST = 10  # science 6.4
EIGHT_IN_TEN = 1.2815515655446004  # sd on either side
PRIOR_SD = 2.0  # project default: times the published tau (for outcomes up to 2.8 times have been found, Johns 2019)
CENTRE_SD = 2.0  # project default: times tau, how far the average clinician may stand from the pooled expectation


def latent_sd(share: float, error_sd: float = pi / sqrt(3)) -> float:
    """tau from the share of variance between clinicians (VPC / (1 - VPC) * error variance; science 5.3, test 25)."""
    return error_sd * sqrt(share / (1 - share))


# Shares of variance between clinicians. Dropout: Zimmermann 2017, Saxon 2017; worsening: Saxon 2017; gain: Johns 2019.
# Nobody published one for reliable improvement: project default, that of the gain it is cut from.
SHARES = {
    "dropout": (0.057, 0.126),
    "reliable_improvement": (0.05,),
    "reliable_worsening": (0.101,),
    "outcome": (0.05,),
}
_NAMES = {  # measure -> observed in the cases or in the expectations, expected
    "dropout": ("dropout", "dropout_expected"),
    "reliable_improvement": ("improved", "improved_expected"),
    "reliable_worsening": ("worsened", "worsened_expected"),
    "outcome": ("gain", "gain_expected"),
}


@dataclass(frozen=True)
class Estimates:
    """``clinicians``: ESTIMATES, every clinician of the cases times every measure; ``practice``: PRACTICE."""

    clinicians: pl.DataFrame
    practice: pl.DataFrame


def estimates(cases: pl.DataFrame, mix: CaseMix) -> Estimates:
    """Estimates of a practice from its CASES and their expectations. Order of rows does not matter.

    Counts: ``observed`` and ``expected`` are sums, ``rate`` a share, ``low`` and ``high`` Wilson's 95 % interval. Outcome: gain
    in SD of first scores, t interval (null with one case). ``shrunken`` with its 95 % interval is what the clinician would reach
    with these clients in the long run. A clinician without a case measured has n = 0 and nulls. A lone clinician is held
    against nobody: the limits are then as wide as the prior.
    """
    everyone = cases["clinician_id"].unique().sort()
    facts = mix.frame.join(cases.select("episode_id", "dropout", "improved", "worsened"), on="episode_id")
    rows, practice = [], []
    for measure in MEASURES:
        observed, expected = _NAMES[measure]
        known = facts.select(
            "clinician_id", "episode_id", y=pl.col(observed).cast(pl.Float64), expected=pl.col(expected)
        ).drop_nulls()
        found, line = _measure(measure, known.sort("clinician_id", "episode_id"))
        rows.append(
            pl.DataFrame({"clinician_id": everyone, "measure": [measure] * len(everyone)})
            .join(found, on="clinician_id", how="left")
            .with_columns(pl.col("n").fill_null(0))
        )
        practice.append(line | {"adjusted_for": ";".join(mix.adjusted_for[measure])})
    clinicians = pl.concat(rows).select(pl.col(name).cast(dtype) for name, dtype in ESTIMATES.schema.items())
    return Estimates(
        ESTIMATES.check(clinicians.sort("clinician_id", "measure")), PRACTICE.check(PRACTICE.from_rows(practice))
    )


def _measure(measure: str, known: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, object]]:
    """One measure of every clinician with a case of it, and of the practice."""
    ids, group = np.unique(known["clinician_id"].to_numpy(), return_inverse=True)
    y, expected = known["y"].to_numpy(), known["expected"].to_numpy()
    if not len(ids):
        empty = pl.DataFrame(schema={k: v for k, v in ESTIMATES.schema.items() if k != "measure"})
        return empty, _practice_line(measure, empty, None, np.nan, PUBLISHED)
    n = np.bincount(group).astype(np.int64)
    total, hoped = (np.bincount(group, one).astype(np.float64) for one in (y, expected))
    error, spread = 1.0, np.zeros(len(ids))
    if measure == "outcome":
        away = y - expected
        mean = np.bincount(group, away) / n
        within = float(((away - mean[group]) ** 2).sum())
        error = ri.reml(n, mean, within)[2] if len(y) > 1 else 1.0
        error = max(error, 1e-6)
        squares = np.bincount(group, (y - (total / n)[group]) ** 2)
        spread = np.sqrt(squares / np.maximum(n - 1, 1))
        taus = np.array([latent_sd(share, error) for share in SHARES[measure]])
        scale = float(np.sqrt((taus**2).mean()))
        curves = ri.gaussian_curves(n, total, hoped, error, scale)
    else:
        taus = np.array([latent_sd(share) for share in SHARES[measure]])
        scale = float(np.sqrt((taus**2).mean()))
        offset = np.log(expected / (1 - expected))
        curves = ri.logistic_curves(y, offset, group, len(ids), scale)
    tau, taus, log_prior, source = _between(curves, taus)
    ordinary = ri.ordinary(curves, log_prior, taus, CENTRE_SD * scale)
    columns: dict[str, Reals | ri.Whole] = {"n": n, "observed": total, "expected": hoped, "rate": total / n}
    columns |= _own_interval(measure, n, total, spread)
    columns |= limits(curves, ordinary)
    columns |= _shrunken(curves, ordinary)
    columns["reliability"] = ri.reliability(curves.information, tau)
    found = pl.DataFrame({"clinician_id": ids, **columns}, nan_to_null=True)
    return found, _practice_line(measure, found, tau, float(y.mean()), source)


def _between(curves: ri.Curves, published: Reals) -> tuple[float, Reals, Reals, str]:
    """tau, the values it may have, the logarithm of what is believed of each beforehand, and where tau comes from."""
    if len(curves.n) < FEW_CLINICIANS:
        return curves.scale, published, np.zeros(len(published)), PUBLISHED

    def belief(tau: Reals) -> Reals:
        return -0.5 * (tau / (PRIOR_SD * curves.scale)) ** 2

    def away_from_none(tau: Reals) -> Reals:
        return belief(tau) + np.log(tau)

    fit = ri.most_likely(curves, away_from_none, mu_sd=CENTRE_SD * curves.scale, restricted=True)
    taus = ri.TAUS * curves.scale
    return fit.tau, taus, belief(taus), LEARNED


def _own_interval(measure: str, n: ri.Whole, total: Reals, spread: Reals) -> dict[str, Reals]:
    low, high = np.full(len(n), np.nan), np.full(len(n), np.nan)
    for j, cases in enumerate(n):
        if measure != "outcome":
            low[j], high[j] = wilson(int(total[j]), int(cases)) or (np.nan, np.nan)
        elif cases > 1:
            half = t_quantile(0.975, int(cases) - 1) * spread[j] / sqrt(cases)
            low[j], high[j] = total[j] / cases - half, total[j] / cases + half
    return {"low": low, "high": high}


def _shrunken(curves: ri.Curves, ordinary: Reals) -> dict[str, Reals]:
    """Mean and 95 % interval of what the clinician would reach with these clients, given the others and their own cases."""
    posterior = ordinary * np.exp(curves.loglik)
    posterior /= np.maximum(posterior.sum(axis=1, keepdims=True), ri.TINY)
    below = np.cumsum(posterior, axis=1) - posterior / 2
    mean = (posterior * curves.mean).sum(axis=1)
    low, high = (
        np.array([np.interp(share, b, m) for b, m in zip(below, curves.mean, strict=True)]) for share in (0.025, 0.975)
    )
    return {"shrunken": mean, "shrunken_low": low, "shrunken_high": high}


def _practice_line(measure: str, found: pl.DataFrame, tau: float | None, rate: float, source: str) -> dict[str, object]:
    """A row of PRACTICE without ``adjusted_for``."""
    enough = found.filter(pl.col("n") >= LEAST)
    inside = {
        name: enough.filter(
            pl.col("rate").is_between(pl.col(f"{name}_low") - 1e-9, pl.col(f"{name}_high") + 1e-9)
        ).height
        for name in TAILS
    }
    low = high = None
    if tau is not None:
        away = EIGHT_IN_TEN * tau
        if measure == "outcome":
            low, high = rate - away, rate + away
        else:  # a made-up half case keeps 0 and 1 off the edge
            total = int(found["n"].sum())
            middle = np.log((rate * total + 0.5) / ((1 - rate) * total + 0.5))
            low, high = (float(one) for one in chance(middle + np.array([-away, away])))
    return {
        "measure": measure,
        "n": int(found["n"].sum()),
        "clinicians": found.height,
        "rate": None if tau is None else rate,
        "tau": tau,
        "tau_source": source,
        "range_low": low,
        "range_high": high,
        "not_told_apart": inside["limit95"],
        "of": enough.height,
        "beyond998": enough.height - inside["limit998"],
    }
