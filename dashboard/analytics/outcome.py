"""The outcome measure of an episode: baseline, latest, change and since when a finding has held."""

from __future__ import annotations

import numpy as np
import polars as pl

from dashboard.analytics import reliable_change as rc
from dashboard.analytics.attendance import session_on
from dashboard.analytics.places import run_begins, with_places
from dashboard.instruments.instrument import Instrument
from dashboard.settings import Rules


def chosen(totals: pl.DataFrame, kind: pl.DataFrame, wanted: str, preferred: str = "") -> pl.DataFrame:
    """Per episode the client-rated instrument of that kind with most dated totals (ties: by key), and its totals.

    ``totals`` is in the order that ``scoring.totals`` gives; it is kept. ``preferred`` stands first wherever it has a score.
    Columns of ``kind`` (see ``thresholds``) come along.
    """
    kinds = kind.filter(pl.col("kind") == wanted)
    rated = totals.filter(
        (pl.col("scale") == "total")
        & (pl.col("respondent") == "client")
        & pl.col("instrument").is_in(kinds["instrument"].implode())
    )
    begins = pl.col("episode_id").ne_missing(pl.col("episode_id").shift(1)) | pl.col("instrument").ne_missing(
        pl.col("instrument").shift(1)
    )
    candidates = (
        rated.with_row_index("at")
        .filter(begins)
        .select("at", "episode_id", "instrument")
        .with_columns(count=pl.col("at").shift(-1, fill_value=rated.height) - pl.col("at"))
        .with_row_index("candidate")
    )
    best = (
        candidates.with_columns(second=pl.col("instrument") != preferred)
        .sort(["episode_id", "second", "count", "instrument"], descending=[False, False, True, False])
        .unique("episode_id", keep="first", maintain_order=True)
    )
    if best.height < candidates.height:
        wins = np.zeros(candidates.height, dtype=bool)
        wins[best["candidate"].to_numpy()] = True
        rated = rated.filter(pl.Series(np.repeat(wins, candidates["count"].to_numpy())))
    return rated.join(kinds, on="instrument", how="left", maintain_order="left")


def outcome(
    totals: pl.DataFrame, diary: pl.DataFrame, instruments: dict[str, Instrument], rules: Rules
) -> pl.DataFrame:
    """One row per episode with an outcome score.

    ``worsening_since``: first day of the unbroken run to now that is reliably worse than the baseline.
    ``no_improvement_since``: first day of the unbroken run to now on which, from session ``rules.response_session`` on, a
    client who began on the clinical side is still there without reliable improvement (science 3.2; null where the
    instrument has no cut-off or no reliable threshold).
    """
    scored = with_places(chosen(totals, rc.thresholds(instruments), "outcome", rules.preferred_outcome))
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
    last = judged.with_columns(run_begins(c).alias(f"{c}_from") for c in ("worsening", "no_improvement")).filter(
        "is_last"
    )
    count = pl.col("row") - pl.col("first") + 1
    return last.select(
        "episode_id",
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
                pl.lit(judged["taken_on"]).gather(pl.col(f"{c}_from").clip(0, judged.height - 1))
            )
            for c in ("worsening", "no_improvement")
        },
    )
