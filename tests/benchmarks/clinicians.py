"""Expectations and estimates of 200 clinicians with 200,000 ended episodes, all four measures, beside statsmodels."""

from __future__ import annotations

import itertools
import resource
import time
import warnings
from collections.abc import Callable

import numpy as np

from dashboard.analytics.case_mix import expectations
from dashboard.analytics.clinician_estimates import estimates
from tests.simulators.clinicians import practice

CLINICIANS, EACH = 200, (500, 1630)  # spread evenly in logarithm: about 200,000 in all
BESIDE = (40, (100, 200))  # clinicians and cases each: the binomial mixed model of statsmodels takes minutes for more


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def beside_statsmodels() -> str:
    """All of ours on a smaller practice against one measure each of statsmodels on the same rows."""
    from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM
    from statsmodels.regression.mixed_linear_model import MixedLM

    size, each = BESIDE
    cases = practice(size, 0.35, 2, cases=each).cases
    mix = expectations(cases)
    group = cases["clinician_id"].to_numpy()
    away = (mix.frame["gain"] - mix.frame["gain_expected"]).to_numpy()
    p = mix.frame["dropout_expected"].to_numpy()
    fixed, which = np.column_stack([np.ones(len(p)), np.log(p / (1 - p))]), np.eye(size)[group]
    y = cases["dropout"].to_numpy().astype(float)
    ours = _seconds(lambda: estimates(cases, expectations(cases)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        linear = _seconds(lambda: MixedLM(away, fixed[:, :1], groups=group).fit(reml=True))
        binomial = BinomialBayesMixedGLM(y, fixed, which, np.zeros(size, dtype=int), vcp_p=2, fe_p=10)
        mode, variational = _seconds(binomial.fit_map), _seconds(binomial.fit_vb)
    return (
        f"clinicians: {len(y):,} episodes, {size} clinicians: ours, four measures with case-mix, limits and intervals "
        f"{ours:.2f} s; statsmodels, dropout alone: fit_map {mode:.2f} s ({mode / ours:.1f} times), fit_vb {variational:.2f} s "
        f"({variational / ours:.1f} times); MixedLM, outcome alone: {linear:.2f} s ({linear / ours:.1f} times)"
    )


def run() -> None:
    """Prints seconds per step, memory above what the cases take, and the ratio to statsmodels on the same rows."""
    cases = practice(CLINICIANS, 0.35, 1, cases=EACH).cases
    before = _peak()
    clock = [time.perf_counter()]
    mix = expectations(cases)
    clock.append(time.perf_counter())
    estimates(cases, mix)
    clock.append(time.perf_counter())
    first, second = (later - earlier for earlier, later in itertools.pairwise(clock))
    print(
        f"clinicians: {cases.height:,} episodes, {CLINICIANS} clinicians, four measures: expectations {first:.2f} s, estimates "
        f"{second:.2f} s, together {first + second:.2f} s, memory above the data {_peak() - before:,.0f} MB"
    )
    print(beside_statsmodels())
