"""A View as frozen data: what stands on the page, without what only a screen can do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dashboard.charts.panel import Panel
from dashboard.snapshot.content import Frozen, Section, plain
from dashboard.ui.markup import GLYPHS, LEGEND
from dashboard.ui.status import Status
from dashboard.ui.view import (
    Block,
    Caseload,
    Cell,
    Download,
    Facts,
    Figure,
    Fold,
    Heading,
    Lead,
    Legend,
    Notice,
    Para,
    RaisedSignal,
    Signals,
    Slot,
    Split,
    Table,
    Term,
    View,
)

# one family on paper, shipped with the program; the others are what a browser that draws the figure may have of it
PRINT_FONT = '"Source Sans Pro", "Source Sans", "Source Sans 3", sans-serif'
PRINT_WIDTH = 680  # px; 180 mm at 96 px to the inch
TALLEST = 290  # px: an episode's figure leaves room for its signals on the same sheet
SHEET = 900  # px: what a sheet holds under a heading; no figure is taller
LINES = 4  # ruled lines after an episode


def frozen_view(view: View, *, notes: bool = False, leave_out: frozenset[type] = frozenset()) -> Section:
    """The section of a View; ``leave_out`` names kinds of block that another part of the paper says already."""
    kept = [block for block in view.blocks if type(block) not in leave_out]
    return Section(plain(view.title), tuple(frozen_blocks(kept)), notes=notes)


def frozen_blocks(blocks: Sequence[Block]) -> list[Frozen]:
    """Blocks as data, in order. Pickers, forms, links to files and the caseload's own table are left out."""
    found: list[Frozen] = []
    for block in blocks:
        match block:
            case Split():
                found += frozen_blocks(block.left) + frozen_blocks(block.right)
            case Slot() | Download() | Caseload():
                continue
            case _:
                found.append(_frozen(block))
    return found


def _mark(mark: Status | None) -> Frozen | None:
    return None if mark is None else {"icon": mark.icon, "word": mark.word, "tone": mark.tone}


def _cell(cell: str | Cell) -> Frozen:
    if isinstance(cell, str):
        return {"text": plain(cell)}
    strip = " ".join(GLYPHS[kind] for kind, _ in cell.strip)
    words = ", ".join(words for _, words in cell.strip)
    text = plain(" ".join(part for part in (strip, cell.text) if part))
    found: Frozen = {"text": text}
    if cell.mark:
        found["mark"] = _mark(cell.mark)
    if cell.sub:
        found["sub"] = plain(cell.sub)
    if words:
        found["words"] = plain(words)
    return found


def _signal(one: RaisedSignal) -> Frozen:
    fields = ("title", "when", "evidence", "prompt", "source", "answer")
    return {name: plain(getattr(one, name)) for name in fields} | {"stands": one.stands}


def _frozen(block: Block) -> Frozen:
    match block:
        case Lead():
            return {
                "kind": "lead",
                "sentence": plain(block.sentence),
                "note": plain(block.note),
                "mark": _mark(block.mark),
            }
        case Notice():
            return {"kind": "notice", "text": plain(block.text), "tone": block.tone}
        case Heading():
            return {"kind": "heading", "text": plain(block.text), "note": plain(block.note)}
        case Para():
            return {"kind": "para", "text": plain(block.text), "quiet": block.quiet}
        case Term():
            return {"kind": "term", "name": plain(block.name), "text": plain(block.text)}
        case Facts():
            return {"kind": "facts", "items": [[plain(what), plain(value)] for what, value in block.items]}
        case Table():
            return frozen_table(block)
        case Signals():
            return {"kind": "signals", "items": [_signal(one) for one in block.items]}
        case Figure():
            return frozen_panel(block.panel)
        case Fold():
            return {"kind": "fold", "label": plain(block.label), "blocks": frozen_blocks(block.blocks)}
        case Legend():
            return {"kind": "para", "text": LEGEND, "quiet": True}
        case _:
            raise TypeError(f"{type(block).__name__} has no place on paper")


def frozen_table(table: Table) -> Frozen:
    """A table: caption, columns, rows of cells, and which columns are numbers."""
    return {
        "kind": "table",
        "caption": plain(table.caption),
        "columns": [plain(name) for name in table.columns],
        "rows": [[_cell(cell) for cell in row] for row in table.rows],
        "numeric": sorted(table.numeric),
        "note": plain(table.note),
    }


def frozen_panel(panel: Panel) -> Frozen:
    """A figure: its words, its numbers, and Plotly's own description of it, set in the font of the paper."""
    height = min(int(panel.on_paper), SHEET) if panel.on_paper else min(int(panel.height), TALLEST)
    return {
        "kind": "figure",
        "key": plain(panel.key),
        "headline": plain(panel.headline),
        "subtitle": plain(panel.subtitle),
        "alt": plain(panel.alt),
        "reading": plain(panel.reading),
        "columns": [plain(name) for name in panel.numbers.columns],
        "rows": [[plain(cell) for cell in row] for row in panel.numbers.rows],
        "height": height,
        "figure": _for_print(json.loads(panel.figure.to_json()), height),
    }


def _for_print(figure: Any, height: int) -> Any:
    layout = figure.setdefault("layout", {})
    layout["height"] = height
    layout.setdefault("font", {})["family"] = PRINT_FONT
    template = layout.get("template", {}).get("layout", {})
    if "font" in template:
        template["font"]["family"] = PRINT_FONT
    return _safe(figure)


def _safe(value: Any) -> Any:
    match value:
        case str():
            return plain(value)
        case dict():
            return {str(name): _safe(one) for name, one in value.items()}
        case list():
            return [_safe(one) for one in value]
        case _:
            return value
