"""One resource once: the newest version of it counts; one version twice with different content is nobody's truth."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl


def _instant(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else None


def newest(frame: pl.DataFrame, content: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(rows that count, rows of ids that stand with different ``content`` in one version), in their order.

    The version is meta.versionId as a number, then meta.lastUpdated. Rows without an id are each their own.
    """
    again = frame["rid"].is_duplicated() & frame["rid"].is_not_null()
    if not again.any():
        return frame, frame.clear()
    numbered = frame.with_row_index("_n")
    some = numbered.filter(again).with_columns(
        _v=pl.col("version").fill_null(-1),
        _u=pl.Series([_instant(one) for one in frame.filter(again)["updated"]], dtype=pl.Datetime("us")),
    )
    some = some.filter(pl.col("_v") == pl.col("_v").max().over("rid"))
    last = pl.col("_u").max().over("rid")
    some = some.filter((pl.col("_u") == last) | last.is_null())
    some = some.unique(["rid", *content], keep="first", maintain_order=True)
    clash = some.filter(pl.col("rid").is_duplicated())
    kept = some.filter(~pl.col("rid").is_duplicated())
    good = pl.concat([numbered.filter(~again), kept.select(numbered.columns)]).sort("_n")
    return good.drop("_n"), clash.sort("_n").select(frame.columns)
