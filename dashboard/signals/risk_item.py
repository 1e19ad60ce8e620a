"""A risk item answered above zero: check that it was followed up. Outside every score, rank and model."""

from __future__ import annotations

import polars as pl

from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal
from dashboard.signals.wording import day, name

KEY = "risk_item"


def _words(_rules: Rules) -> str:
    return "PHQ-9 item 9 or CORE-10 item 6 was answered above zero, and nobody has recorded that it was checked."


def _rule(context: Context) -> pl.DataFrame:
    checked = context.safety_checks.filter(pl.col("signal") == KEY).select("episode_id", "since").unique()
    answered = (
        context.risk_answers.filter(pl.col("value") > 0)
        .rename({"taken_on": "since"})
        .join(checked, on=["episode_id", "since"], how="anti")
        .sort(["episode_id", "since", "instrument"])
        .unique(["episode_id", "since"], keep="first", maintain_order=True)
    )
    return answered.select(
        "episode_id",
        "since",
        value=pl.lit(None, dtype=pl.Float64),
        threshold=pl.lit(0.0),
        evidence=pl.format(
            "{} item {} answered above zero on {}: check it was followed up.",
            name("instrument", context.instruments),
            pl.col("item"),
            day("since"),
        ),
    )


SIGNAL = Signal(
    key=KEY,
    title="Risk item answered above zero",
    family="safety",
    rule_words=_words,
    prompt="Was this followed up at the time, and what was agreed?",
    minimum_data="The single item's answer (a total alone does not tell).",
    source="PHQ-9 item 9 (LOINC 44260-8), CORE-10 item 6: any answer above zero prompts clinical review.",
    limits="This is not a crisis tool. Do not wait for supervision if someone may be at risk.",
    reviewed_on="2026-11-20",
    version="1",
    rule=_rule,
)
