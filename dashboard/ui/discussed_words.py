"""When an episode was last talked about and what was decided: on the caseload, and in full on the episode's page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from dashboard.ui.meeting_blocks import ACTION_COLUMNS, People, action_rows
from dashboard.ui.view import Block, Heading, Para, Table
from dashboard.ui.words import day

EARLIER = "Earlier meetings"
LONGEST = 60  # characters of a decision in a caseload row


def until(frame: pl.DataFrame, column: str, as_of: date | None) -> pl.DataFrame:
    """The rows up to the evaluation's day: a past one knows of no later meeting."""
    return frame if as_of is None else frame.filter(pl.col(column) <= as_of)


def talked_about(discussed: pl.DataFrame, actions: pl.DataFrame) -> dict[int, str]:
    """Episode to words. ``discussed``: episode_id, held_on; ``actions``: episode_id, what, in order."""
    last = discussed.group_by("episode_id").agg(pl.col("held_on").max())
    decided = dict(actions.drop_nulls("episode_id").select("episode_id", "what").iter_rows())
    found = {}
    for episode_id, held_on in last.select("episode_id", "held_on").iter_rows():
        what = decided.get(episode_id, "")
        short = what if len(what) <= LONGEST else what[: LONGEST - 1].rstrip() + "…"
        found[episode_id] = f"discussed {day(held_on)}" + (f": {short}" if short else "")
    return found


def earlier_meetings(
    discussed: pl.DataFrame, actions: pl.DataFrame, points: Mapping[int, list[tuple[date, float]]], people: People
) -> list[Block]:
    """What was decided about one episode, and the scores before and since."""
    days = sorted(discussed["held_on"].unique(), reverse=True)
    if not days and actions.is_empty():
        return [Heading(EARLIER), Para("This episode has not been discussed in a meeting yet.", quiet=True)]
    blocks: list[Block] = [Heading(EARLIER, f"discussed on {', '.join(day(one) for one in days)}" if days else "")]
    rows = action_rows(actions.reverse(), points, people)
    blocks.append(
        Table("What was decided, newest first", ACTION_COLUMNS, rows)
        if rows
        else Para("Nothing was written down as agreed.", quiet=True)
    )
    return blocks
