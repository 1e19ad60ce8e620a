"""The growth goal as blocks: what it is, its sign at the start and since, and earlier goals."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from dashboard.analytics.growth_signs import BEFORE_DAYS, SIGNS, Part
from dashboard.ui.view import Block, Cell, Facts, Fold, Heading, Para, Table
from dashboard.ui.words import day, share

SHARED = {True: "shared with whoever supervises this clinician and with the clinical director", False: "not shared"}


def standing_goal(goals: pl.DataFrame, clinician_id: int) -> dict[str, Any] | None:
    """The one goal of a clinician that is not closed; null without one, or where it is not shared with the reader."""
    found = goals.filter((pl.col("clinician_id") == clinician_id) & pl.col("closed_on").is_null()).sort("goal_id")
    return found.row(-1, named=True) if found.height else None


def counted(value: Part) -> str:
    """A count in words; a percentage only from ten on."""
    return share(value.part, value.n) if value.n else "nothing to count yet"


def at_start(goal: dict[str, Any]) -> Part:
    """The value of a goal's sign when it was set."""
    n = int(goal["n_at_start"])
    return Part(round((goal["value_at_start"] or 0) * n), n)


def goal_blocks(goals: pl.DataFrame, clinician_id: int, now: Part | None, today: date, *, own: bool) -> list[Block]:
    """The goal of one clinician with its sign, and the closed ones folded away.

    ``goals``: of ``queries.growth.goals``. ``now``: the sign's value since the standing goal was set. ``own``: the reader's own.
    """
    head = Heading("Growth goal", "One at a time, in one's own words, with a sign to look at.")
    goal = standing_goal(goals, clinician_id)
    blocks: list[Block] = [head]
    if goal is None:
        blocks.append(Para("No goal is set." if own else "No goal is set, or it is not shared with you."))
    else:
        sign = SIGNS.get(goal["sign"])
        due = ": time to look at it together" if goal["look_again_on"] <= today else ""
        blocks.append(Para(goal["text"]))
        blocks.append(
            Facts(
                [
                    ("Sign", sign.words if sign else "no longer counted"),
                    (f"In the {BEFORE_DAYS} days before {day(goal['set_on'])}", counted(at_start(goal))),
                    ("Since then", counted(now) if now else "nothing to count yet"),
                    ("Look again", f"{day(goal['look_again_on'])}{due}"),
                    *([("Who can read it", SHARED[goal["shared"]])] if own else []),
                ]
            )
        )
        if sign:
            blocks.append(
                Para(f"Counted: {sign.of}. A sign to talk about, not a mark: few cases move by chance.", quiet=True)
            )
    return blocks + _earlier(goals, clinician_id)


def _earlier(goals: pl.DataFrame, clinician_id: int) -> list[Block]:
    closed = goals.filter((pl.col("clinician_id") == clinician_id) & pl.col("closed_on").is_not_null())
    if closed.is_empty():
        return []
    rows: list[list[str | Cell]] = [
        [
            Cell(row["text"], sub=SIGNS[row["sign"]].words if row["sign"] in SIGNS else ""),
            f"{day(row['set_on'])} to {day(row['closed_on'])}",
            row["closed_note"] or "",
        ]
        for row in closed.sort("goal_id", descending=True).to_dicts()
    ]
    return [Fold("Earlier goals", [Table("Earlier growth goals", ("Goal", "Stood", "How it went"), rows)])]
