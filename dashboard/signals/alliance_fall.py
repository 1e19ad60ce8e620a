"""A marked fall in the client's alliance rating at the last rating."""

from __future__ import annotations

import polars as pl

from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal
from dashboard.signals.wording import day, name, number


def _words(_rules: Rules) -> str:
    return (
        "The latest rating lies below this client's own earlier ratings by twice their usual spread or more, below the lower "
        "limit of their individuals chart, or three falls in a row add up to as much."
    )


def _rule(context: Context) -> pl.DataFrame:
    fell = context.features.filter(pl.col("alliance_mark_latest") == "major")
    return fell.select(
        "episode_id",
        since=pl.col("alliance_latest_on"),
        value=pl.col("alliance_latest"),
        threshold=pl.col("alliance_major_below"),
        evidence=pl.format(
            "{} {} on {}; this client's own earlier level {}, a fall of {} points.",
            name("alliance_instrument", context.instruments),
            number(pl.col("alliance_latest")),
            day("alliance_latest_on"),
            number(pl.col("alliance_reference")),
            number(pl.col("alliance_drop").abs()),
        ),
    )


SIGNAL = Signal(
    key="alliance_fall",
    title="Fall in the alliance rating",
    family="alliance",
    rule_words=_words,
    prompt="What may have happened between you around that session, and has it been possible to ask about it?",
    minimum_data="Three earlier ratings by the client and one to compare.",
    source="Gumz 2012 and individuals charts (Eubanks-Carter 2012, Lipner 2022); limits are project defaults.",
    limits="Ratings only hint: a quiet chart does not prove that nothing happened, and early gain also lifts ratings.",
    reviewed_on="2026-11-20",
    version="1",
    rule=_rule,
)
