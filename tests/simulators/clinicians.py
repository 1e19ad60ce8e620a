"""Practices of ordinary clinicians, who differ by u ~ N(0, tau) on every measure and in whom they see, and by nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboard.analytics.case_mix import CASES
from dashboard.analytics.newton import chance

Reals = NDArray[np.float64]
BASE = {"dropout": 0.2, "improved": 0.55, "worsened": 0.06}
FEWEST, MOST = 10, 200  # cases of a clinician
POINTS = 5.0  # per SD of severity
ERROR = 0.9  # SD of a client's gain around what is expected


@dataclass(frozen=True)
class Practice:
    """``cases`` and what only the simulator knows: per clinician ``effects`` (measure to log odds, or gain) and per case
    ``offsets`` without them; gain counts ``points``."""

    cases: pl.DataFrame
    effects: dict[str, Reals]
    offsets: dict[str, Reals]
    points: float = POINTS


def practice(
    clinicians: int,
    tau: float,
    seed: int,
    *,
    cases: tuple[int, int] = (FEWEST, MOST),
    unusual: float = 0.0,
    least_first: int = 0,
    case_mix: float = 0.5,
) -> Practice:
    """Clinicians 0 … with numbers of cases spread evenly in logarithm. The first one's log odds move by ``unusual``;
    the first has ``least_first`` cases or more.

    ``case_mix``: SD between clinicians of how distressed their clients are at the start, in SD of clients. The outcome's tau
    is ``tau`` times the ratio of its SD to that of a logistic error (the same share of variance).
    """
    draw = np.random.default_rng(seed)
    n = np.exp(draw.uniform(np.log(cases[0]), np.log(cases[1] + 1), clinicians)).astype(np.int64)
    n[0] = max(n[0], least_first)
    who = np.repeat(np.arange(clinicians), n)
    total = len(who)
    severity = draw.normal(0, case_mix, clinicians)[who] + draw.normal(0, 1, total)
    young = draw.random(total) < 0.3
    ratio = ERROR / (np.pi / np.sqrt(3))
    effects, offsets, yes = {}, {}, {}
    slopes = {"dropout": (0.2, 0.6), "improved": (0.4, 0.0), "worsened": (-0.4, 0.0)}
    for measure, base in BASE.items():
        effects[measure] = draw.normal(0, 1, clinicians) * tau
        effects[measure][0] += unusual
        by_severity, by_age = slopes[measure]
        offsets[measure] = np.log(base / (1 - base)) + by_severity * severity + by_age * (young - 0.3)
        yes[measure] = draw.random(total) < chance(offsets[measure] + effects[measure][who])
    effects["outcome"] = draw.normal(0, 1, clinicians) * tau * ratio
    effects["outcome"][0] += unusual * ratio
    offsets["outcome"] = 0.8 + 0.4 * severity
    gain = offsets["outcome"] + effects["outcome"][who] + draw.normal(0, ERROR, total)
    baseline = 15 + POINTS * severity
    frame = pl.DataFrame(
        {
            "episode_id": np.arange(total),
            "clinician_id": who,
            "instrument": ["phq9"] * total,
            "direction": np.full(total, -1),
            "baseline": baseline,
            "latest": baseline - POINTS * gain,
            **yes,
            "age": np.where(young, draw.uniform(18, 30, total), draw.uniform(30, 70, total)),
        }
    )
    absent = [
        pl.lit(None, dtype=dtype).alias(name) for name, dtype in CASES.schema.items() if name not in frame.columns
    ]
    frame = frame.with_columns(*absent).select(pl.col(name).cast(dtype) for name, dtype in CASES.schema.items())
    return Practice(frame, effects, offsets)
