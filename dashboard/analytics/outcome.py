"""The outcome measure of an episode: baseline, latest, change and since when a finding has held."""

from __future__ import annotations

import polars as pl

from dashboard.analytics import reliable_change as rc
from dashboard.instruments.instrument import Instrument
from dashboard.settings import Rules


def chosen(totals: pl.DataFrame, kind: pl.DataFrame, wanted: str, preferred: str = "") -> pl.DataFrame:
    """Per episode the client-rated instrument of that kind with most dated totals (ties: by key), and its totals.

    ``preferred`` stands first wherever it has a score. Columns of ``kind`` (see ``thresholds``) come along.
    """
    rated = (
        totals.filter((pl.col("scale") == "total") & (pl.col("respondent") == "client"))
        .join(kind.filter(pl.col("kind") == wanted), on="instrument", how="inner")
        .sort(["episode_id", "instrument", "taken_on"])
    )
    best = (
        rated.group_by(["episode_id", "instrument"])
        .agg(count=pl.len())
        .with_columns(second=pl.col("instrument") != preferred)
        .sort(["episode_id", "second", "count", "instrument"], descending=[False, False, True, False])
        .unique("episode_id", keep="first", maintain_order=True)
    )
    return rated.join(best.select("episode_id", "instrument"), on=["episode_id", "instrument"], how="semi")


def _run_since(scored: pl.DataFrame, condition: str) -> pl.DataFrame:
    """First day of the unbroken run up to now on which ``condition`` held, for episodes where it holds now."""
    return (
        scored.with_columns(breaks=(~pl.col(condition)).cum_sum().over("episode_id"))
        .filter(pl.col(condition))
        .filter(pl.col("breaks") == pl.col("all_breaks"))
        .group_by("episode_id")
        .agg(pl.col("taken_on").min().alias(f"{condition}_since"))
    )


def outcome(
    totals: pl.DataFrame, sessions: pl.DataFrame, instruments: dict[str, Instrument], rules: Rules
) -> pl.DataFrame:
    """One row per episode with an outcome score.

    ``worsening_since``: first day of the unbroken run to now that is reliably worse than the baseline.
    ``no_improvement_since``: first day of the unbroken run to now on which, from session ``rules.response_session`` on, a
    client who began on the clinical side is still there without reliable improvement (science 3.2; null where the
    instrument has no cut-off or no reliable threshold).
    """
    scored = chosen(totals, rc.thresholds(instruments), "outcome", rules.preferred_outcome)
    numbered = (
        scored.sort(["taken_on", "episode_id"])
        .join_asof(
            sessions.select("episode_id", pl.col("day").alias("taken_on"), "session_number").sort(
                ["taken_on", "session_number"]
            ),
            on="taken_on",
            by="episode_id",
            strategy="backward",
            check_sortedness=False,
        )
        .sort(["episode_id", "taken_on"])
        .with_columns(baseline=pl.col("value").first().over("episode_id"))
    )
    value, first = pl.col("value"), pl.col("baseline")
    after_first = pl.col("taken_on") > pl.col("taken_on").first().over("episode_id")
    numbered = numbered.with_columns(
        worsening=(after_first & rc.is_reliable(-rc.gain(first, value))).fill_null(False),
        no_improvement=(
            after_first
            & (pl.col("session_number") >= rules.response_session)
            & rc.is_clinical(first)
            & rc.is_clinical(value)
            & ~rc.is_reliable(rc.gain(first, value))
        ).fill_null(False),
    )
    summary = numbered.group_by("episode_id", maintain_order=True).agg(
        outcome_instrument=pl.col("instrument").first(),
        scores=pl.len().cast(pl.Int64),
        baseline=pl.col("value").first(),
        baseline_on=pl.col("taken_on").first(),
        latest=pl.col("value").last(),
        latest_on=pl.col("taken_on").last(),
        latest_session=pl.col("session_number").last(),
        rc=pl.col("rc").first(),
        rc_inclusive=pl.col("rc_inclusive").first(),
        direction=pl.col("direction").first(),
        cutoff=pl.col("cutoff").first(),
    )
    summary = summary.with_columns(
        change=pl.when(pl.col("scores") >= 2).then(pl.col("latest") - pl.col("baseline")),
        change_category=rc.change_category(pl.col("baseline"), pl.col("latest"), pl.col("scores")),
        outcome_threshold=pl.col("rc"),
        still_clinical=rc.is_clinical(pl.col("latest")),
    )
    for condition in ("worsening", "no_improvement"):
        with_breaks = numbered.with_columns(all_breaks=(~pl.col(condition)).sum().over("episode_id"))
        summary = summary.join(_run_since(with_breaks, condition), on="episode_id", how="left")
    return summary.drop("rc", "rc_inclusive")
