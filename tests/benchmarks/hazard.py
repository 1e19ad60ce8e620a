"""Building, fitting and scoring the dropout model on a large practice."""

from __future__ import annotations

import itertools
import resource
import time

from dashboard.analytics.alliance_norms import measured_norms
from dashboard.analytics.hazard import fit
from dashboard.analytics.hazard_risk import predict
from dashboard.analytics.hazard_rows import hazard_rows
from tests.simulators import WORLDS, simulate


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(episodes: int = 200_000, clinicians: int = 400) -> None:
    """Prints seconds per step and the memory above what the data themselves take."""
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
        f"hazard: {len(rows):,} sessions, {model.events:,} events, {clinicians} clinicians: rows {built:.1f} s, "
        f"fit {fitted:.1f} s, risks with reasons {scored:.1f} s, memory above the data {_peak() - before:,.0f} MB"
    )
