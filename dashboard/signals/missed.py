"""Several recent appointments missed or cancelled late."""

from __future__ import annotations

import polars as pl

from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal, raised
from dashboard.signals.wording import day


def _words(rules: Rules) -> str:
    return (
        f"{rules.missed_of_recent} or more of the last {rules.recent_appointments} appointments were not attended "
        "or cancelled late by the client."
    )


def _rule(context: Context) -> pl.DataFrame:
    rules = context.rules
    return raised(
        context,
        pl.col("missed_recent") >= rules.missed_of_recent,
        since=pl.col("missed_since"),
        value=pl.col("missed_recent").cast(pl.Float64),
        threshold=pl.lit(float(rules.missed_of_recent)),
        evidence=pl.format(
            "{} of the last {} appointments not attended or cancelled late, most recently on {}.",
            pl.col("missed_recent"),
            pl.lit(rules.recent_appointments),
            day("last_missed_on"),
        ),
    )


SIGNAL = Signal(
    key="missed_appointments",
    title="Missed appointments",
    family="retention",
    rule_words=_words,
    prompt="What might the missed appointments be saying? Has it been possible to ask?",
    minimum_data="As many past appointments as are missed.",
    source="Yang 2020, Xiao 2017 (missed sessions precede leaving); numbers are project defaults.",
    limits="Illness, work and transport also keep people away.",
    reviewed_on="2026-11-20",
    version="1",
    rule=_rule,
)
