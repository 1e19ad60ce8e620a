"""No attended session for longer than the practice's limit."""

from __future__ import annotations

import polars as pl

from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal, raised
from dashboard.signals.wording import day


def _words(rules: Rules) -> str:
    return (
        f"No attended session for more than {rules.no_contact_days} days and nothing booked; days of the clinician's leave do "
        "not count."
    )


def _rule(context: Context) -> pl.DataFrame:
    limit = context.rules.no_contact_days
    seen = pl.when(pl.col("last_attended_on").is_null()).then(pl.lit("Opened")).otherwise(pl.lit("Last seen"))
    return raised(
        context,
        (pl.col("no_contact_on") <= pl.col("as_of")) & pl.col("next_booked_on").is_null(),
        since=pl.col("no_contact_on"),
        value=pl.col("days_since_contact").cast(pl.Float64),
        threshold=pl.lit(float(limit)),
        evidence=pl.format(
            "{} on {}, nothing booked; the practice's limit is {} days.", seen, day("last_contact_on"), pl.lit(limit)
        ),
    )


SIGNAL = Signal(
    key="no_contact",
    title="No contact past the limit",
    family="retention",
    rule_words=_words,
    prompt="What is known about where this client is, and who will get in touch?",
    minimum_data="An open episode.",
    source="The practice's own no-contact limit (project default 28 days).",
    limits="A client's holidays and agreed pauses look the same; the clinician's answer tells them apart.",
    reviewed_on="2026-11-20",
    version="2",
    rule=_rule,
)
