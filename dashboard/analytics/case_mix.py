"""What an ordinary clinician of this practice would be expected to reach with these clients: expectations without a clinician.

Four measures, never merged (science 6.1): dropout, reliable improvement, reliable worsening (chances, logistic) and the gain
on the outcome measure (linear, in SD). Only what was known at intake is adjusted for. Alliance, missed appointments, falls and
sessions held come later and are partly the clinician's own work: adjusting for them would explain it away. Answers to risk
items stay outside every model; sex and ethnicity are not used; age may be (science 5.3, 6.2).

Terms are counted from the practice's mean, so that without evidence everybody gets the base rate. Each has a normal prior:
the published centre for dropout where science 5.3 has one, otherwise N(0, 0.5^2), the sceptical prior of science test 37, per
SD or against the commonest category. The intercept has one made-up case at the mean: 19.7 % dropout (Swift & Greenberg 2012),
half of the others (Jeffreys 1946), nothing for the gain. A term counts once it was recorded for LEAST episodes and varies.

A value not recorded counts as the mean, with an indicator where whether it was recorded varies. First scores have no such
indicator: a client who left at once has none, and one who works without questionnaires has few, so that "no first score" is
partly the outcome itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboard.analytics.newton import chance
from dashboard.contracts import Contract
from dashboard.instruments import BUILT_IN
from dashboard.instruments.instrument import Instrument

Reals = NDArray[np.float64]

CASES = Contract(
    "cases",
    {
        "episode_id": pl.Int64(),
        "clinician_id": pl.Int64(),
        "ended_on": pl.Date(),
        "instrument": pl.String(),
        "direction": pl.Int8(),
        "reliable_change": pl.Float64(),
        "baseline": pl.Float64(),
        "latest": pl.Float64(),
        "dropout": pl.Boolean(),
        "improved": pl.Boolean(),
        "worsened": pl.Boolean(),
        "second_instrument": pl.String(),
        "second_baseline": pl.Float64(),
        "age": pl.Float64(),
        "problems": pl.Int64(),
        "kind": pl.String(),
        "waiting_days": pl.Int64(),
    },
    key=("episode_id",),
    required=("episode_id", "clinician_id"),
)
EXPECTED = Contract(
    "expected",
    {
        "episode_id": pl.Int64(),
        "clinician_id": pl.Int64(),
        "dropout_expected": pl.Float64(),
        "improved_expected": pl.Float64(),
        "worsened_expected": pl.Float64(),
        "gain": pl.Float64(),
        "gain_expected": pl.Float64(),
    },
    key=("episode_id",),
    required=("episode_id", "clinician_id"),
)

MEASURES = ("dropout", "reliable_improvement", "reliable_worsening", "outcome")
ADJUSTERS = (
    "first score",
    "which questionnaire",
    "first score on a second questionnaire",
    "age",
    "number of problem areas",
    "kind of therapy",
    "waiting time",
)  # in the words that are printed; nothing else is ever adjusted for

LEAST = 10  # science 6.4: fewer episodes than this say nothing
YOUNG = 30.0  # years; science 5.3
SCEPTICAL_SD = 0.5  # science 5.3, test 37
# science 5.3: centre and sd in log odds of dropout
DROPOUT_PRIOR = {"first score": (0.05, 0.15), "age": (0.67, 0.30), "waiting time": (0.05, 0.10)}
USUAL_DROPOUT = 0.197  # Swift & Greenberg 2012
STEPS, LONGEST_STEP, TOLERANCE = 50, 1.0, 1e-9


@dataclass(frozen=True)
class CaseMix:
    """``frame``: EXPECTED, in order of episode; null where a measure is not known of an episode.

    ``adjusted_for``: per measure those of ADJUSTERS that were used. ``n``: episodes per measure. ``sd``: per questionnaire the
    points that count as 1 in ``gain``.
    """

    frame: pl.DataFrame
    adjusted_for: dict[str, tuple[str, ...]]
    n: dict[str, int]
    sd: dict[str, float]


@dataclass(frozen=True)
class _Column:
    adjuster: str
    values: Reals
    prior: tuple[float, float] = (0.0, SCEPTICAL_SD)


def expectations(cases: pl.DataFrame, instruments: Mapping[str, Instrument] = BUILT_IN) -> CaseMix:
    """Expected values of every episode of a practice. Order of rows does not matter; raises ContractError (CASES).

    ``gain``: points towards the better end from first to latest score, in SD of this practice's first scores on that
    questionnaire; under LEAST of those, in the SD of its published clinical norm; with neither, the gain is null.
    """
    cases = CASES.check(cases).sort("episode_id")
    sd = baseline_sd(cases, instruments)
    gains = cases.select(
        gain=pl.col("direction")
        * (pl.col("latest") - pl.col("baseline"))
        / pl.col("instrument").replace_strict(sd, default=None, return_dtype=pl.Float64)
    )["gain"]
    frame = cases.select("episode_id", "clinician_id")
    adjusted: dict[str, tuple[str, ...]] = {}
    n: dict[str, int] = {}
    targets = {
        "dropout": ("dropout_expected", cases["dropout"].cast(pl.Float64)),
        "reliable_improvement": ("improved_expected", cases["improved"].cast(pl.Float64)),
        "reliable_worsening": ("worsened_expected", cases["worsened"].cast(pl.Float64)),
        "outcome": ("gain_expected", gains),
    }
    for measure, (name, target) in targets.items():
        known = target.is_not_null().to_numpy()
        columns = _columns(cases.filter(known), sd, dropout=measure == "dropout")
        x, mean, spread = _design(columns, int(known.sum()))
        y = target.drop_nulls().to_numpy()
        if measure == "outcome":
            fitted = _linear(x, y, mean, spread)
        else:
            fitted = _logistic(x, y, mean, spread, USUAL_DROPOUT if measure == "dropout" else 0.5)
        whole = np.full(len(cases), np.nan)
        whole[known] = fitted
        frame = frame.with_columns(pl.Series(name, whole, nan_to_null=True))
        used = {column.adjuster for column in columns}
        adjusted[measure] = tuple(one for one in ADJUSTERS if one in used)
        n[measure] = len(y)
    frame = frame.with_columns(gain=gains).select(*EXPECTED.schema)
    return CaseMix(EXPECTED.check(frame), adjusted, n, sd)


def baseline_sd(cases: pl.DataFrame, instruments: Mapping[str, Instrument]) -> dict[str, float]:
    """Points per SD of each questionnaire: of the practice's own first scores, or of the published clinical norm."""
    own = (
        cases.drop_nulls(["instrument", "baseline"])
        .group_by("instrument", maintain_order=True)
        .agg(n=pl.len(), sd=pl.col("baseline").std())
        .sort("instrument")
    )
    found: dict[str, float] = {}
    for name, n, sd in own.iter_rows():
        norm = instruments[name].sd_clinical if name in instruments else None
        chosen = sd if n >= LEAST else norm
        if chosen:
            found[name] = float(chosen)
    return found


