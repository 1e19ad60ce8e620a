"""What a signal is: a named, sourced rule that suggests a conversation, with its evidence and its question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from dashboard.instruments.instrument import Instrument
from dashboard.settings import Rules


@dataclass(frozen=True)
class Context:
    """What a rule may look at: features, risk answers, checks recorded, the practice's numbers."""

    features: pl.DataFrame
    risk_answers: pl.DataFrame
    safety_checks: pl.DataFrame
    instruments: dict[str, Instrument]
    rules: Rules


@dataclass(frozen=True)
class Signal:
    """One signal. ``rule`` gives RAISED rows (without ``signal``); ``version`` is raised whenever the rule changes."""

    key: str
    title: str
    family: str
    rule_words: Callable[[Rules], str]
    prompt: str
    minimum_data: str
    source: str
    limits: str
    reviewed_on: str
    version: str
    rule: Callable[[Context], pl.DataFrame]


def raised(
    context: Context, holds: pl.Expr, *, since: pl.Expr, value: pl.Expr, threshold: pl.Expr, evidence: pl.Expr
) -> pl.DataFrame:
    """RAISED rows (without ``signal``) of the open episodes for which a condition on their features holds."""
    said = {"since": since, "value": value, "threshold": threshold, "evidence": evidence}
    named = {column for one in (holds, *said.values()) for column in one.meta.root_names()}
    # only what the rule names: to filter all features for each rule took more memory than any other step
    found = context.features.select("episode_id", *sorted({*named, "is_open"} - {"episode_id"}))
    return found.filter(pl.col("is_open") & holds).select("episode_id", **said)
