"""Building, fitting and scoring the dropout model on a large practice."""

from __future__ import annotations

import itertools
import resource
import time

import numpy as np

from dashboard.analytics.alliance_norms import measured_norms
from dashboard.analytics.hazard import fit
from dashboard.analytics.hazard_risk import predict
from dashboard.analytics.hazard_rows import hazard_rows
from tests.simulators import WORLDS, simulate

BESIDE = 20_000  # episodes: statsmodels keeps several copies of its rows, too much memory for all of them


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def beside_statsmodels(episodes: int = BESIDE, clinicians: int = 40) -> str:
    """The same rows fitted by ours (priors, clinician effects, intervals) and by a plain binomial GLM."""
    import statsmodels.api as sm

    practice = simulate(WORLDS["wandering bond"], episodes, clinicians, seed=2)
    rows = hazard_rows(practice.rows, measured_norms(practice.rows))
    known = practice.dropout >= 0
    x, y = rows.x[known].astype(np.float64), practice.dropout[known].astype(np.float64)
    x = x[
        :, (np.ptp(x, axis=0) > 0) | (np.arange(x.shape[1]) == 0)
    ]  # a term that never varies has no maximum likelihood
    clock = [time.perf_counter()]
    fit(rows, practice.dropout)
    clock.append(time.perf_counter())
    sm.GLM(y, x, family=sm.families.Binomial()).fit()
    clock.append(time.perf_counter())
    ours, theirs = (later - earlier for earlier, later in itertools.pairwise(clock))
    return (
        f"hazard: {len(y):,} sessions: fit with priors and clinicians {ours:.2f} s, statsmodels GLM without either "
        f"{theirs:.2f} s ({theirs / ours:.1f} times)"
    )


def run(episodes: int = 200_000, clinicians: int = 400) -> None:
    """Prints seconds per step and the memory above what the data themselves take, then a smaller fit beside statsmodels."""
    practice = simulate(WORLDS["wandering bond"], episodes, clinicians, seed=1)
    before = _peak()
    clock = [time.perf_counter()]
    norms = measured_norms(practice.rows)
    rows = hazard_rows(practice.rows, norms)
    clock.append(time.perf_counter())
    model = fit(rows, practice.dropout)
    clock.append(time.perf_counter())
    predict(model, rows)
    clock.append(time.perf_counter())
    built, fitted, scored = (later - earlier for earlier, later in itertools.pairwise(clock))
    print(
        f"hazard: {episodes:,} episodes, {len(rows):,} sessions, {model.events:,} events, {clinicians} clinicians: rows "
        f"{built:.1f} s, refit {fitted:.1f} s, risks with reasons {scored:.1f} s, memory above the data "
        f"{_peak() - before:,.0f} MB"
    )
    del practice, rows
    print(beside_statsmodels())
