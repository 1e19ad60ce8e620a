"""Risk answers that nobody has recorded as checked: above everything else on a page, outside every order."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dashboard.ui.view import Block, Cell, Fold, Notice, Slot, Table
from dashboard.ui.words import day, plural


def safety_blocks(safety: pl.DataFrame, clinicians: Mapping[int, str]) -> list[Block]:
    """The notice, the episodes with their latest answer, open ones apart from closed ones, and the place of the form.

    ``safety``: one row per waiting answer. ``clinicians``: names by id; empty where the page is one clinician's.
    """
    if safety.is_empty():
        return []
    latest = (
        safety.sort(["episode_id", "since"])
        .group_by("episode_id", maintain_order=True)
        .agg(
            pl.col("public_id", "client_code", "clinician_id", "closed_on", "evidence").last(),
            answers=pl.len(),
            since=pl.col("since").last(),
        )
        .sort(["since", "client_code"], descending=[True, False])
    )
    count = latest.height
    still_open = latest.filter(pl.col("closed_on").is_null())
    rows = [
        [
            Cell(row["client_code"], sub=clinicians.get(row["clinician_id"], ""), href=f"episode?episode={row['public_id']}"),
            row["evidence"],
            plural(row["answers"], "answer"),
            "open" if row["closed_on"] is None else f"closed {day(row['closed_on'])}",
        ]
        for row in latest.to_dicts()
    ]  # fmt: skip
    shown = [row for row, state in zip(rows, latest["closed_on"], strict=True) if state is None]
    folded = [row for row, state in zip(rows, latest["closed_on"], strict=True) if state is not None]
    columns = ("Episode", "What was answered last", "Waiting", "State")
    kind = "closed episode" if still_open.is_empty() else "open episode" if still_open.height == count else "episode"
    mixed = f" ({still_open.height} of them open)" if kind == "episode" else ""
    blocks: list[Block] = [
        Notice(
            f"Safety: in {plural(count, kind)}{mixed} a risk item was answered above zero and no check is recorded here. "
            "Check that each was followed up.",
            "orange",
        )
    ]
    if shown:
        blocks.append(
            _folded(Table("Risk answers in open episodes waiting for a check", columns, shown), "Open episodes")
        )
    if folded:
        closed = Table("Risk answers in closed episodes waiting for a check", columns, folded)
        blocks.append(_folded(closed, "Closed episodes"))
    return [*blocks, Slot("safety")]


def _folded(table: Table, words: str) -> Block:
    return Fold(f"{words} ({len(table.rows)})", [table])
