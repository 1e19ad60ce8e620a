"""The chance of an ending without agreement is well above what is usual at this session."""

from __future__ import annotations

import polars as pl

from dashboard.analytics.hazard_terms import REASONS
from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal, raised
from dashboard.signals.wording import in_frequency


def _words(rules: Rules) -> str:
    return (
        f"The estimated chance that the last session was the last one is more than {rules.dropout_raised:g} times what is usual "
        "here at that session number."
    )


def _reasons() -> pl.Expr:
    said = pl.col("dropout_reasons")
    for code, words in REASONS.items():
        said = said.str.replace(code, words, literal=True)
    return (
        pl.when(said.is_not_null())
        .then(pl.format(" What speaks for it: {}.", said.str.replace_all(";", ", ")))
        .otherwise(pl.lit(""))
    )


def _rule(context: Context) -> pl.DataFrame:
    # somebody whose only session was withdrawn by a correction has a course but no session to speak of
    return raised(
        context,
        (pl.col("dropout_relative") > context.rules.dropout_raised) & pl.col("last_attended_on").is_not_null(),
        since=pl.col("last_attended_on"),
        value=pl.col("dropout_relative"),
        threshold=pl.lit(context.rules.dropout_raised),
        evidence=pl.format(
            "{} end without agreement within four sessions from here; usual at session {}: {}.{}",
            in_frequency(pl.col("dropout_next_4"), capital=True),
            pl.col("sessions_attended"),
            in_frequency(pl.col("dropout_usual_4")),
            _reasons(),
        ),
    )


SIGNAL = Signal(
    key="dropout_raised",
    title="May end without agreement",
    family="retention",
    rule_words=_words,
    prompt="What might this client find hard to say about coming, and how could it be asked?",
    minimum_data="One attended session.",
    source="Published predictors (Sharf 2010, Swift & Greenberg 2012, Yang 2020, Swift 2018 and others) as priors, this "
    "practice's own endings on top; the limit is a project default (science 5.4: more than three times usual).",
    limits="An estimate about clients like this one, not about this client: most of those flagged stay. How well it has done "
    "here is shown on this page.",
    reviewed_on="2026-11-25",
    version="2",
    rule=_rule,
)
