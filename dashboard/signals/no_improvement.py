"""No reliable improvement by the sixth session."""

from __future__ import annotations

import polars as pl

from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal, raised
from dashboard.signals.wording import day, name, number


def _words(rules: Rules) -> str:
    return (
        f"At session {rules.response_session} or later the score is still on the clinical side of the cut-off, where it began, "
        "and has not improved by more than measurement error."
    )


def _rule(context: Context) -> pl.DataFrame:
    return raised(
        context,
        pl.col("no_improvement_since").is_not_null() & pl.col("worsening_since").is_null(),
        since=pl.col("no_improvement_since"),
        value=pl.col("latest"),
        threshold=pl.col("outcome_threshold"),
        evidence=pl.format(
            "{} {} on {}, {} on {} at session {}; changes under {} points can be chance.",
            name("outcome_instrument", context.instruments),
            number(pl.col("baseline")),
            day("baseline_on"),
            number(pl.col("latest")),
            day("latest_on"),
            pl.col("latest_session"),
            number(pl.col("outcome_threshold")),
        ),
    )


SIGNAL = Signal(
    key="no_improvement_by_6",
    title="No reliable improvement by session 6",
    family="outcome",
    rule_words=_words,
    prompt="What might be getting in the way: how we work together, motivation, support, life events, or the measure itself?",
    minimum_data="A first score on the clinical side and a later one at session 6 or after.",
    source="Project default, anchored on late responders until session 6 (Saunders 2019, n = 4,394).",
    limits="Some clients improve late or on what this measure does not ask.",
    reviewed_on="2026-11-20",
    version="1",
    rule=_rule,
)
