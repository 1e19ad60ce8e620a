"""Reliably worse than at the start."""

from __future__ import annotations

import polars as pl

from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal, raised
from dashboard.signals.wording import day, name, number


def _words(_rules: Rules) -> str:
    return "The latest score is worse than the first by more than measurement error (the instrument's reliable change)."


def _rule(context: Context) -> pl.DataFrame:
    return raised(
        context,
        pl.col("worsening_since").is_not_null(),
        since=pl.col("worsening_since"),
        value=pl.col("latest"),
        threshold=pl.col("baseline")
        + pl.when(pl.col("change") > 0).then(pl.col("outcome_threshold")).otherwise(-pl.col("outcome_threshold")),
        evidence=pl.format(
            "{} {} on {}, {} on {}: a change of {} points; {} or more is beyond measurement error.",
            name("outcome_instrument", context.instruments),
            number(pl.col("baseline")),
            day("baseline_on"),
            number(pl.col("latest")),
            day("latest_on"),
            number((pl.col("latest") - pl.col("baseline")).abs()),
            number(pl.col("outcome_threshold")),
        ),
    )


SIGNAL = Signal(
    key="reliable_worsening",
    title="Reliable worsening",
    family="outcome",
    rule_words=_words,
    prompt="What has changed since the first score, in therapy or outside it? Has it been talked about together?",
    minimum_data="Two scores of one outcome instrument that has a published reliable change.",
    source="Jacobson & Truax 1991; published thresholds per instrument; the rule itself is a project default.",
    limits="Scores also rise with life events; therapists rarely see worsening unaided (Hannan 2005: 1 of 40).",
    reviewed_on="2026-11-20",
    version="1",
    rule=_rule,
)
