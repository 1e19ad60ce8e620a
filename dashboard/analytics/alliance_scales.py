"""Falls in the parts of the alliance: bond, goal and task, each against the client's own earlier ratings of that part."""

from __future__ import annotations

from math import sqrt

import polars as pl

from dashboard.analytics import reliable_change as rc
from dashboard.analytics.alliance import judged
from dashboard.analytics.chosen import chosen
from dashboard.instruments.instrument import Instrument

SCALE_MARKS_SCHEMA = {
    "episode_id": pl.Int64(),
    "taken_on": pl.Date(),
    "instrument": pl.String(),
    "scale": pl.String(),
    "value": pl.Float64(),
    "reference": pl.Float64(),
    "major_below": pl.Float64(),
    "mark": pl.String(),
    "state": pl.String(),
    "rupture_since": pl.Date(),
    "nadir": pl.Float64(),
    "back": pl.Boolean(),
}
SERIES = ["episode_id", "scale"]


def scale_error(one: Instrument, scale: str) -> float:
    """Error of measurement of a subscale on 0-1: the total's, times the root of how many times fewer items it has.

    A project default (errors of items taken as equal and independent); where items are not listed, the subscales share them.
    """
    parts = one.subscales or dict.fromkeys(one.subscale_ranges, ())
    own = len(one.subscales.get(scale, ()))
    return one.sem_01 * sqrt(one.items / own if one.items and own else max(1, len(parts)))


def _scales(instruments: dict[str, Instrument]) -> pl.DataFrame:
    rows = [
        {"instrument": key, "scale": scale, "direction": one.direction, "sem": scale_error(one, scale)}
        | dict(zip(("minimum", "maximum"), one.range_of(scale) or (), strict=False))
        for key, one in instruments.items()
        if one.kind == "alliance"
        for scale in dict.fromkeys([*one.subscales, *one.subscale_ranges])
        if one.range_of(scale) is not None
    ]
    kinds = {"minimum": pl.Float64(), "maximum": pl.Float64(), "direction": pl.Int64(), "sem": pl.Float64()}
    return pl.DataFrame(rows, schema={"instrument": pl.String(), "scale": pl.String(), **kinds})


def subscale_marks(totals: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """Every client rating of each subscale of the episode's alliance instrument (SCALE_MARKS_SCHEMA, in its own points).

    The detector of the total, with the wider error of fewer items. A fall in one part with a steady total is a hint at what to
    talk about, never an alert: three parts are three chances of a false alarm. Subscales without a stated range are left out;
    the episode's instrument is that of ``alliance.marks``, so an episode without totals has no rows. Sorted by episode, scale
    and day.
    """
    own = chosen(totals, rc.thresholds(instruments), "alliance").select("episode_id", "instrument").unique()
    rated = (
        totals.filter((pl.col("respondent") == "client") & (pl.col("scale") != "total"))
        .join(own, on=["episode_id", "instrument"], how="semi")
        .join(_scales(instruments), on=["instrument", "scale"], how="inner")
        .sort([*SERIES, "taken_on"])
        .with_columns(series=pl.struct(SERIES).rle_id())
    )
    if rated.is_empty():
        return pl.DataFrame(schema=SCALE_MARKS_SCHEMA)
    return judged(rated, "series").select(SCALE_MARKS_SCHEMA.keys())
