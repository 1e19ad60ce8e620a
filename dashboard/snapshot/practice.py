"""A practice summary: counts only, small ones withheld, nothing that names a client or a clinician."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from dashboard.analytics.completeness import RECENT_DAYS
from dashboard.snapshot.audience import FEW, HIDDEN, OTHERWISE, Count, release
from dashboard.ui.status import PRIORITY
from dashboard.ui.view import Block, Para, Table, View
from dashboard.ui.words import day

A_YEAR = 365
FAMILIES = {"outcome": "Outcome", "alliance": "Alliance", "retention": "Retention", "fit": "Fit", "data": "Data"}
ENDINGS = {
    "planned": "Planned",
    "mutual": "By agreement",
    "unilateral": "Without a planned ending",
    "transferred": "Transferred",
    "moved": "Moved away",
    "other": "Other",
    "unknown": "Not recorded",
}
POLICY = (
    f"Counts of 7 or fewer are given as “{FEW}”, others are rounded to 5. “{HIDDEN}” stands where a count would give a "
    "withheld one away."
)
SENTENCE = "How many episodes are open, how well they are measured, and how episodes ended in the last twelve months."


def summary_view(episodes: pl.DataFrame, flags: pl.DataFrame, as_of: date) -> View:
    """The counts as tables.

    ``episodes``: states of open and closed episodes; ``flags``: signals that stand, without those put off.
    """
    open_ones = episodes.filter(pl.col("closed_on").is_null())
    ended = episodes.filter(pl.col("closed_on").is_between(as_of - timedelta(days=A_YEAR - 1), as_of))
    recent = as_of - timedelta(days=RECENT_DAYS)
    count = open_ones.height

    def part(having: int) -> dict[str, int]:
        return {"yes": having, OTHERWISE: count - having}

    groups = {
        "priority": {key: open_ones.filter(pl.col("priority") == key).height for key in PRIORITY},
        "outcome": part(open_ones.filter(pl.col("latest_on") >= recent).height),
        "alliance": part(open_ones.filter(pl.col("alliance_latest_on") >= recent).height),
        "booked": part(open_ones.filter(pl.col("next_booked_on").is_not_null()).height),
    }
    for family in FAMILIES:
        raised = flags.filter(pl.col("family") == family)
        groups[f"family {family}"] = part(open_ones.join(raised, on="episode_id", how="semi").height)
    released = release(groups)
    endings = {key: ended.filter(pl.col("ending").fill_null("unknown") == key).height for key in ENDINGS}
    ends = release({"ending": endings})
    blocks: list[Block] = [
        Para(POLICY, quiet=True),
        _table("Open episodes by status", "Status", {PRIORITY[k].word: n for k, n in released.groups["priority"].items()},
               released.total),
        _table(
            "Coverage of open episodes", "Open episodes with",
            {
                f"An outcome score in the last {RECENT_DAYS} days": released.groups["outcome"]["yes"],
                f"An alliance rating in the last {RECENT_DAYS} days": released.groups["alliance"]["yes"],
                "An appointment booked": released.groups["booked"]["yes"],
            },
        ),
        _table(
            "Open episodes with a standing signal, by family", "Family",
            {words: released.groups[f"family {key}"]["yes"] for key, words in FAMILIES.items()},
            note="An episode may have signals of several families.",
        ),
        _table(f"Endings from {day(as_of - timedelta(days=A_YEAR - 1))} to {day(as_of)}", "Ending",
               {ENDINGS[k]: n for k, n in ends.groups["ending"].items()}, ends.total),
    ]  # fmt: skip
    return View("Counts", "How many, and how well can they be read?", "", as_of, blocks)


def _table(caption: str, what: str, counts: Mapping[str, Count], total: Count | None = None, note: str = "") -> Table:
    rows = [[name, one.words] for name, one in counts.items()]
    if total is not None:
        rows.append(["Total", total.words])
    return Table(caption, (what, "Episodes"), rows, numeric=frozenset({1}), note=note)
