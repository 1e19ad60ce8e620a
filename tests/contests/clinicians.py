"""How many ordinary clinicians each kind of limit calls unusual: ``python -m tests.contests clinicians``.

Practices in which clinicians differ by u ~ N(0, tau), in their clients and in numbers (10 to 200 cases), and nobody is unusual.
Outside 95 % should be 5 in 100 or fewer, outside 99.8 % 2 in 1,000. tau in log odds; the outcome's is the same share of variance.

naive: exact binomial limits around what was expected, as most reports draw them. phi: chance's variance times a winsorised phi.
tau2: the winsorised additive form of Spiegelhalter 2005. Both on asin(sqrt(rate)). shipped: ``clinician_estimates``.
held: of the shrunken 95 % intervals, how many hold what the clinician would reach. found: of clinicians whose log odds really
differ by 1.2 beyond tau, with 50 or more cases, how many lie outside the shipped 95 % (99.8 %) limits.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from math import sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboard.analytics import funnel
from dashboard.analytics.case_mix import MEASURES, expectations
from dashboard.analytics.clinician_estimates import estimates
from dashboard.analytics.distributions import normal_quantile
from dashboard.analytics.newton import chance
from tests.simulators.clinicians import Practice, practice

Reals = NDArray[np.float64]
TAUS = (0.0, 0.2, 0.35, 0.6)
SIZES = (3, 8, 15, 50)
METHODS = ("naive", "phi", "tau2", "shipped")
TAILS = {95: 0.025, 998: 0.001}
UNUSUAL = 1.2
CLINICIANS = 300  # ordinary clinicians per setting, and at least so many practices:
LEAST_PRACTICES = 10
SEARCHED = 20  # practices per setting with an unusual clinician
FRESH = 50_000  # first seed; the priors were chosen on seeds below


@dataclass
class Tally:
    """Sums over the practices of a setting. ``outside``: method and limits to clinicians; of ``clinicians``, ``held``."""

    clinicians: int = 0
    outside: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    held: int = 0
    unusual: int = 0
    found: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, other: Tally) -> None:
        """Another tally's sums on top."""
        self.clinicians, self.held = self.clinicians + other.clinicians, self.held + other.held
        self.unusual += other.unusual
        for mine, theirs in ((self.outside, other.outside), (self.found, other.found)):
            for key, count in theirs.items():
                mine[key] += count  # type: ignore[index]

    def share(self, method: str, limits: int) -> float:
        """Of ordinary clinicians, the share outside."""
        return self.outside[method, limits] / self.clinicians


def truth(drawn: Practice, measure: str, points_per_sd: float) -> Reals:
    """What each clinician would reach with their clients in the long run."""
    who = drawn.cases["clinician_id"].to_numpy()
    short = {"reliable_improvement": "improved", "reliable_worsening": "worsened"}.get(measure, measure)
    reached = drawn.offsets[short] + drawn.effects[short][who]
    reached = reached * drawn.points / points_per_sd if measure == "outcome" else chance(reached)
    return np.bincount(who, reached) / np.bincount(who)


def rivals(measure: str, frame: pl.DataFrame, error_sd: float) -> dict[tuple[str, int], NDArray[np.bool_]]:
    """Who is outside by each of the other methods."""
    n, observed, expected = (frame[name].to_numpy().astype(np.float64) for name in ("n", "observed", "expected"))
    if measure == "outcome":
        s = error_sd / np.sqrt(n)
        z = (observed - expected) / n / s
    else:
        z, s = funnel.arcsine_scores(observed, expected, n)
    over = funnel.overdispersion(z, s)
    found = {}
    for limits, tail in TAILS.items():
        most = normal_quantile(1 - tail)
        found["phi", limits] = np.abs(z) > most * sqrt(max(1.0, over.phi))
        found["tau2", limits] = np.abs(z) * s > most * np.sqrt(s**2 + over.tau2)
        if measure == "outcome":
            found["naive", limits] = np.abs(z) > most
        else:
            exact = [funnel.binomial_limits(int(k), e / k, tail) for k, e in zip(n, expected, strict=True)]
            low, high = np.array(exact).T
            found["naive", limits] = (observed / n < low) | (observed / n > high)
    return found


