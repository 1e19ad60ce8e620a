"""Goal and task against bond: whether client and clinician agree on what to do as far as they get on (science 7, F3)."""

from __future__ import annotations

import polars as pl

from dashboard.analytics.alliance_scales import scale_error
from dashboard.analytics.places import row_up_to, run_begins, with_places
from dashboard.instruments.instrument import Instrument

BOND = "bond"
PARTS = ("goal", "task")
IN_A_ROW = 2  # science 7, F3: rated sessions
AGREEMENT_SCHEMA = {
    "agreement_since": pl.Date(),
    "agreement_part": pl.String(),
    "agreement_value": pl.Float64(),
    "agreement_bond": pl.Float64(),
    "agreement_limit": pl.Float64(),
}


def _scales(instruments: dict[str, Instrument]) -> pl.DataFrame:
    rows = []
    for key, one in instruments.items():
        ranges = {name: one.range_of(name) for name in (BOND, *PARTS)} if one.kind == "alliance" else {}
        known = {name: found for name, found in ranges.items() if found is not None}
        if BOND not in known or len(known) == 1:
            continue
        limit = max(scale_error(one, name) for name in known)
        rows += [
            {
                "alliance_instrument": key,
                "scale": name,
                "low": low,
                "high": high,
                "up": one.direction > 0,
                "limit": limit,
            }
            for name, (low, high) in known.items()
        ]
    kinds = {"low": pl.Float64(), "high": pl.Float64(), "up": pl.Boolean(), "limit": pl.Float64()}
    return pl.DataFrame(rows, schema={"alliance_instrument": pl.String(), "scale": pl.String(), **kinds})


def agreement(totals: pl.DataFrame, asked: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """One row per day asked, in the order of ``asked`` (AGREEMENT_SCHEMA); null unless goal or task has lain below bond lately.

    ``asked``: stretch, known_to, alliance_instrument. Below: by one spread or more on the 0-1 scale, where the spread is the
    widest error of measurement among the parts (a project default); at least two rated sessions in a row up to the latest, of
    which the first is ``agreement_since``. Value, bond and limit are of the latest and on 0-1. A session rated in part only
    counts where bond and one other part are there.
    """
    rated = (
        totals.filter((pl.col("respondent") == "client") & pl.col("scale").is_in([BOND, *PARTS]))
        .rename({"instrument": "alliance_instrument"})
        .join(_scales(instruments), on=["alliance_instrument", "scale"], how="inner")
    )
    if rated.is_empty():
        return pl.DataFrame(schema=AGREEMENT_SCHEMA).clear(asked.height)
    place = (pl.col("value") - pl.col("low")) / (pl.col("high") - pl.col("low"))
    scaled = rated.with_columns(s=pl.when("up").then(place).otherwise(1 - place).round(9))

    def of(name: str) -> pl.Expr:
        return pl.col("s").filter(pl.col("scale") == name).first().alias(name)

    own = ["episode_id", "alliance_instrument"]
    sessions = (
        scaled.group_by(*own, "taken_on")
        .agg(of(BOND), *map(of, PARTS), pl.col("limit").first())
        .with_columns(lowest=pl.min_horizontal(*PARTS))
        .drop_nulls([BOND, "lowest"])
        .sort([*own, "taken_on"])
        .with_columns(series=pl.struct(own).rle_id().cast(pl.Int64))
    )
    below = sessions.with_columns(below=(pl.col(BOND) - pl.col("lowest")).round(9) >= pl.col("limit").round(9))
    placed = with_places(below, "series").with_columns(begins=run_begins("below"))
    running = placed.select(
        holds=pl.col("row") - pl.col("begins") + 1 >= IN_A_ROW,
        agreement_since=pl.lit(placed["taken_on"]).gather(pl.col("begins").clip(0, max(0, placed.height - 1))),
        agreement_part=pl.when(pl.col("goal").is_not_null() & (pl.col("goal") == pl.col("lowest")))
        .then(pl.lit("goal"))
        .otherwise(pl.lit("task")),
        agreement_value="lowest",
        agreement_bond=BOND,
        agreement_limit="limit",
    )
    series = asked.select(pl.col("stretch").alias("episode_id"), "alliance_instrument").join(
        placed.select(*own, "series").unique(), on=own, how="left", maintain_order="left"
    )["series"]
    row = row_up_to(placed["series"], placed["taken_on"], series, asked["known_to"])
    known = running.select(pl.all().gather(row))
    return known.select(pl.when("holds").then(name).alias(name) for name in AGREEMENT_SCHEMA)
