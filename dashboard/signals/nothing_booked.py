"""An open episode with no next appointment."""

from __future__ import annotations

import polars as pl

from dashboard.settings import Rules
from dashboard.signals.signal import Context, Signal, raised
from dashboard.signals.wording import day


def _words(rules: Rules) -> str:
    return (
        f"Nothing is booked {rules.booking_grace_days} days after the last session; a clinician's leave does not count."
    )


def _rule(context: Context) -> pl.DataFrame:
    return raised(
        context,
        pl.col("next_booked_on").is_null()
        & pl.col("last_attended_on").is_not_null()
        & (pl.col("unbooked_on") <= pl.col("as_of"))
        & (pl.col("as_of") < pl.col("no_contact_on")),
        since=pl.col("unbooked_on"),
        value=pl.lit(0.0),
        threshold=pl.lit(1.0),
        evidence=pl.format("Last session on {}, no appointment ahead.", day("last_attended_on")),
    )


SIGNAL = Signal(
    key="nothing_booked",
    title="Nothing booked",
    family="retention",
    rule_words=_words,
    prompt="Is a next appointment agreed, or is an ending being talked about?",
    minimum_data="One attended session.",
    source="Project default; a missing next appointment is where contact is most easily lost.",
    limits="Bookings must be recorded for this to mean anything. Past the no-contact limit that signal stands instead.",
    reviewed_on="2026-11-20",
    version="2",
    rule=_rule,
)
