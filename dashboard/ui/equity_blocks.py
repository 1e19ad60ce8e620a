"""The practice by groups of clients, as tables: rounded counts, small numbers withheld, differences as questions."""

from __future__ import annotations

from typing import Any

import polars as pl

from dashboard.analytics.equity import ATTRIBUTES, LEAST_EXPECTED, NOT_RECORDED
from dashboard.snapshot.audience import ROUNDED_TO, WITHHELD_TO
from dashboard.ui.view import Block, Cell, Fold, Heading, Para, Table
from dashboard.ui.words import plural

NAMES = {
    "age_band": "Age when the episode opened",
    "gender": "Gender",
    "ethnicity": "Ethnicity",
    "kind": "Kind of episode",
    "first_mode": "How the first session was held",
}
WORDS = {"in_person": "In person", "video": "Video", "phone": "Phone"}
COLUMNS = ("Group", "Ended early", "Two outcome scores or more", "Rated the alliance")
AUDIT_COLUMNS = ("Group", "Ended early for each one estimated", "A question")
NOT_TOLD = "not shown"
POLICY = (
    f"A group is told of only with more than {WITHHELD_TO} episodes on each side, and others are left out so that none can be "
    f"worked out. Counts are rounded to {ROUNDED_TO}; shares come from the rounded counts."
)
NOTE = (
    "Ended early: without a planned ending, of the endings that are known. Two outcome scores or more: of episodes with two "
    "sessions or more. Intervals are 95 %. Groups differ in more than their name: in what they came with, when they came and "
    "whom they saw."
)
AUDIT_NOTE = (
    "The chance of an early ending that the model of each session's own day gave, added up, against how many there were: 1 is "
    f"as many as estimated. Shown from {LEAST_EXPECTED} estimated endings on; counts rounded to {ROUNDED_TO}, exact 95 % "
    "interval. Of twenty groups one lies outside by chance alone, and in a small group one family can move it."
)
MORE = "More left than estimated: what may the estimate not know about this group, and what may they have met here?"
FEWER = "Fewer left than estimated: what goes well here that the estimate does not know of?"
WITHIN = "as many as estimated, within chance"


def group_name(group: str) -> str:
    """A group as it is written: the product's own words with a capital, the practice's as they were given."""
    return WORDS.get(group, group[:1].upper() + group[1:])


def equity_blocks(groups: pl.DataFrame, audit: pl.DataFrame) -> list[Block]:
    """A table per attribute, then how well the estimate fits each group. ``groups``: GROUPS; ``audit``: AUDIT."""
    head = Heading("Groups of clients", "Who ends early, and who is measured? The whole practice, all years together.")
    if groups.is_empty():
        return [head, Para("No episode with a session yet.")]
    blocks: list[Block] = [head, Para(f"{POLICY} {NOTE}", quiet=True)]
    for attribute in ATTRIBUTES:
        blocks += _attribute(attribute, groups.filter(pl.col("attribute") == attribute).to_dicts())
    return [*blocks, *audit_blocks(audit)]


def _attribute(attribute: str, found: list[dict[str, Any]]) -> list[Block]:
    by_name: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        by_name.setdefault(row["group"], []).append(row)
    if list(by_name) == [NOT_RECORDED]:
        return [Para(f"{NAMES[attribute]}: not recorded for any episode.")]
    told = {name: rows for name, rows in by_name.items() if any(row["yes"] is not None for row in rows)}
    if not told:
        return [Para(f"{NAMES[attribute]}: not shown, the groups are too small.")]
    rows: list[list[str | Cell]] = [[group_name(name), *map(_share, rows)] for name, rows in told.items()]
    rest = [group_name(name) for name in by_name if name not in told]
    note = f"Not shown in any column: {', '.join(rest)}." if rest else ""
    return [Table(NAMES[attribute], (NAMES[attribute], *COLUMNS[1:]), rows, note=note)]


def _share(row: dict[str, Any]) -> Cell:
    if row["yes"] is None:
        return Cell(sub=NOT_TOLD)
    low, high = round(100 * row["low"]), round(100 * row["high"])
    return Cell(f"about {round(100 * row['share'])} %", sub=f"{row['yes']} of {row['of']}; {low} to {high} %")


def audit_blocks(audit: pl.DataFrame) -> list[Block]:
    """Whether the estimate of an early ending is right for each group, as questions; the reason where it cannot be told."""
    head = Heading("Does the estimate fit every group?")
    blocks: list[Block] = []
    for attribute in ATTRIBUTES:
        found = audit.filter(pl.col("attribute") == attribute)
        said = found.filter(pl.col("ratio").is_not_null()).to_dicts()
        if said and found["group"].to_list() != [NOT_RECORDED]:
            few = [group_name(one) for one in found.filter(pl.col("why") == "few")["group"].to_list()]
            held = found.filter(pl.col("why") == "withheld").height
            notes = [
                f"Under {LEAST_EXPECTED} estimated endings: {', '.join(few)}." if few else "",
                f"{plural(held, 'group')} not shown: too small, or another could be worked out." if held else "",
            ]
            rows: list[list[str | Cell]] = [[group_name(row["group"]), _ratio(row), _question(row)] for row in said]
            columns = (NAMES[attribute], *AUDIT_COLUMNS[1:])
            blocks.append(
                Table(
                    f"Ended early and estimated: {NAMES[attribute].lower()}",
                    columns,
                    rows,
                    note=" ".join(filter(None, notes)),
                )
            )
    if not blocks:
        return [
            head,
            Para(
                f"Too few endings yet: a group needs {LEAST_EXPECTED} estimated endings and more than {WITHHELD_TO} that came."
            ),
        ]
    return [head, Para(AUDIT_NOTE, quiet=True), Fold("Estimated and observed by group", blocks)]


def _ratio(row: dict[str, Any]) -> Cell:
    return Cell(f"{row['ratio']:.1f}", sub=f"{row['low']:.1f} to {row['high']:.1f}")


def _question(row: dict[str, Any]) -> str:
    if row["low"] > 1:
        return MORE
    return FEWER if row["high"] < 1 else WITHIN
