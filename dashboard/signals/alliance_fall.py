"""A marked fall in the client's alliance rating at the last rating."""

from __future__ import annotations

import polars as pl

from dashboard.analytics import detector_record
from dashboard.analytics.rupture import ALLOWANCE, DECISION
from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal, raised
from dashboard.signals.wording import day, name, number


def _words(_rules: Rules) -> str:
    return (
        f"The latest rating lies below this client's own earlier ratings by {ALLOWANCE + DECISION:.1f} times their usual spread "
        "or more, or ratings in a row lie below by more than one spread each and what exceeds it adds up to "
        f"{DECISION:.1f} spreads."
    )


def _rule(context: Context) -> pl.DataFrame:
    return raised(
        context,
        pl.col("alliance_mark_latest") == "major",
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
    source="Spread after Gumz 2012, control charts after Eubanks-Carter 2012 and Lipner 2022; limits found by a contest.",
    limits=(
        f"In simulation {detector_record.SHIPPED.found:.0f} % of falls were found within one rated session, with "
        f"{detector_record.SHIPPED.false_per_100:.2f} false alarms per 100 ratings. A quiet chart does not prove that nothing "
        "happened, and early gain also lifts ratings."
    ),
    reviewed_on="2026-11-25",
    version="2",
    rule=_rule,
)
