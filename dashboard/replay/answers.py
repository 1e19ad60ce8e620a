"""What clinicians replied to signals: the state of a standing flag is open, answered, or snoozed until a day."""

from __future__ import annotations

from datetime import date

import polars as pl

REPLIES = {
    "episode_id": pl.Int64(),
    "signal": pl.String(),
    "kind": pl.String(),
    "until_day": pl.Date(),
    "replied_on": pl.Date(),
}


def with_answers(lives: pl.DataFrame, replies: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """``lives`` with the state of each standing flag: the newest reply since it was raised counts; a snooze ends on its day.

    ``replies`` (REPLIES) in the order in which they were given, none later than the day. A reply to a flag that has cleared
    says nothing of one raised later.
    """
    if replies.is_empty():
        return lives
    numbered = lives.with_row_index("flag")
    newest = (
        numbered.filter(pl.col("state") == "open")
        .join(replies.with_row_index("given"), on=["episode_id", "signal"])
        .filter((pl.col("replied_on") >= pl.col("raised_on")) & (pl.col("replied_on") <= as_of))
        .sort("given")
        .unique("flag", keep="last", maintain_order=True)
        .filter((pl.col("kind") == "answered") | (pl.col("until_day") > as_of))
        .select("flag", said="kind")
    )
    joined = numbered.join(newest, on="flag", how="left", maintain_order="left")
    return joined.with_columns(state=pl.coalesce("said", "state")).drop("flag", "said")
