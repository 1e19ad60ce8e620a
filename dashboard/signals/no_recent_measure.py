"""Nothing measured recently."""

from __future__ import annotations

import polars as pl

from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal, raised
from dashboard.signals.wording import day


def _words(rules: Rules) -> str:
    return (
        f"Sessions go on, and the last score is more than {rules.stale_measure_days} days older than the last session, "
        "or there is none since the first session as long ago."
    )


def _rule(context: Context) -> pl.DataFrame:
    limit = context.rules.stale_measure_days
    measured_from = pl.coalesce("last_measure_on", "first_attended_on")
    return raised(
        context,
        (pl.col("last_attended_on") - measured_from).dt.total_days() > limit,
        since=measured_from + pl.duration(days=limit + 1),
        value=pl.lit(None, dtype=pl.Float64),
        threshold=pl.lit(float(limit)),
        evidence=pl.when(pl.col("last_measure_on").is_null())
        .then(pl.format("No score since the first session on {}.", day("first_attended_on")))
        .otherwise(pl.format("Last score on {}, last session on {}.", day("last_measure_on"), day("last_attended_on"))),
    )


SIGNAL = Signal(
    key="no_recent_measure",
    title="No recent measure",
    family="data",
    rule_words=_words,
    prompt="What makes it hard to measure here, and what would make it worth the client's while?",
    minimum_data="One attended session.",
    source="Project default (21 days).",
    limits="Says nothing about how the client is.",
    reviewed_on="2026-11-20",
    version="1",
    rule=_rule,
)
