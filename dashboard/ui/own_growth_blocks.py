"""A clinician's own growth as blocks: experience by problem area, gains to learn from; words for ways of ending."""

from __future__ import annotations

import polars as pl

from dashboard.analytics.experience import main_area
from dashboard.analytics.own_endings import SILENT
from dashboard.analytics.own_growth import LEAST_FOR_EDGE, beyond_expected, unexpected_gains
from dashboard.analytics.problem_areas import problem_areas
from dashboard.snapshot.practice import ENDINGS
from dashboard.ui.view import Block, Cell, Fold, Heading, Para, Table
from dashboard.ui.words import MISSING, day, plural

LISTED = 12  # rows shown before the rest is folded away
WORDS = {**ENDINGS, SILENT: "Open, silent beyond the limit"}


def in_sd(value: float | None) -> str:
    """A difference in standard deviations of first scores, with its sign."""
    return MISSING if value is None else f"{value:+.2f}".replace("-", "−")


def _between(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"95 % interval {in_sd(low)} to {in_sd(high)}"


def area_blocks(areas: pl.DataFrame) -> list[Block]:
    """Experience by problem area; an estimate only where an area's own episodes carry it. ``areas``: AREAS of one clinician."""
    head = Heading("Problem areas", "Ended episodes by the first problem area recorded: experience, not skill.")
    if areas.is_empty():
        return [head, Para("No problem area is recorded for an ended episode.")]
    rows: list[list[str | Cell]] = []
    for row in areas.sort("area").to_dicts():
        said = (
            Cell(in_sd(row["estimate"]), sub=_between(row["low"], row["high"]))
            if row["shown"]
            else Cell(sub="too few to say")
        )
        rows.append([Cell(row["area"]), f"experience ({row['episodes']})", said])
    table = Table(
        "Experience by problem area",
        ("Problem area", "Ended episodes", "Gain beyond the expected"),
        rows,
        note="An estimate needs 47 measured episodes of the area: with fewer it would say more about chance and about all other "
        "episodes than about the area. In standard deviations of first scores, pulled towards the level of all episodes.",
    )
    return [head, table if len(rows) <= LISTED else Fold(f"{len(rows)} problem areas", [table])]


def gain_blocks(gains: pl.DataFrame, edge: float | None) -> list[Block]:
    """Ended episodes that went further than nine in ten of the practice's, to learn from.

    ``gains``: GAINS with public_id and client_code of one clinician. ``edge``: of the whole practice, null where too few.
    """
    head = Heading("Gains beyond what was to be expected", "What helped, and could it be kept for others?")
    if edge is None:
        return [head, Para(f"Shown once the practice has {LEAST_FOR_EDGE} ended and measured episodes.")]
    found = unexpected_gains(gains, edge)
    measured = beyond_expected(gains).height
    if found.is_empty():
        return [head, Para(f"None so far among {plural(measured, 'ended and measured episode')}; one in ten is usual.")]
    rows: list[list[str | Cell]] = [
        [
            Cell(row["client_code"], href=f"episode?episode={row['public_id']}"),
            day(row["ended_on"]),
            Cell(in_sd(row["gain"]), sub=f"expected {in_sd(row['gain_expected'])}"),
            "What helped?",
        ]
        for row in found.to_dicts()
    ]
    columns = ("Episode", "Ended", "Gain", "A question")
    note = (
        f"{found.height} of {plural(measured, 'ended and measured episode')}, newest first. One in ten goes as far by chance "
        "alone: the client and the two of you will know more than the number. In standard deviations of first scores."
    )
    blocks: list[Block] = [head, Table("Gains beyond what was to be expected", columns, rows[:LISTED], note=note)]
    if len(rows) > LISTED:
        blocks.append(Fold(f"{len(rows) - LISTED} earlier", [Table("Earlier ones", columns, rows[LISTED:])]))
    return blocks


def own_residuals(gains: pl.DataFrame) -> pl.DataFrame:
    """Problem areas (AREAS) of one clinician's ended episodes; ``gains``: GAINS with problem_area."""
    return problem_areas(
        gains.select("episode_id", "clinician_id", area=main_area(), residual=pl.col("gain") - pl.col("gain_expected"))
    )
