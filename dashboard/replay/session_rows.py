"""One row per appointment: what the evaluation of its day said, and the scores that belong to it."""

from __future__ import annotations

import polars as pl

SESSIONS = {
    "episode_id": pl.Int64(),
    "appointment_id": pl.Int64(),
    "session_number": pl.Int64(),
    "starts_at": pl.Datetime("us"),
    "status": pl.String(),
    "outcome": pl.Float64(),
    "alliance": pl.Float64(),
    "alliance_reference": pl.Float64(),
    "alliance_mark": pl.String(),
    "expected_low": pl.Float64(),
    "expected_high": pl.Float64(),
    "dropout_hazard": pl.Float64(),
    "dropout_next_4": pl.Float64(),
}
# a column here and the feature it is
OUTCOME = {"outcome": "latest", "expected_low": "expected_low", "expected_high": "expected_high"}
ALLIANCE = {
    "alliance": "alliance_latest",
    "alliance_reference": "alliance_reference",
    "alliance_mark": "alliance_mark_latest",
}
LEAVING = ("dropout_hazard", "dropout_next_4")


def sessions_said(
    now: pl.DataFrame, at_day: pl.DataFrame, appointments: pl.DataFrame, links: pl.DataFrame
) -> pl.DataFrame:
    """SESSIONS: appointments up to today as known now; their values as the evaluation of a day gave them.

    ``now``: states of today; ``at_day``: features of every day. A score belongs to the appointment that it names, else to that of
    its own day; ``links`` (episode_id, appointment_id, instrument, taken_on): those that name one of another day. The values of
    such a score are those of the first day on which it was the latest.
    """
    past = (
        appointments.join(now.select("episode_id", "as_of"), on="episode_id")
        .with_columns(day=pl.col("starts_at").dt.date())
        .filter(pl.col("day") <= pl.col("as_of"))
        .sort(["episode_id", "starts_at", "appointment_id"])
    )
    attended = pl.col("status") == "attended"
    numbered = past.with_columns(
        session_number=pl.when(attended).then(attended.cast(pl.Int64).cum_sum().over("episode_id"))
    )
    on_day = pl.col("latest_on") == pl.col("as_of")
    rated = pl.col("alliance_latest_on") == pl.col("as_of")
    seen = pl.col("last_attended_on") == pl.col("as_of")
    said = at_day.select(
        "episode_id",
        pl.col("as_of").alias("day"),
        *(pl.when(on_day).then(pl.col(theirs)).alias(ours) for ours, theirs in OUTCOME.items()),
        *(pl.when(rated).then(pl.col(theirs)).alias(ours) for ours, theirs in ALLIANCE.items()),
        dropout_hazard=pl.when(seen).then(pl.col("dropout_next_session")),
        dropout_next_4=pl.when(seen).then(pl.col("dropout_next_4")),
    )
    joined = numbered.join(said, on=["episode_id", "day"], how="left", maintain_order="left")
    if links.height:
        joined = _with_linked(joined, at_day, now, links)
    return joined.with_columns(pl.when(attended).then(pl.col(c)).alias(c) for c in LEAVING).select(
        pl.col(name).cast(dtype) for name, dtype in SESSIONS.items()
    )


def _first_said(at_day: pl.DataFrame, taken: str, columns: dict[str, str]) -> pl.DataFrame:
    """What was said of each score on the first day on which it was the latest: its own, or the episode's first after it."""
    return (
        at_day.drop_nulls(taken)
        .sort(["episode_id", "as_of"])
        .unique(["episode_id", taken], keep="first", maintain_order=True)
        .select(
            "episode_id",
            pl.col(taken).alias("taken_on"),
            *(pl.col(theirs).alias(ours) for ours, theirs in columns.items()),
        )
    )


def _with_linked(rows: pl.DataFrame, at_day: pl.DataFrame, now: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Moves the values of linked scores from the appointment of their day to the one that they name."""
    for instrument, taken, columns in (
        ("outcome_instrument", "latest_on", OUTCOME),
        ("alliance_instrument", "alliance_latest_on", ALLIANCE),
    ):
        own = (
            links.join(now.select("episode_id", instrument), on="episode_id")
            .filter(pl.col("instrument") == pl.col(instrument))
            .sort(["episode_id", "appointment_id", "taken_on"])
        )
        given = (
            own.join(_first_said(at_day, taken, columns), on=["episode_id", "taken_on"])
            .unique(["episode_id", "appointment_id"], keep="last", maintain_order=True)
            .select(
                "episode_id", "appointment_id", *(pl.col(c).alias(f"{c}_named") for c in columns), names=pl.lit(True)
            )
        )
        elsewhere = own.select("episode_id", day="taken_on", elsewhere=pl.lit(True)).unique()
        rows = (
            rows.join(given, on=["episode_id", "appointment_id"], how="left", maintain_order="left")
            .join(elsewhere, on=["episode_id", "day"], how="left", maintain_order="left")
            .with_columns(
                pl.when(pl.col("names").is_not_null())
                .then(pl.col(f"{c}_named"))
                .when(pl.col("elsewhere").is_null())
                .then(pl.col(c))
                .alias(c)
                for c in columns
            )
            .drop("names", "elsewhere", *(f"{c}_named" for c in columns))
        )
    return rows
