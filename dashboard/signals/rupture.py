"""A possible rupture that has not mended."""

from __future__ import annotations

import polars as pl

from dashboard.analytics import detector_record
from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal, raised
from dashboard.signals.wording import day, name, number

STATE_WORDS = {
    "open": "Not yet back near the earlier level.",
    "unrated": "Not rated since: unknown whether it mended.",
    "unrepaired": "Three ratings later, or without return, not back near the earlier level.",
}


def _words(_rules: Rules) -> str:
    return (
        "After a marked fall the rating has not come at least half-way back to within one spread of the earlier level "
        "(repaired: within three further ratings)."
    )


def _rule(context: Context) -> pl.DataFrame:
    return raised(
        context,
        pl.col("rupture").is_in(list(STATE_WORDS)) & ~((pl.col("rupture") == "unrepaired") & pl.col("rupture_back")),
        since=pl.col("rupture_since"),
        value=pl.col("rupture_nadir"),
        threshold=pl.col("alliance_reference"),
        evidence=pl.format(
            "{} fell on {}, lowest {} against an earlier level of {}. {}",
            name("alliance_instrument", context.instruments),
            day("rupture_since"),
            number(pl.col("rupture_nadir")),
            number(pl.col("alliance_reference")),
            pl.col("rupture").replace_strict(STATE_WORDS, return_dtype=pl.String),
        ),
    )


SIGNAL = Signal(
    key="rupture_open",
    title="Possible rupture, not yet repaired",
    family="alliance",
    rule_words=_words,
    prompt="How might this be named and repaired together? What would the client say about the last sessions?",
    minimum_data="Three ratings by the client before the fall.",
    source="Larsson 2018 (n = 605), Eubanks 2018, Chen 2018; limits are project defaults.",
    limits=(
        f"A possible rupture, not a fact: in simulation {detector_record.SHIPPED.precision:.0f} % of falls that raised it were "
        "true ones."
    ),
    reviewed_on="2026-11-25",
    version="2",
    rule=_rule,
)
