"""How much of what could be measured was measured."""

from __future__ import annotations

import polars as pl

RECENT_DAYS = 30  # design: an episode counts as measured with a score in so many days
MONTHS = {"month": pl.Date(), "sessions": pl.Int64(), "with_outcome": pl.Int64(), "with_alliance": pl.Int64()}


def by_month(sessions: pl.DataFrame, measured: pl.DataFrame) -> pl.DataFrame:
    """Counts per calendar month of attended sessions and of those measured (MONTHS), oldest first.

    ``sessions``: episode_id, day. ``measured``: episode_id, taken_on, kind (outcome or alliance). A score belongs to the
    first session on or after its day (questionnaires are often answered in the days before). A score after the last session
    belongs to none.
    """
    distinct = sessions.select("episode_id", "day").unique().sort(["episode_id", "day"])
    if distinct.is_empty():
        return pl.DataFrame(schema=MONTHS)
    belonging = (
        measured.unique()
        .sort(["taken_on", "episode_id"])
        .join_asof(
            distinct.sort("day").with_columns(session=pl.col("day")),
            left_on="taken_on",
            right_on="day",
            by="episode_id",
            strategy="forward",
            check_sortedness=False,
        )
        .drop_nulls("session")
        .select("episode_id", "kind", day="session")
        .unique()
    )
    joined = distinct
    for kind in ("outcome", "alliance"):
        found = belonging.filter(pl.col("kind") == kind).select("episode_id", "day", pl.lit(1).alias(kind))
        joined = joined.join(found, on=["episode_id", "day"], how="left")
    return (
        joined.group_by(pl.col("day").dt.truncate("1mo").alias("month"))
        .agg(
            sessions=pl.len().cast(pl.Int64),
            with_outcome=pl.col("outcome").count().cast(pl.Int64),
            with_alliance=pl.col("alliance").count().cast(pl.Int64),
        )
        .sort("month")
        .select(pl.col(name).cast(dtype) for name, dtype in MONTHS.items())
    )


def waiting(episodes: pl.DataFrame, sessions: pl.DataFrame) -> dict[str, int | float | None]:
    """Intake in numbers: referred, opened, seen, never seen, and days from referral to first session (median, longest).

    ``episodes``: episode_id, referred_on, opened_on. ``sessions``: episode_id, day. Waiting is null where no episode has both.
    """
    first = sessions.group_by("episode_id").agg(first=pl.col("day").min())
    joined = episodes.join(first, on="episode_id", how="left")
    days = (joined["first"] - joined["referred_on"]).dt.total_days().drop_nulls()
    days = days.filter(days >= 0)
    quantile = days.quantile(0.9, interpolation="higher") if len(days) else None
    return {
        "episodes": joined.height,
        "referred": joined.height - joined["referred_on"].null_count(),
        "seen": joined.height - joined["first"].null_count(),
        "never_seen": joined["first"].null_count(),
        "waited": len(days),
        "median_days": None if not len(days) else float(days.median()),  # type: ignore[arg-type]
        "ninth_in_ten_days": None if quantile is None else float(quantile),
    }
