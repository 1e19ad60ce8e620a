"""The client asked for a change: another clinician, another way of working, another time or place."""

from __future__ import annotations

import polars as pl

from dashboard.analytics.fit import BY_KEY
from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal, raised
from dashboard.signals.wording import day

QUESTION = BY_KEY["change_requested"]


def _words(_rules: Rules) -> str:
    return "The record of an open episode says that the client asked for a change."


def _rule(context: Context) -> pl.DataFrame:
    return raised(
        context,
        pl.col("change_requested_on").is_not_null(),
        since=pl.col("change_requested_on"),
        value=pl.lit(None, dtype=pl.Float64),
        threshold=pl.lit(None, dtype=pl.Float64),
        evidence=pl.format("The client asked for a change on {}.", day("change_requested_on")),
    )


SIGNAL = Signal(
    key=QUESTION.key,
    title=QUESTION.title,
    family="fit",
    rule_words=_words,
    prompt=QUESTION.question,
    minimum_data="A recorded day on which the client asked.",
    source=QUESTION.source,
    limits="Only what was written down; what was asked for is not in the data.",
    reviewed_on="2026-11-25",
    version="1",
    rule=_rule,
)
