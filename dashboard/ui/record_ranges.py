"""The record of the expected range in this practice: whether it holds what it states."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.analytics.range_record import FEWEST_SCORES, RangeRecord
from dashboard.signals.wording import short_name
from dashboard.ui.view import Block, Cell, Fold, Notice, Table, Term
from dashboard.ui.words import MISSING, plural, score, share
from dashboard.validating import Validation


def range_blocks(said: Validation) -> list[Block]:
    """How often later scores lay inside, and beyond the unfavourable edge, by questionnaire and by third of first scores."""
    name = "Expected range"
    if not said.ranges:
        return [Term(name, "Can't be shown yet: no episode has an outcome score.")]
    rows: list[list[str | Cell]] = []
    thirds: list[list[str]] = []
    wrong: list[str] = []
    for one in said.ranges:
        title = short_name(said.instruments[one.instrument])
        if one.why:
            rows.append([title, str(one.episodes), str(one.scores), MISSING, Cell(MISSING, sub=one.why)])
            continue
        low, high = one.interval or (0.0, 1.0)
        rows.append(
            [
                title,
                str(one.episodes),
                str(one.scores),
                share(one.inside, one.scores),
                Cell(share(one.beyond, one.scores), sub=f"{100 * low:.0f} to {100 * high:.0f} %{_few(one)}"),
            ]
        )
        thirds += [
            [
                f"{title}, {part.third} third",
                f"{score(part.first_scores[0])} to {score(part.first_scores[1])}",
                share(part.inside, part.scores),
                share(part.beyond, part.scores),
            ]
            for part in one.thirds
        ]
        if one.miscalibrated:
            wrong.append(title)
    columns = (
        "Questionnaire",
        "Episodes",
        "Scores",
        "Inside (stated: 80 %)",
        "Beyond the unfavourable edge (stated: 10 %)",
    )
    blocks: list[Block] = [
        Term(name, _range_words(said.ranges)),
        *(
            [
                Notice(
                    f"Band miscalibrated: {', '.join(wrong)}. Read beyond the expected range with that in mind.",
                    "orange",
                )
            ]
            if wrong
            else []
        ),
        Table("How often later scores lay inside the expected range", columns, rows, numeric=frozenset({1, 2})),
    ]
    if thirds:
        by_third = ("Questionnaire", "First scores", "Inside", "Beyond the unfavourable edge")
        blocks.append(
            Fold("By third of first scores", [Table("The expected range by third of first scores", by_third, thirds)])
        )
    return blocks


def _few(one: RangeRecord) -> str:
    return "; few scores" if one.scores < FEWEST_SCORES else ""


def _range_words(ranges: Sequence[RangeRecord]) -> str:
    count = sum(one.scores for one in ranges)
    return (
        f"{plural(count, 'score')} of later episodes, each against the range of its own day. Of ten typical clients eight should "
        "lie inside and one beyond the unfavourable edge."
    )
