"""What leaves the practice about its ended episodes: counts only, small ones withheld, nobody named."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from dashboard.snapshot.audience import Count, release
from dashboard.snapshot.practice import ENDINGS, POLICY
from dashboard.ui.status import CHANGE
from dashboard.ui.view import Block, Para, Table, View
from dashboard.ui.words import day

YEARS = 2  # project default: one year of a small practice would be withheld almost whole
SENTENCE = "What became of ended episodes in the last {} years, how well that was measured, and how episodes ended."


def outcomes_summary(ended: pl.DataFrame, as_of: date) -> View:
    """Counts of ended episodes (``queries.patterns.expectations``) as tables; one measure beside the other, never merged."""
    since = as_of - timedelta(days=365 * YEARS - 1)
    lately = ended.filter(pl.col("ended_on").is_between(since, as_of))
    ending = pl.col("ending").fill_null("unknown")
    released = release(
        {
            "change": {key: lately.filter(pl.col("change_category") == key).height for key in CHANGE},
            "ending": {key: lately.filter(ending == key).height for key in ENDINGS},
        }
    )
    period = f"from {day(since)} to {day(as_of)}"
    words = {key: one.word.removesuffix(" yet") for key, one in CHANGE.items()}
    blocks: list[Block] = [
        Para(POLICY, quiet=True),
        _table(
            f"Change on the outcome questionnaire, episodes ended {period}", "Change",
            {words[key]: count for key, count in released.groups["change"].items()}, released.total,
            "Reliable change is a change larger than measurement error. Not enough data: under two scores.",
        ),
        _table(
            f"How episodes ended {period}", "Ending",
            {ENDINGS[key]: count for key, count in released.groups["ending"].items()}, released.total,
            "Episodes without a session for longer than the practice's limit count as ended, their ending as not recorded.",
        ),
    ]  # fmt: skip
    return View("Outcomes in counts", "What became of ended episodes?", "", as_of, blocks)


def _table(caption: str, what: str, counts: Mapping[str, Count], total: Count, note: str) -> Table:
    rows = [[name, one.words] for name, one in counts.items()]
    rows.append(["Total", total.words])
    return Table(caption, (what, "Episodes"), rows, numeric=frozenset({1}), note=note)
