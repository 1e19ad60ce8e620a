"""How many earlier episodes with a problem area a clinician has seen: a count, never a measure of skill (science 7, F7)."""

from __future__ import annotations

from datetime import date

import polars as pl

SEEN = {
    "episode_id": pl.Int64(),
    "clinician_id": pl.Int64(),
    "problem_area": pl.String(),
    "opened_on": pl.Date(),
    "valid_from": pl.Date(),
    "valid_to": pl.Date(),
}
NEW_AREA = "new_area"  # the key of the fit question
FEW = 2  # science 7, F7: 0 to 2 earlier episodes
LEAST_SHOWN = 3  # project default: episodes in an area from which a colleague may be named
NAMED = 3  # project default: colleagues named per area; those level with the last one too


def main_area(column: str = "problem_area") -> pl.Expr:
    """The first of several problem areas, in small letters; null where none is recorded."""
    first = pl.col(column).str.split(";").list.first().str.strip_chars().str.to_lowercase()
    return pl.when(first != "").then(first)


def earlier_episodes(seen: pl.DataFrame, known_on: pl.Expr) -> pl.DataFrame:
    """episode_id and ``earlier``: episodes of its clinician and main area that were opened before it, as known on a day.

    ``seen``: every version of every episode of the practice (SEEN). Episodes opened on the same day do not count for each
    other; an episode without a problem area has no row.
    """
    known = seen.filter(
        (pl.col("valid_from") <= known_on)
        & (pl.col("valid_to").is_null() | (known_on < pl.col("valid_to")))
        & (pl.col("opened_on") <= known_on)
    )
    return (
        known.with_columns(area=main_area())
        .drop_nulls("area")
        .with_columns(
            earlier=(pl.col("opened_on").rank("min").over("clinician_id", "area").cast(pl.Int64) - 1),
        )
        .select("episode_id", "earlier")
        .sort("episode_id")
    )


def new_areas(seen: pl.DataFrame, as_of: date) -> frozenset[int]:
    """Episodes whose clinician is known to have seen few earlier ones with the same main problem area."""
    found = earlier_episodes(seen, pl.lit(as_of)).filter(pl.col("earlier") <= FEW)
    return frozenset(found["episode_id"].to_list())


def whom_to_ask(counts: pl.DataFrame, areas: list[str]) -> pl.DataFrame:
    """area, clinician, episodes: colleagues with most episodes in each area named; by count, then by name.

    ``counts``: clinician, problem_area, episodes. Only from LEAST_SHOWN episodes on; NAMED colleagues and whoever is level with
    the last of them.
    """
    summed = (
        counts.with_columns(area=main_area())
        .filter(pl.col("area").is_in(areas))
        .group_by("area", "clinician")
        .agg(pl.col("episodes").sum())
        .filter(pl.col("episodes") >= LEAST_SHOWN)
    )
    placed = summed.with_columns(place=pl.col("episodes").rank("min", descending=True).over("area"))
    return (
        placed.filter(pl.col("place") <= NAMED)
        .select("area", "clinician", pl.col("episodes").cast(pl.Int64))
        .sort(["area", "episodes", "clinician"], descending=[False, True, False])
    )
