"""Early ratings of the working relationship that are low for this practice."""

from __future__ import annotations

import polars as pl

from dashboard.analytics.alliance_low import RATINGS
from dashboard.analytics.fit import BY_KEY, early_low
from dashboard.instruments.instrument import Instrument
from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal, raised
from dashboard.signals.wording import name, number

QUESTION = BY_KEY["early_alliance_low"]


def _words(rules: Rules) -> str:
    return (
        f"From session {rules.early_alliance_from} to {rules.early_alliance_to}, the mean of this client's ratings so far, drawn "
        "towards the practice's mean the more the fewer they are, lies where one client in ten or fewer of the practice would."
    )


def _points(column: str, instruments: dict[str, Instrument]) -> pl.Expr:
    """From 0-1, higher better, back to the instrument's points."""
    known = {key: one for key, one in instruments.items() if one.kind == "alliance" and one.usable}

    def of(field: str) -> pl.Expr:
        values = {key: float(getattr(one, field)) for key, one in known.items()}
        return pl.col("alliance_instrument").replace_strict(values, default=None, return_dtype=pl.Float64)

    way = pl.col(column) * (of("maximum") - of("minimum"))
    return pl.when(of("direction") > 0).then(of("minimum") + way).otherwise(of("maximum") - way)


def _rule(context: Context) -> pl.DataFrame:
    value, limit = (_points(column, context.instruments) for column in ("alliance_mean", "alliance_low_below"))
    return raised(
        context,
        early_low(context.rules),
        since=pl.col("alliance_low_since"),
        value=value,
        threshold=limit,
        evidence=pl.format(
            "{}: mean of {} ratings up to session {} is {}; after so many ratings {} or worse is low for this practice.",
            name("alliance_instrument", context.instruments),
            pl.col("alliance_scores"),
            pl.col("sessions_attended"),
            number(value),
            number(limit),
        ),
    )


SIGNAL = Signal(
    key=QUESTION.key,
    title=QUESTION.title,
    family="fit",
    rule_words=_words,
    prompt=QUESTION.question,
    minimum_data=f"Three sessions and {RATINGS} ratings by the client on one questionnaire.",
    source=QUESTION.source,
    limits="A low early rating may be candour, which is useful, and early gain also lifts ratings. One client in ten is low by "
    "definition of the line.",
    reviewed_on="2026-11-25",
    version="1",
    rule=_rule,
)
