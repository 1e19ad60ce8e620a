"""One id twice in a call, and scores outside their instrument's range."""

from __future__ import annotations

import polars as pl

from dashboard.instruments.instrument import Instrument
from dashboard.intake.batch import KEYS, TABLES
from dashboard.intake.check import Checked


def settle_repeats(table: Checked) -> None:
    """Identical rows count once. One id with different content is set aside, every one of its rows.

    Scores differ: of several values of one scale, respondent, episode and day the last in file order counts.
    """
    key = list(KEYS[table.name])
    content = [c for c in TABLES[table.name] if c not in key]
    if table.rows.is_empty() or table.rows.select(key).n_unique() == table.rows.height:
        return
    if table.name == "scores":
        numbered = table.rows.with_row_index("order")
        last = numbered.unique(key, keep="last", maintain_order=True)
        lost = numbered.join(last.select("order"), on="order", how="anti").join(
            last.select(*key, pl.col("value").alias("counted")), on=key
        )
        differs = pl.col("value").ne_missing(pl.col("counted"))
        table.report(
            lost.filter(differs), "value", "another value of the same day stands later in the file; that one counts"
        )
        table.report(
            lost.filter(~differs), "value", "the same value of the same day stands later again; it counts once"
        )
        table.rows = last.sort("order").drop("order")
        return
    distinct = table.rows.unique([*key, *content], keep="first", maintain_order=True)
    table.repeated = table.rows.height - distinct.height
    doubled = distinct.group_by(key).len().filter(pl.col("len") > 1).select(key)
    table.rows = distinct.join(doubled, on=key, how="anti", nulls_equal=True, maintain_order="left")
    clash = distinct.join(doubled, on=key, how="semi", nulls_equal=True)
    table.report(clash, key[0], "this id stands more than once with different content", refused=True)


def check_ranges(table: Checked, instruments: dict[str, Instrument]) -> None:
    """Scores of unknown instruments or scales, or outside the published range, are set aside; a withdrawn one has no value."""
    pairs = table.rows.select("instrument", "scale").unique()
    ranges = []
    for instrument, scale in pairs.iter_rows():
        known = instruments.get(instrument)
        found = known.range_of(scale) if known else None
        low, high = found if found else (None, None)
        ranges.append((instrument, scale, known is not None, low, high))
    frame = pl.DataFrame(
        ranges,
        schema={
            "instrument": pl.String(),
            "scale": pl.String(),
            "known": pl.Boolean(),
            "low": pl.Float64(),
            "high": pl.Float64(),
        },
        orient="row",
    )
    table.rows = table.rows.join(frame, on=["instrument", "scale"], how="left", maintain_order="left")
    stands = ~pl.col("withdrawn")
    table.drop(stands & ~pl.col("known"), "instrument", "no such instrument; define it in instruments.toml")
    table.drop(stands & pl.col("low").is_null(), "scale", "this instrument has no such scale that can be scored")
    outside = ~pl.col("value").is_between(pl.col("low"), pl.col("high"))
    reason = pl.format(
        "outside the scale's range {} to {}", pl.col("low").cast(pl.String), pl.col("high").cast(pl.String)
    )
    table.drop(outside, "value", reason)
