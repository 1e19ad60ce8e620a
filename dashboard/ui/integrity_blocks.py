"""Whether scores can be trusted as a picture of how clients are: three looks at the whole practice, each with a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from dashboard.analytics.clustered import Difference
from dashboard.analytics.score_integrity import LEAST, Cliff, Compared
from dashboard.instruments.instrument import Instrument
from dashboard.signals.wording import short_name
from dashboard.ui.status import ATTENDANCE
from dashboard.ui.view import Block, Cell, Fold, Heading, Para, Table
from dashboard.ui.words import plural, score, share

LISTED = 12  # rows shown before the rest is folded away
CLIFF_WORDS = (
    "Last scores are lower than earlier ones where therapy helps; that shift is taken out, and what is left is a jump at the "
    "cut-off. Ordinary reasons: an ending is agreed because a score is under the cut-off. To ask: how is the last questionnaire "
    "introduced, who is in the room, and what depends on it? The idea is that of a jump at a threshold (McCrary 2008); one "
    "reliable change on each side counts as near."
)
SKIP_WORDS = (
    "Ordinary reasons: somebody who is worse has less room for a questionnaire, and a hard session leaves less time. To ask: "
    "what makes it hard to measure just then, and who decides? A score filled in on another day without naming its session "
    "counts as not taken at it. Intervals allow for sessions of one episode being alike."
)
RELABEL_WORDS = (
    "Ordinary reasons: late messages, a mistake put right, an import that told more. To ask: is there one direction in which "
    "most go, and does a rule about fees or targets pull that way? What became of a booking is not counted."
)
SKIPS = {"next": "Any session", "last": "The last session of a closed episode"}


def integrity_blocks(
    cliffs: Sequence[Cliff],
    skips: Mapping[str, Compared],
    relabelled: pl.DataFrame,
    instruments: Mapping[str, Instrument],
) -> list[Block]:
    """The three looks, each said in words where there is too little. ``relabelled``: RELABELLED."""
    return [
        Heading("Can the scores be trusted?", "The whole practice together; nothing here is about a person."),
        *cliff_blocks(cliffs, instruments),
        *skip_blocks(skips),
        *relabelled_blocks(relabelled),
    ]


def _points(value: float) -> str:
    whole = round(100 * value)
    return f"{whole:+d}".replace("-", "−") if whole else "0"


def _said(found: Difference) -> Cell:
    chance = "" if found.low > 0 or found.high < 0 else "; this can be chance"
    return Cell(
        f"{_points(found.value)} points", sub=f"95 % interval {_points(found.low)} to {_points(found.high)}{chance}"
    )


def _counted(part: float, whole: int) -> str:
    return share(round(part * whole), whole)


def _compared(compared: Compared) -> list[str | Cell]:
    one = compared.found
    if one is None:
        counts = [plural(n, "session") for n in (compared.one_n, compared.other_n)]
        return [*counts, Cell(sub=f"too few: {LEAST} of each are needed")]
    return [_counted(one.one, one.one_n), _counted(one.other, one.other_n), _said(one)]


def cliff_blocks(cliffs: Sequence[Cliff], instruments: Mapping[str, Instrument]) -> list[Block]:
    """Scores near the cut-off: how many lie just on its healthy side, last ones against earlier ones of the same episodes."""
    head = Heading("Last scores near the cut-off")
    if not cliffs:
        return [head, Para("No closed episode has scores on a measure with a cut-off.")]
    rows: list[list[str | Cell]] = [
        [
            Cell(
                short_name(instruments[one.instrument]),
                sub=f"{score(one.window)} points on each side of {score(one.cutoff)}",
            ),
            share(one.last_healthy, one.last),
            share(one.earlier_healthy, one.earlier),
            _jump(one),
        ]
        for one in cliffs
    ]
    columns = (
        "Measure",
        "Last scores on the healthy side",
        "Earlier scores of the same episodes",
        "Jump at the cut-off",
    )
    return [head, Table("Scores just on the healthy side of the cut-off", columns, rows, note=CLIFF_WORDS)]


def _jump(one: Cliff) -> Cell:
    if one.jump is None:
        few = min(one.last, one.earlier) < LEAST
        return Cell(sub=f"too few: {LEAST} of each are needed" if few else "cannot be told")
    chance = "" if one.jump.low > 1 or one.jump.high < 1 else "; this can be chance"
    return Cell(
        f"{one.jump.ratio:.1f} times the odds",
        sub=f"95 % interval {one.jump.low:.1f} to {one.jump.high:.1f}{chance}",
    )


def skip_blocks(skips: Mapping[str, Compared]) -> list[Block]:
    """Whether sessions are measured as often right after a score that was worse as after another."""
    rows: list[list[str | Cell]] = [[words, *_compared(skips[key])] for key, words in SKIPS.items()]
    columns = (
        "Measured at",
        "After a score worse than expected or reliably worse",
        "After another score",
        "Difference",
    )
    return [
        Heading("Measured as often when it goes badly?"),
        Table("Sessions with an outcome score, by what the session before showed", columns, rows, note=SKIP_WORDS),
    ]


def relabelled_blocks(relabelled: pl.DataFrame) -> list[Block]:
    """Statuses that were changed later, by quarter, newest first."""
    head = Heading("Appointments whose status was changed later")
    if relabelled.is_empty():
        return [head, Para("No status has been changed after it was first known.")]
    rows: list[list[str | Cell]] = [
        [
            f"{row['quarter'].year}, quarter {(row['quarter'].month + 2) // 3}",
            f"{_status(row['was'])}, then {_status(row['became'])}",
            str(row["appointments"]),
        ]
        for row in relabelled.sort(["quarter", "was", "became"], descending=[True, False, False]).to_dicts()
    ]
    columns = ("Changed in", "Was, and became", "Appointments")
    caption = "Appointments by quarter of the change and direction"
    blocks: list[Block] = [
        head, Table(caption, columns, rows[:LISTED], numeric=frozenset({2}), note=RELABEL_WORDS)
    ]  # fmt: skip
    if len(rows) > LISTED:
        blocks.append(Fold("Earlier", [Table("Earlier changes", columns, rows[LISTED:], numeric=frozenset({2}))]))
    return blocks


def _status(status: str) -> str:
    return ATTENDANCE[status][1] if status in ATTENDANCE else status