def judged(drawn: Practice) -> dict[str, Tally]:
    """Every measure of one practice of ordinary clinicians."""
    mix = expectations(drawn.cases)
    away = (mix.frame["gain"] - mix.frame["gain_expected"]).to_numpy()
    frame = estimates(drawn.cases, mix).clinicians
    tallies = {}
    for measure in MEASURES:
        one = frame.filter(pl.col("measure") == measure)
        tally = Tally(one.height)
        for key, outside in rivals(measure, one, float(away.std())).items():
            tally.outside[key] += int(outside.sum())
        for limits in TAILS:
            tally.outside["shipped", limits] += int(_outside(one, limits).sum())
        reached = truth(drawn, measure, mix.sd["phq9"])
        tally.held = int(((one["shrunken_low"] <= reached) & (one["shrunken_high"] >= reached)).sum())
        tallies[measure] = tally
    return tallies


def searched(drawn: Practice, tallies: dict[str, Tally]) -> None:
    """Adds whether the first clinician, who is unusual, was found."""
    frame = estimates(drawn.cases, expectations(drawn.cases)).clinicians.filter(pl.col("clinician_id") == 0)
    for measure in MEASURES:
        one = frame.filter(pl.col("measure") == measure)
        tallies[measure].unusual += 1
        for limits in TAILS:
            tallies[measure].found[limits] += int(_outside(one, limits)[0])


def _outside(frame: pl.DataFrame, limits: int) -> pl.Series:
    low, high = frame[f"limit{limits}_low"], frame[f"limit{limits}_high"]
    return (frame["rate"] < low - 1e-9) | (frame["rate"] > high + 1e-9)


def contest(
    sizes: tuple[int, ...] = SIZES, taus: tuple[float, ...] = TAUS, clinicians: int = CLINICIANS, *, power: bool = True
) -> dict[tuple[str, int, float], Tally]:
    """A tally per measure, number of clinicians and tau."""
    found: dict[tuple[str, int, float], Tally] = defaultdict(Tally)
    for size in sizes:
        for tau in taus:
            for seed in range(max(LEAST_PRACTICES, -(-clinicians // size))):
                for measure, tally in judged(practice(size, tau, FRESH + seed)).items():
                    found[measure, size, tau].add(tally)
            if power:
                tallies = {measure: found[measure, size, tau] for measure in MEASURES}
                for seed in range(SEARCHED):
                    searched(practice(size, tau, 2 * FRESH + seed, unusual=UNUSUAL, least_first=50), tallies)
    return dict(found)


def _line(label: str, tally: Tally) -> str:
    columns = "".join(" ".join(f"{tally.share(method, limits):7.1%}" for method in METHODS) + "   " for limits in TAILS)
    power = f"{tally.found[95] / tally.unusual:6.0%} ({tally.found[998] / tally.unusual:4.0%})" if tally.unusual else ""
    return f"  {label:24}{columns}{tally.held / tally.clinicians:6.1%}  {power}"


def run() -> None:
    """Prints a line per measure, number of clinicians and tau, and one for all with at least eight clinicians."""
    began = time.perf_counter()
    found = contest()
    heads = " ".join(f"{name:>7}" for name in METHODS)
    print(f"clinicians: ordinary ones outside{'95 %':>25}{'99.8 %':>34}")
    print(f"  {'':24}{heads}   {heads}   {'held':>5}   {'found'}")
    for measure in MEASURES:
        print(f"  {measure}")
        for (what, size, tau), tally in found.items():
            if what == measure:
                print(_line(f"  {size:2} clinicians, tau {tau:.2f}", tally))
        together = Tally()
        for (what, size, _), tally in found.items():
            if what == measure and size >= 8:
                together.add(tally)
        print(_line("  8 or more", together))
    print(f"clinicians: {time.perf_counter() - began:.0f} s")