def _columns(cases: pl.DataFrame, sd: dict[str, float], *, dropout: bool) -> list[_Column]:
    """Every term that varies enough among these cases, centred on its mean, in an order that depends on names alone."""

    def prior(adjuster: str) -> tuple[float, float]:
        return DROPOUT_PRIOR.get(adjuster, (0.0, SCEPTICAL_SD)) if dropout else (0.0, SCEPTICAL_SD)

    worse = cases.select(
        -pl.col("direction")
        * pl.col("baseline")
        / pl.col("instrument").replace_strict(sd, default=None, return_dtype=pl.Float64)
    ).to_series()
    columns = _number("first score", _within(worse, cases["instrument"]), prior("first score"), indicator=False)
    columns += _category("which questionnaire", cases["instrument"])
    for name in cases["second_instrument"].drop_nulls().unique().sort():
        # which end of a second questionnaire is better is not asked: each has a slope of its own
        only = cases.select(
            pl.when(pl.col("second_instrument") == name).then("second_baseline").alias("first")
        ).to_series()
        columns += _number("first score on a second questionnaire", _standard(only), indicator=False)
    if dropout:
        young = (cases["age"] < YOUNG).cast(pl.Float64)
        columns += _number("age", young - (young.mean() or 0.0), prior("age"))
    else:
        columns += _number("age", _standard(cases["age"]))
    columns += _number("number of problem areas", _standard(cases["problems"].cast(pl.Float64)))
    columns += _category("kind of therapy", cases["kind"])
    return columns + _number("waiting time", _standard(cases["waiting_days"].cast(pl.Float64)), prior("waiting time"))


