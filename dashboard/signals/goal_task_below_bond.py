"""Agreement on goals or tasks rated below the bond: getting on, without wanting the same."""

from __future__ import annotations

import polars as pl

from dashboard.analytics.agreement import IN_A_ROW
from dashboard.analytics.fit import BY_KEY
from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal, raised
from dashboard.signals.wording import day, name

QUESTION = BY_KEY["goal_task_below_bond"]


def _words(_rules: Rules) -> str:
    return (
        "The client's rating of goals or of tasks lies below that of the bond by one usual spread or more (on a scale from 0 to "
        f"100), in the latest {IN_A_ROW} rated sessions or more."
    )


def _percent(column: str) -> pl.Expr:
    return (pl.col(column) * 100).round(0).cast(pl.Int64)


def _rule(context: Context) -> pl.DataFrame:
    return raised(
        context,
        pl.col("agreement_since").is_not_null(),
        since=pl.col("agreement_since"),
        value=pl.col("agreement_value"),
        threshold=pl.col("agreement_bond") - pl.col("agreement_limit"),
        evidence=pl.format(
            "{}: {} rated {} of 100, bond {}, in rated sessions since {}.",
            name("alliance_instrument", context.instruments),
            pl.col("agreement_part"),
            _percent("agreement_value"),
            _percent("agreement_bond"),
            day("agreement_since"),
        ),
    )


SIGNAL = Signal(
    key=QUESTION.key,
    title=QUESTION.title,
    family="fit",
    rule_words=_words,
    prompt=QUESTION.question,
    minimum_data="Two sessions rated on bond and on goals or tasks.",
    source=QUESTION.source,
    limits="Parts have few items and so a wide error; the spread used is a project default. Some ways of working set goals late.",
    reviewed_on="2026-11-25",
    version="1",
    rule=_rule,
)
