"""Each day's features with what the models in force on that day say: expected range and risk of an unplanned ending."""

from __future__ import annotations

import polars as pl

from dashboard.analytics.alliance_low import low_below
from dashboard.analytics.expected_range import with_expected_range
from dashboard.analytics.features import JUDGED
from dashboard.analytics.hazard_risk import predict
from dashboard.analytics.hazard_rows import HAZARD_SESSIONS, hazard_rows
from dashboard.analytics.places import run_begins, with_places
from dashboard.replay.course import with_session_reached
from dashboard.replay.learning import Learned, Models

SINCE = ("off_track_since", "alliance_low_since")
RISKS = {
    "dropout_next_session": "next_session",
    "dropout_next_4": "next_4",
    "dropout_next_4_low": "next_4_low",
    "dropout_next_4_high": "next_4_high",
    "dropout_usual_4": "usual_4",
    "dropout_relative": "relative",
    "dropout_reasons": "reasons",
}


def _risks(part: pl.DataFrame, sessions: pl.DataFrame, models: Models) -> pl.DataFrame:
    """Risk of the latest session known, for open episodes that have one; the rest stays null."""
    asked = part.filter(pl.col("is_open") & (pl.col("reached") > 0)).select(
        "episode_id", pl.col("reached").alias("session_number")
    )
    if asked.is_empty():
        return part.with_columns(pl.lit(None, dtype=JUDGED[name]).alias(name) for name in RISKS)
    past = sessions.join(asked.select("episode_id").unique(), on="episode_id", how="semi", maintain_order="left")
    past = past.filter(pl.col("as_of") <= part["as_of"].max())
    rows = hazard_rows(past.select(HAZARD_SESSIONS.schema.keys()), models.hazard.norms)
    wanted = pl.DataFrame({"episode_id": rows.episode, "session_number": rows.session}).join(
        asked.unique().with_columns(wanted=pl.lit(True)),
        on=["episode_id", "session_number"],
        how="left",
        maintain_order="left",
    )["wanted"]
    said = predict(models.hazard, rows.only(wanted.fill_null(False).to_numpy()))
    found = said.select(
        "episode_id",
        pl.col("session_number").alias("reached"),
        *(pl.col(theirs).alias(ours) for ours, theirs in RISKS.items()),
    )
    joined = part.join(found, on=["episode_id", "reached"], how="left", maintain_order="left")
    return joined.with_columns(
        pl.when("is_open")
        .then(pl.col(name).replace("", None) if name == "dropout_reasons" else pl.col(name))
        .alias(name)
        for name in RISKS
    )


def judged(real: pl.DataFrame, sessions: pl.DataFrame, learned: Learned) -> pl.DataFrame:
    """``real`` with JUDGED filled in, in its own order.

    ``real``: features keyed by real episode and day, sorted so. ``sessions``: SESSIONS of the same episodes.
    """
    placed = with_session_reached(real.drop(JUDGED)).with_row_index("in_order")
    fitted = pl.Series([one.fitted_on for one in learned.models], dtype=pl.Date)
    placed = placed.with_columns(models=fitted.search_sorted(placed["as_of"], side="right").cast(pl.Int64) - 1)
    parts = []
    for (number,), part in placed.partition_by("models", as_dict=True, maintain_order=True).items():
        models = learned.models[int(str(number))]
        part = part.with_columns(alliance_low_below=low_below(models.hazard.norms))
        parts.append(_risks(with_expected_range(part, models.ranges), sessions, models))
    if not parts:
        return real
    columns = [*(c for c in real.columns if c not in JUDGED), *(c for c in JUDGED if c not in SINCE)]
    together = pl.concat(part.select("in_order", *columns) for part in parts).sort("in_order")
    return _with_since(together).select(real.columns)


def _with_since(said: pl.DataFrame) -> pl.DataFrame:
    """SINCE: day of the score with which the unbroken run began, beyond the unfavourable edge or low for this practice."""
    placed = with_places(
        said.with_columns(
            off=pl.col("on_track") == "not_on_track", low=pl.col("alliance_mean") <= pl.col("alliance_low_below")
        )
    )

    def since(run: str, day: str) -> pl.Expr:
        begins = placed.select(run_begins(run)).to_series().clip(0, max(0, placed.height - 1))
        return pl.when(pl.col(run).fill_null(False)).then(placed[day].gather(begins))

    return placed.with_columns(
        off_track_since=since("off", "latest_on"), alliance_low_since=since("low", "alliance_latest_on")
    )