def _standard(values: pl.Series) -> pl.Series:
    """In SD from the mean; all null where they do not vary."""
    spread = values.std()
    return (values - values.mean()) / (spread if spread else None)


def _within(values: pl.Series, kind: pl.Series) -> pl.Series:
    """From the mean of their own kind."""
    frame = pl.DataFrame({"value": values, "kind": kind})
    return frame.select(pl.col("value") - pl.col("value").mean().over("kind")).to_series()


def _number(
    adjuster: str, values: pl.Series, prior: tuple[float, float] = (0.0, SCEPTICAL_SD), *, indicator: bool = True
) -> list[_Column]:
    known = len(values) - values.null_count()
    if known < LEAST or values.n_unique() - (values.null_count() > 0) < 2:
        return []
    columns = [_Column(adjuster, values.fill_null(0.0).to_numpy(), prior)]
    if indicator and values.null_count() >= LEAST:
        absent = values.is_null().to_numpy().astype(np.float64)
        columns.append(_Column(adjuster, absent - absent.mean()))
    return columns


def _category(adjuster: str, values: pl.Series) -> list[_Column]:
    """One column per category against the commonest (of equals the first by name); rare ones go with it."""
    counts = values.drop_nulls().value_counts(name="n").sort(["n", values.name], descending=[True, False])
    names = counts.filter(pl.col("n") >= LEAST)[values.name].to_list()
    columns = []
    for name in names[1:]:
        here = values.eq_missing(name).to_numpy().astype(np.float64)
        columns.append(_Column(adjuster, here - here.mean()))
    return columns


def _design(columns: list[_Column], rows: int) -> tuple[Reals, Reals, Reals]:
    x = np.column_stack([np.ones(rows), *(column.values for column in columns)])
    mean = np.array([0.0, *(column.prior[0] for column in columns)])
    spread = np.array([np.inf, *(column.prior[1] for column in columns)])
    return x, mean, spread


def _logistic(x: Reals, y: Reals, mean: Reals, sd: Reals, base: float) -> Reals:
    """Chances by Newton's method (as in ``newton``, without clinicians), with one made-up case of chance ``base``."""
    b, precision = mean.copy(), sd**-2.0
    b[0] = log((y.sum() + base) / (len(y) + 1 - y.sum() - base))
    for _ in range(STEPS):
        p, p0 = chance(x @ b), float(chance(b[:1])[0])
        gradient = x.T @ (y - p) - precision * (b - mean)
        gradient[0] += base - p0
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.diag(precision)
        hessian[0, 0] += p0 * (1 - p0)
        step = np.linalg.solve(hessian, gradient)
        longest = float(np.abs(step).max())
        b = b + step * (LONGEST_STEP / max(longest, LONGEST_STEP))
        if longest < TOLERANCE:
            break
    return chance(x @ b)


def _linear(x: Reals, y: Reals, mean: Reals, sd: Reals) -> Reals:
    """Expected gains. The prior counts against the cases' own error variance, found in a few rounds."""
    if not len(y):
        return y
    square, toward, precision = x.T @ x, x.T @ y, sd**-2.0
    error = max(float(y.var()), 1e-12)
    for _ in range(20):
        b = np.linalg.solve(square / error + np.diag(precision), toward / error + precision * mean)
        error = max(float(((y - x @ b) ** 2).sum()) / max(1, len(y) - 1), 1e-12)
    return np.asarray(x @ b)
