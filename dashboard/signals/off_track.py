"""Beyond the range that is usual for clients who began with the same score."""

from __future__ import annotations

import polars as pl

from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal, raised
from dashboard.signals.wording import day, name, number


def _words(_rules: Rules) -> str:
    return (
        "The latest score lies beyond the unfavourable edge of the expected range: the range in which 8 of 10 clients with the "
        "same first score lie at this session."
    )


def _within(column: str, context: Context) -> pl.Expr:
    """A limit in words: no score lies beyond the ends of the scale."""
    ends = {key: one for key, one in context.instruments.items() if one.usable}
    low, high = (
        pl.col("outcome_instrument").replace_strict(
            {key: float(getattr(one, end)) for key, one in ends.items()}, default=None, return_dtype=pl.Float64
        )
        for end in ("minimum", "maximum")
    )
    return pl.col(column).clip(low, high)


def _rule(context: Context) -> pl.DataFrame:
    edge = pl.when(pl.col("latest") > pl.col("expected_high")).then("expected_high").otherwise("expected_low")
    return raised(
        context,
        (pl.col("on_track") == "not_on_track") & pl.col("worsening_since").is_null(),
        since=pl.col("off_track_since"),
        value=pl.col("latest"),
        threshold=edge,
        evidence=pl.format(
            "{} {} on {} at session {}, first score {}; expected {} to {}. About 1 in 10 typical clients would be beyond this "
            "line.",
            name("outcome_instrument", context.instruments),
            number(pl.col("latest")),
            day("latest_on"),
            pl.col("latest_session"),
            number(pl.col("baseline")),
            number(_within("expected_low", context)),
            number(_within("expected_high", context)),
        ),
    )


SIGNAL = Signal(
    key="off_track",
    title="Beyond the expected range",
    family="outcome",
    rule_words=_words,
    prompt="What is different for this client, and has the two of you talked about how it is going?",
    minimum_data="Two scores of one outcome measure, the later at session 2 or after, and a range for that measure.",
    source="Delgadillo 2018 and Lutz 2005 (80 % range, logarithm of sessions); the published course is derived from NHS Talking "
    "Therapies 2022-23; blended with this practice's own closed episodes.",
    limits="One score can be off by measurement error. Feedback on such cases helps a little (d = 0.17, de Jong 2021).",
    reviewed_on="2026-11-25",
    version="1",
    rule=_rule,
)
