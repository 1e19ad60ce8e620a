"""From what each day raised to the life of each flag: first day, still standing or the day it was gone."""

from __future__ import annotations

import polars as pl

IDENTITY = ["episode_id", "signal", "thing"]


def flag_lives(raised: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """One row per unbroken run of days on which a signal was raised.

    ``raised``: RAISED with family and rule_version, keyed by unit; ``days``: unit, episode_id, as_of, sorted. A standing flag
    shows today's numbers, a cleared one those of the day it was raised. Each risk answer has a life of its own.
    """
    numbered = days.with_columns(
        place=pl.int_range(pl.len(), dtype=pl.Int64).over("episode_id"),
        count=pl.len().over("episode_id").cast(pl.Int64),
    )
    found = (
        raised.rename({"episode_id": "unit"})
        .join(numbered, on="unit")
        .with_columns(thing=pl.when(pl.col("family") == "safety").then(pl.col("since")))
        .sort([*IDENTITY, "place"], nulls_last=True)
    )
    key = pl.struct(IDENTITY)
    breaks = (key != key.shift(1)) | (pl.col("place") != pl.col("place").shift(1) + 1)
    found = found.with_columns(run=breaks.fill_null(True).cum_sum())
    lives = found.group_by("run", maintain_order=True).agg(
        pl.col("episode_id", "signal", "family").first(),
        raised_on=pl.col("as_of").first(),
        last_place=pl.col("place").last(),
        count=pl.col("count").first(),
        **{
            f"{name}_first": pl.col(name).first()
            for name in ("since", "value", "threshold", "evidence", "rule_version")
        },
        **{f"{name}_last": pl.col(name).last() for name in ("since", "value", "threshold", "evidence", "rule_version")},
    )
    stands = pl.col("last_place") == pl.col("count") - 1
    after = numbered.select("episode_id", last_place=pl.col("place") - 1, cleared_on=pl.col("as_of"))
    return (
        lives.join(after, on=["episode_id", "last_place"], how="left")
        .select(
            "episode_id",
            "signal",
            "family",
            "raised_on",
            *(
                pl.when(stands).then(pl.col(f"{name}_last")).otherwise(pl.col(f"{name}_first")).alias(name)
                for name in ("since", "value", "threshold", "evidence", "rule_version")
            ),
            state=pl.when(stands).then(pl.lit("open")).otherwise(pl.lit("cleared")),
            cleared_on=pl.when(~stands).then(pl.col("cleared_on")),
        )
        .sort(["episode_id", "signal", "raised_on", "since"])
    )
