"""Alliance ratings at the top of the scale say little."""

from __future__ import annotations

import polars as pl

from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal, raised
from dashboard.signals.wording import day, name, number


def _words(rules: Rules) -> str:
    return f"The last {rules.ceiling_sessions} or more alliance ratings by the client are all the best possible."


def _rule(context: Context) -> pl.DataFrame:
    return raised(
        context,
        pl.col("ceiling"),
        since=pl.col("ceiling_since"),
        value=pl.col("alliance_latest"),
        threshold=pl.col("alliance_latest"),
        evidence=pl.format(
            "{} at {} each time up to {}: these ratings are not informative.",
            name("alliance_instrument", context.instruments),
            number(pl.col("alliance_latest")),
            day("alliance_latest_on"),
        ),
    )


SIGNAL = Signal(
    key="ceiling",
    title="Ratings at ceiling: not informative",
    family="data",
    rule_words=_words,
    prompt="What would make it safe for this client to say that something did not suit them?",
    minimum_data="Three ratings by the client.",
    source="Project default; SRS ceiling (SRS narrative review 2020).",
    limits="May also be exactly how the client feels.",
    reviewed_on="2026-11-20",
    version="1",
    rule=_rule,
)
