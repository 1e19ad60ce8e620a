"""A preference that the client stated is recorded as not met."""

from __future__ import annotations

import polars as pl

from dashboard.analytics.fit import BY_KEY
from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal, raised

QUESTION = BY_KEY["preference_unmet"]


def _words(_rules: Rules) -> str:
    return "The record of an open episode says that a stated preference of the client (format, time, clinician) is not met."


def _rule(context: Context) -> pl.DataFrame:
    return raised(
        context,
        pl.col("preference_met") == "no",
        since=pl.col("opened_on"),
        value=pl.lit(None, dtype=pl.Float64),
        threshold=pl.lit(None, dtype=pl.Float64),
        evidence=pl.lit("A preference that the client stated is recorded as not met; counted from the opening."),
    )


SIGNAL = Signal(
    key=QUESTION.key,
    title=QUESTION.title,
    family="fit",
    rule_words=_words,
    prompt=QUESTION.question,
    minimum_data="A record of whether the client's preference is met.",
    source=QUESTION.source,
    limits="What was preferred is not in the data, and many wishes are never recorded.",
    reviewed_on="2026-11-25",
    version="1",
    rule=_rule,
)
