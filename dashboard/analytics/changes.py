"""Baseline, latest and change of every questionnaire in an episode, for the change table."""

from __future__ import annotations

import polars as pl

from dashboard.analytics import reliable_change as rc
from dashboard.instruments.instrument import Instrument


def changes(totals: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """One row per episode, instrument, scale and respondent, outcome measures first.

    Columns: episode_id, kind, instrument, scale, respondent, scores, baseline, baseline_on, latest, latest_on, change,
    change_category, rc (points of reliable change), cutoff, crossed (null without a cut-off or under two scores). Reliable
    change and cut-off apply to totals only; subscales say not_enough_data there, never "no change".
    """
    known = totals.join(rc.thresholds(instruments), on="instrument", how="inner").sort(["episode_id", "taken_on"])
    is_total = pl.col("scale") == "total"
    return (
        known.with_columns(
            rc=pl.when(is_total & (pl.col("kind") == "outcome")).then(pl.col("rc")),
            cutoff=pl.when(is_total).then(pl.col("cutoff")),
        )
        .group_by(["episode_id", "kind", "instrument", "scale", "respondent"], maintain_order=True)
        .agg(
            scores=pl.len().cast(pl.Int64),
            baseline=pl.col("value").first(),
            baseline_on=pl.col("taken_on").first(),
            latest=pl.col("value").last(),
            latest_on=pl.col("taken_on").last(),
            rc=pl.col("rc").first(),
            rc_inclusive=pl.col("rc_inclusive").first(),
            cutoff=pl.col("cutoff").first(),
            direction=pl.col("direction").first(),
        )
        .with_columns(
            change=pl.when(pl.col("scores") >= 2).then(pl.col("latest") - pl.col("baseline")),
            change_category=rc.change_category(pl.col("baseline"), pl.col("latest"), pl.col("scores")),
            crossed=pl.when(pl.col("scores") >= 2).then(
                rc.is_clinical(pl.col("baseline")) & ~rc.is_clinical(pl.col("latest"))
            ),
        )
        .sort(
            ["episode_id", "kind", "instrument", pl.col("scale") != "total", "scale", "respondent"],
            descending=[False, True, False, False, False, False],
        )
    )
