"""Reliable and clinically significant change (Jacobson & Truax 1991).

SE = s * sqrt(1 - r); Sdiff = sqrt(2) * SE; RCI = (x2 - x1) / Sdiff, reliable where |RCI| > 1.96 (strictly). An instrument with
a published threshold uses that instead, and a change of exactly that size counts.
"""

from __future__ import annotations

from math import sqrt

import polars as pl

from dashboard.instruments.instrument import Instrument


def reliable_change_index(before: float, after: float, *, sd: float, reliability: float) -> float:
    """RCI in standard errors of a difference; the sign is that of the score, not of better or worse."""
    return (after - before) / (sqrt(2) * sd * sqrt(1 - reliability))


def cutoff(
    rule: str,
    *,
    better: str,
    mean_clinical: float | None = None,
    sd_clinical: float | None = None,
    mean_functional: float | None = None,
    sd_functional: float | None = None,
) -> float:
    """Clinical cut-off a, b or c. a: two SD of the clinical group; b: two SD of the *functional* group; c: between both.

    Raises ValueError naming the norm that the rule needs and does not have.
    """
    direction = 1 if better == "higher" else -1
    given = {
        "mean_clinical": mean_clinical,
        "sd_clinical": sd_clinical,
        "mean_functional": mean_functional,
        "sd_functional": sd_functional,
    }
    needed = {"a": ("mean_clinical", "sd_clinical"), "b": ("mean_functional", "sd_functional"), "c": tuple(given)}[rule]
    absent = [name for name in needed if given[name] is None]
    if absent:
        raise ValueError(f"cut-off rule {rule} needs {', '.join(absent)}")
    mc, sc, mf, sf = (float(value or 0.0) for value in given.values())
    if rule == "a":
        return mc + direction * 2 * sc
    if rule == "b":
        return mf - direction * 2 * sf
    return (sc * mf + sf * mc) / (sc + sf)


def thresholds(instruments: dict[str, Instrument]) -> pl.DataFrame:
    """One row per instrument for joining: direction, reliable threshold and whether it is inclusive, cut-off, range."""
    return pl.DataFrame(
        [
            {
                "instrument": one.key,
                "kind": one.kind,
                "direction": one.direction,
                "rc": one.reliable_threshold,
                "rc_inclusive": one.rc_inclusive,
                "cutoff": one.cutoff,
                "minimum": one.minimum,
                "maximum": one.maximum,
                "sem": one.sem_01,
            }
            for one in instruments.values()
        ],
        schema={
            "instrument": pl.String(),
            "kind": pl.String(),
            "direction": pl.Int64(),
            "rc": pl.Float64(),
            "rc_inclusive": pl.Boolean(),
            "cutoff": pl.Float64(),
            "minimum": pl.Float64(),
            "maximum": pl.Float64(),
            "sem": pl.Float64(),
        },
    )


ROUNDING = 1e-9  # scores are decimals with few digits; this only absorbs binary representation


def gain(first: pl.Expr, last: pl.Expr) -> pl.Expr:
    """Change in points, positive where it is for the better (needs column ``direction``)."""
    return (last - first) * pl.col("direction")


def is_reliable(points: pl.Expr) -> pl.Expr:
    """Whether a change of so many points is beyond measurement error (needs ``rc``, ``rc_inclusive``)."""
    return (
        pl.when(pl.col("rc_inclusive"))
        .then(points >= pl.col("rc") - ROUNDING)
        .otherwise(points > pl.col("rc") + ROUNDING)
    )


def is_clinical(score: pl.Expr) -> pl.Expr:
    """Whether a score is on the clinical side; one exactly at the cut-off is (needs ``cutoff``, ``direction``)."""
    return score * pl.col("direction") <= pl.col("cutoff") * pl.col("direction") + ROUNDING


def change_category(first: pl.Expr, last: pl.Expr, scores: pl.Expr) -> pl.Expr:
    """The category of change; not_enough_data under two scores or where the instrument has no reliable threshold."""
    better = gain(first, last)
    return (
        pl.when((scores < 2) | first.is_null() | last.is_null() | pl.col("rc").is_null())
        .then(pl.lit("not_enough_data"))
        .when(is_reliable(better) & is_clinical(first) & ~is_clinical(last))
        .then(pl.lit("recovered"))
        .when(is_reliable(better))
        .then(pl.lit("reliable_improvement"))
        .when(is_reliable(-better))
        .then(pl.lit("reliable_worsening"))
        .otherwise(pl.lit("no_reliable_change"))
    )
