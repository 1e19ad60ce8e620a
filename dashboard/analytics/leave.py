"""Days on which a clinician is away do not count towards a limit of days without contact."""

from __future__ import annotations

import polars as pl


def passes(bases: pl.DataFrame, leave: pl.DataFrame, limit: int, *, every_step: bool = False) -> list[pl.Series]:
    """The day on which so many days since ``base`` have passed, days of leave after it left out; null where base is null.

    ``bases``: episode_id (may repeat), base. ``leave``: LEAVE. With ``every_step`` the days after each leave in
    turn as well, first the one with none: what somebody thought who did not know of the later ones.
    """
    frame = bases.select("episode_id", "base", passing=pl.col("base") + pl.duration(days=limit), counted=pl.col("base"))
    found = [frame["passing"]]
    if leave.is_empty():
        return found
    ranked = leave.sort(["episode_id", "from_day", "to_day"]).with_columns(
        place=pl.int_range(pl.len(), dtype=pl.Int64).over("episode_id")
    )
    for (_,), one in sorted(ranked.partition_by("place", as_dict=True, include_key=False).items()):
        frame = frame.join(one, on="episode_id", how="left", maintain_order="left")
        begins = pl.max_horizontal("from_day", pl.col("counted") + pl.duration(days=1))
        days = (pl.col("to_day") - begins).dt.total_days() + 1
        counts = ((pl.col("from_day") <= pl.col("passing")) & (days > 0)).fill_null(False)
        frame = frame.with_columns(
            passing=pl.when(counts).then(pl.col("passing") + pl.duration(days=days)).otherwise("passing"),
            counted=pl.when(counts).then(pl.max_horizontal("counted", "to_day")).otherwise("counted"),
        ).drop("from_day", "to_day")
        found.append(frame["passing"])
    return found if every_step else found[-1:]
