"""The shape of a source before its columns are mapped: one value per row to a table, a wide row to one row per cell."""

from __future__ import annotations

import polars as pl

from dashboard.intake.batch import PLACE, SET_ASIDE
from dashboard.intake.layout import OnePerRow
from dashboard.intake.mapping import UNPIVOT_NAME, UNPIVOT_VALUE

LATER = "another value of the same field stands later in the file; that one counts"


def as_table(frame: pl.DataFrame, eav: OnePerRow, wanted: set[str]) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    """One row per key with a column per field; values given twice (SET_ASIDE); the ``wanted`` fields that no row holds.

    A row's place is the first line of its key. Of two values of one field the last in file order counts. A field that no row
    holds is an empty column: such an export leaves out what nobody filled in.
    """
    code = pl.col(eav.value).str.to_lowercase().str.replace_all(r"[^a-z0-9_]", "_")
    ticked = pl.col(eav.name).is_in(list(eav.checkbox)) & pl.col(eav.value).is_not_null()
    cells = frame.filter(pl.col(eav.name).is_not_null()).select(
        *eav.key,
        pl.when(ticked).then(pl.format("{}___{}", eav.name, code)).otherwise(eav.name).alias("_field"),
        pl.when(ticked).then(pl.lit("1")).otherwise(eav.value).alias("_cell"),
        *PLACE,
    )
    cells = cells.with_row_index("_row")
    last = cells.unique([*eav.key, "_field"], keep="last", maintain_order=True)
    lost = cells.join(last.select("_row"), on="_row", how="anti").join(
        last.select(*eav.key, "_field", pl.col("_cell").alias("_counted")), on=[*eav.key, "_field"], nulls_equal=True
    )
    doubled = lost.filter(pl.col("_cell").ne_missing(pl.col("_counted"))).select(
        "file",
        "line",
        pl.col("_field").alias("column"),
        pl.col("_cell").str.slice(0, 200).alias("value"),
        pl.lit(LATER).alias("reason"),
    )
    rows = cells.group_by(eav.key, maintain_order=True).agg(pl.col("file").first(), pl.col("line").first())
    fields = [name for name in last["_field"].unique().to_list() if name in wanted and name not in rows.columns]
    wide = rows
    if fields:
        values = last.filter(pl.col("_field").is_in(fields)).pivot(
            "_field", index=list(eav.key), values="_cell", aggregate_function="last"
        )
        wide = rows.join(values, on=list(eav.key), how="left", nulls_equal=True, maintain_order="left")
    absent = sorted(wanted - set(wide.columns))
    wide = wide.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
    return wide, doubled.cast(pl.Schema(SET_ASIDE)), absent


def one_row_per_cell(frame: pl.DataFrame, labels: dict[str, str], kept: list[str]) -> pl.DataFrame:
    """The ``kept`` columns and places once for every filled cell of the labelled columns, in the order of rows and labels."""
    numbered = frame.with_row_index("_row")
    cells = [
        numbered.select(
            "_row",
            *kept,
            *PLACE,
            pl.lit(number, dtype=pl.Int32).alias("_place"),
            pl.lit(label).alias(UNPIVOT_NAME),
            pl.col(column).alias(UNPIVOT_VALUE),
        ).filter(pl.col(UNPIVOT_VALUE).is_not_null())
        for number, (column, label) in enumerate(labels.items())
    ]
    return pl.concat(cells).sort("_row", "_place").drop("_row", "_place")
