"""A figure with everything that must stand beside it, on a page and on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from plotly.graph_objects import Figure


@dataclass(frozen=True)
class Numbers:
    """The figure's numbers as a table: column names and rows of text."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Panel:
    """One figure: ``headline`` says the finding, ``subtitle`` what is plotted, of whom, n and as of when.

    ``alt`` is the sentence a screen reader reads, ``reading`` how to read it, ``numbers`` everything drawn, as a table.
    ``on_paper``: pixels on paper where the usual limit of a sheet would squeeze it (a row for each of many clinicians).
    """

    key: str
    headline: str
    subtitle: str
    figure: Figure
    alt: str
    reading: str
    numbers: Numbers
    height: int = field(default=420)
    on_paper: int | None = None
