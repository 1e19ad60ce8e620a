"""A page as data: what it says, before anything draws it. The same View goes to the browser and, later, onto paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from dashboard.charts.panel import Panel
from dashboard.ui.caseload_table import CaseloadRow
from dashboard.ui.status import Status


@dataclass(frozen=True)
class Lead:
    """The finding in a sentence, or as a status mark, with a quieter line under it."""

    sentence: str
    note: str = ""
    mark: Status | None = None


@dataclass(frozen=True)
class Notice:
    """Something to know before reading on. ``tone``: orange (look at this) or muted."""

    text: str
    tone: str = "muted"


@dataclass(frozen=True)
class Heading:
    """The name of a part of the page."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class Para:
    """A paragraph."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Term:
    """A name and what it means."""

    name: str
    text: str


@dataclass(frozen=True)
class Facts:
    """A few facts side by side: (what, value)."""

    items: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Cell:
    """A table cell with more to it than text: a line below, a link, a status mark, appointments as (mark, words)."""

    text: str = ""
    sub: str = ""
    href: str = ""
    mark: Status | None = None
    strip: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Table:
    """A table with a caption (read aloud), column names and rows; ``numeric`` are the columns set to the right."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    numeric: frozenset[int] = frozenset()
    note: str = ""


@dataclass(frozen=True)
class RaisedSignal:
    """A signal on a page: what, since when, the evidence in numbers, the question, where the rule comes from, the reply to it."""

    title: str
    when: str
    evidence: str
    prompt: str
    source: str
    stands: bool
    answer: str = ""


@dataclass(frozen=True)
class Signals:
    """The signals of an episode, standing ones first."""

    items: Sequence[RaisedSignal]


@dataclass(frozen=True)
class Caseload:
    """The caseload table."""

    rows: Sequence[CaseloadRow]
    key: str


@dataclass(frozen=True)
class Figure:
    """A figure with its headline, reading note and numbers."""

    panel: Panel


@dataclass(frozen=True)
class Fold:
    """Something that may stay closed."""

    label: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Split:
    """Two columns, the left one wider; one below the other on a narrow screen and on paper."""

    left: Sequence[Block]
    right: Sequence[Block]


@dataclass(frozen=True)
class Slot:
    """A place where the page puts something to act on (a picker, a form); paper leaves it out."""

    name: str


@dataclass(frozen=True)
class Download:
    """A file through the checked route."""

    label: str
    href: str


@dataclass(frozen=True)
class Legend:
    """What the small marks of the caseload mean."""


Block = (
    Lead | Notice | Heading | Para | Term | Facts | Table | Signals | Caseload | Figure | Fold | Split | Slot | Download | Legend
)  # fmt: skip


@dataclass(frozen=True)
class View:
    """A page: title, the one question it answers, whose data it shows and as of when, and its parts in order."""

    title: str
    question: str
    scope_line: str
    as_of: date | None
    blocks: Sequence[Block]
