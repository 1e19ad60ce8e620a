"""After a change of clinician: what happened next, for the client and for the working relationship."""

from __future__ import annotations

import polars as pl

WITHIN_DAYS = 120  # project default: a later episode than this is a new start, not a transfer

# before_*: the episode that ended as transferred; the others: the next one of the same client with another clinician. Ratings on
# 0-1 are not compared across questionnaires: only where both episodes used the same one.
TRANSFERS = {
    "client_code": pl.String(),
    "before_public_id": pl.String(),
    "public_id": pl.String(),
    "before_clinician_id": pl.Int64(),
    "clinician_id": pl.Int64(),
    "closed_on": pl.Date(),
    "opened_on": pl.Date(),
    "asked": pl.Boolean(),
    "before_alliance": pl.Float64(),
    "alliance": pl.Float64(),
    "before_score": pl.Float64(),
    "score": pl.Float64(),
    "sessions_attended": pl.Int64(),
    "is_open": pl.Boolean(),
}


def transfers(pairs: pl.DataFrame) -> pl.DataFrame:
    """TRANSFERS, newest first: of each transferred episode the nearest next one within WITHIN_DAYS.

    ``pairs``: every transferred episode beside every later one of the same client with another clinician (``before_`` columns for
    the first): public_id, clinician_id, closed_on, opened_on, alliance_instrument, alliance_latest, outcome_instrument, latest,
    sessions_attended, change_requested_on, client_code.
    """
    near = pairs.filter((pl.col("opened_on") - pl.col("before_closed_on")).dt.total_days().is_between(0, WITHIN_DAYS))
    first = near.sort(["before_public_id", "opened_on", "public_id"]).unique(
        "before_public_id", keep="first", maintain_order=True
    )

    def same(kind: str, column: str) -> pl.Expr:
        return pl.when(pl.col(f"before_{kind}_instrument") == pl.col(f"{kind}_instrument")).then(pl.col(column))

    return (
        first.with_columns(
            closed_on="before_closed_on",
            asked=pl.col("before_change_requested_on").is_not_null(),
            before_alliance=same("alliance", "before_alliance_latest"),
            alliance=same("alliance", "alliance_latest"),
            before_score=same("outcome", "before_latest"),
            score=same("outcome", "latest"),
            is_open=pl.col("closed_on").is_null(),
        )
        .select(pl.col(name).cast(kind) for name, kind in TRANSFERS.items())
        .sort(["opened_on", "public_id"], descending=[True, False])
    )
