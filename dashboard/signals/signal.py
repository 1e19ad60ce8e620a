"""What a signal is: a named, sourced rule that suggests a conversation, with its evidence and its question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from dashboard.instruments.instrument import Instrument
from dashboard.settings import Rules


@dataclass(frozen=True)
class Context:
    """What a rule may look at: features of open episodes, risk answers, checks recorded, the practice's numbers."""

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
    open_only: bool = True  # false: stands on closed episodes too
