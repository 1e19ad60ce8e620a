"""The signals, in the order in which they are listed, and their evaluation."""

from __future__ import annotations

import hashlib
import json

import polars as pl

from dashboard.contracts import RAISED
from dashboard.instruments.instrument import Instrument
from dashboard.settings import Rules
from dashboard.signals import (
    alliance_fall,
    ceiling,
    change_requested,
    dropout_raised,
    early_alliance_low,
    goal_task_below_bond,
    missed,
    no_contact,
    no_improvement,
    no_recent_measure,
    nothing_booked,
    off_track,
    preference_unmet,
    reliable_worsening,
    risk_item,
    rupture,
)
from dashboard.signals.signal import Context, Signal

SIGNALS: tuple[Signal, ...] = (
    risk_item.SIGNAL,
    reliable_worsening.SIGNAL,
    off_track.SIGNAL,
    no_improvement.SIGNAL,
    alliance_fall.SIGNAL,
    rupture.SIGNAL,
    change_requested.SIGNAL,
    early_alliance_low.SIGNAL,
    goal_task_below_bond.SIGNAL,
    preference_unmet.SIGNAL,
    no_contact.SIGNAL,
    dropout_raised.SIGNAL,
    missed.SIGNAL,
    nothing_booked.SIGNAL,
    no_recent_measure.SIGNAL,
    ceiling.SIGNAL,
)
BY_KEY = {signal.key: signal for signal in SIGNALS}


def evaluate(context: Context) -> pl.DataFrame:
    """Every raised signal (RAISED with ``family`` and ``rule_version``), sorted; closed episodes raise safety ones only."""
    parts = [
        signal.rule(context).select(
            pl.col("episode_id").cast(pl.Int64),
            pl.lit(signal.key).alias("signal"),
            pl.col("since").cast(pl.Date),
            pl.col("value").cast(pl.Float64),
            pl.col("threshold").cast(pl.Float64),
            pl.col("evidence").cast(pl.String),
            pl.lit(signal.family).alias("family"),
            pl.lit(signal.version).alias("rule_version"),
        )
        for signal in SIGNALS
    ]
    raised = pl.concat(parts).sort(["episode_id", "signal", "since"])
    RAISED.check(raised.select(RAISED.schema.keys()))
    return raised


def rules_version(rules: Rules, instruments: dict[str, Instrument]) -> str:
    """A short name made from content: the signals' versions, the practice's numbers, the instruments' thresholds."""
    content = {
        "signals": {signal.key: signal.version for signal in SIGNALS},
        "rules": rules.as_json(),
        "instruments": {key: one.model_dump(mode="json") for key, one in sorted(instruments.items())},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
