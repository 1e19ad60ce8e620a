"""The outcome measure of an episode: baseline, latest, change and since when a finding has held."""

from __future__ import annotations

import polars as pl

from dashboard.analytics import reliable_change as rc
from dashboard.analytics.attendance import session_on
from dashboard.analytics.chosen import latest_rated, rated
from dashboard.analytics.places import run_begins, with_places
from dashboard.instruments.instrument import Instrument
from dashboard.settings import Rules


def outcome(
    totals: pl.DataFrame, diary: pl.DataFrame, asked: pl.DataFrame, instruments: dict[str, Instrument], rules: Rules
) -> pl.DataFrame:
    """One row per day asked, in the order of ``asked`` (stretch, known_to); null without an outcome score.

    ``worsening_since``: first day of the unbroken run to now that is reliably worse than the baseline.
    ``no_improvement_since``: first day of the unbroken run to now on which, from session ``rules.response_session`` on, a
    client who began on the clinical side is still there without reliable improvement (science 3.2; null where the
    instrument has no cut-off or no reliable threshold).
    """
    scored = with_places(rated(totals, rc.thresholds(instruments), "outcome"), "series")
    scored = scored.with_columns(
        session_on(diary, scored),
        baseline=scored["value"].gather(scored["first"]),
        baseline_on=scored["taken_on"].gather(scored["first"]),
    )
    value, first = pl.col("value"), pl.col("baseline")
    after_first = pl.col("row") > pl.col("first")
    judged = scored.with_columns(
        worsening=after_first & rc.is_reliable(-rc.gain(first, value)),
        no_improvement=(
            after_first
            & (pl.col("session_number") >= rules.response_session)
            & rc.is_clinical(first)
            & rc.is_clinical(value)
            & ~rc.is_reliable(rc.gain(first, value))
        ),
    )
    count = pl.col("row") - pl.col("first") + 1
    running = judged.with_columns(run_begins(c).alias(f"{c}_from") for c in ("worsening", "no_improvement")).select(
        outcome_instrument="instrument",
        scores=count,
        baseline="baseline",
        baseline_on="baseline_on",
        latest="value",
        latest_on="taken_on",
        latest_session="session_number",
        change=pl.when(count >= 2).then(value - first),
        change_category=rc.change_category(first, value, count),
        outcome_threshold="rc",
        cutoff="cutoff",
        direction="direction",
        still_clinical=rc.is_clinical(value),
        **{
            f"{c}_since": pl.when(pl.col(f"{c}_from") <= pl.col("row")).then(
                pl.lit(judged["taken_on"]).gather(pl.col(f"{c}_from").clip(0, max(0, judged.height - 1)))
            )
            for c in ("worsening", "no_improvement")
        },
    )
    return running.select(pl.all().gather(latest_rated(scored, asked, rules.preferred_outcome)))
