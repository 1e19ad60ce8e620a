"""How one clinician's episodes ended, in counts, beside the share among all colleagues together.

The colleagues' share is given only where it describes a group: enough episodes of enough colleagues, none of whom has most of
them. Otherwise it would be one colleague's record under another name.
"""

from __future__ import annotations

import polars as pl

from dashboard.contracts import ENDINGS

SILENT = (
    "silent"  # open, no session for longer than the practice's limit: known to have ended, though nothing was closed
)
ORDER = (*ENDINGS, SILENT)
LEAST_EPISODES = 30  # science 6.4: from 30 on a figure may be seen by others
LEAST_COLLEAGUES = 5  # project default, as for the practice's range: fewer would be described one by one
MOST_OF_ONE = (
    0.5  # dominance rule of statistical disclosure control (Hundepool 2012), share of one colleague: project default
)

# practice_share: of colleagues' ended episodes together; null where it would describe too few of them
ENDED = {"ending": pl.String(), "n": pl.Int64(), "practice_share": pl.Float64()}


def own_endings(counts: pl.DataFrame, clinician_id: int) -> pl.DataFrame:
    """One row per way of ending that anybody had (ENDED), in the order of the vocabulary; empty without an own ending.

    ``counts``: clinician_id, ending (of ORDER; null: closed without a code), episodes.
    """
    known = counts.with_columns(pl.col("ending").fill_null("unknown"))
    own = known.filter(pl.col("clinician_id") == clinician_id)
    others = known.filter(pl.col("clinician_id") != clinician_id)
    if not int(own["episodes"].sum()):
        return pl.DataFrame(schema=ENDED)
    whole = int(others["episodes"].sum())
    shown = describes_a_group(others)
    rows = []
    for ending in ORDER:
        n, elsewhere = (int(one.filter(pl.col("ending") == ending)["episodes"].sum()) for one in (own, others))
        if n or (shown and elsewhere):
            rows.append((ending, n, elsewhere / whole if shown else None))
    return pl.DataFrame(rows, schema=ENDED, orient="row")


def describes_a_group(others: pl.DataFrame) -> bool:
    """Whether a share among these is about a group: LEAST_EPISODES of LEAST_COLLEAGUES, none with more than MOST_OF_ONE."""
    each = others.group_by("clinician_id").agg(pl.col("episodes").sum()).filter(pl.col("episodes") > 0)["episodes"]
    whole = int(each.sum())
    if whole < LEAST_EPISODES or len(each) < LEAST_COLLEAGUES:
        return False
    return int(each.to_numpy().max()) <= MOST_OF_ONE * whole
