"""A snapshot as a tagged PDF (PDF/UA-1): laid out by typst, with a font of our own and nothing of the machine's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import typst

from dashboard.errors import SupervisionError
from dashboard.snapshot.content import Content, Frozen, Made, is_past, levelled, running_line
from dashboard.snapshot.first_page import agenda, first_facts, reading_notes
from dashboard.snapshot.freeze import LINES
from dashboard.snapshot.glyphs import FOLDER, showable

PAPERS = {"a4": "a4", "letter": "us-letter"}
_TEMPLATE = Path(__file__).with_name("paper.typ")
_NARROWEST, _WIDEST = 6, 30  # characters that a column is counted as at least and at most
_PAST = 3  # signals no longer raised that are named on paper
_HEAD = 13  # a head up to so long stays on one line


def pdf_file(content: Content, made: Made, drawings: Sequence[str], *, paper: str = "a4") -> bytes:
    """The file; ``drawings`` holds one cleaned SVG for each figure.

    Raises SupervisionError where it cannot be laid out.
    """
    data = _data(content, made, iter(drawings), paper)
    try:
        return _laid_out(data, made, own_only=False)
    except typst.TypstError:
        try:  # a mark of one script on a letter of another has no picture in any font
            return _laid_out(data, made, own_only=True)
        except typst.TypstError as error:
            raise SupervisionError(
                f"The PDF could not be laid out ({error.message}). Make the HTML instead and tell your administrator."
            ) from None


def _laid_out(data: Frozen, made: Made, *, own_only: bool) -> bytes:
    file = typst.compile(
        input=_TEMPLATE.read_bytes(),
        font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[FOLDER]),
        ignore_system_fonts=True,
        sys_inputs={"content": json.dumps(_shown(data, own_only), ensure_ascii=False)},
        format="pdf",
        pdf_standards=["ua-1"],
        timestamp=made.at.replace(microsecond=0, tzinfo=UTC),
    )
    assert isinstance(file, bytes)  # noqa: S101 - one PDF, no list of pages
    return file


def _data(content: Content, made: Made, drawings: Iterator[str], paper: str) -> Frozen:
    return {
        "paper": PAPERS[paper],
        "lines": LINES,
        "title": content.title,
        "author": made.name or "supervision",
        "practice": content.practice,
        "footer": running_line(content, made),
        "facts": first_facts(content, made),
        "summary": content.summary,
        "coverage": content.coverage,
        "agenda": _with_widths(agenda(content)) if content.listed else None,
        "sections": [
            {
                "title": section.title,
                "notes": section.notes,
                "own_page": section.own_page,
                "blocks": [_block(one, drawings, level) for one, level in levelled(section.blocks)],
            }
            for section in content.sections
        ],
        "definitions": content.definitions,
        "reading": reading_notes(content),
        "versions": ", ".join(f"{title} {version}" for title, version in content.signal_versions),
        "limits": content.limits,
        "provenance": f"Rules {content.rules_version} · models {content.model_version or 'none'} · content {content.hash}",
    }


def _block(block: Frozen, drawings: Iterator[str], level: int) -> Frozen:
    match block["kind"]:
        case "table":
            return _with_widths(block)
        case "figure":
            said = {name: block[name] for name in ("kind", "headline", "subtitle", "alt")}
            return said | {"svg": next(drawings)}
        case "fold" if is_past(block):
            return _past(block)
        case "fold":
            inner = [_block(one, drawings, 4) for one in block["blocks"]]
            return {"kind": "fold", "label": block["label"], "blocks": inner}
        case "term" | "signals":
            return block | {"level": level}
        case _:
            return block


def _past(block: Frozen) -> Frozen:
    """Signals that are no longer raised, a line each: the newest ones, and how many more the other formats hold."""
    items = [one for inner in block["blocks"] for one in inner["items"]]
    more = len(items) - _PAST
    lines = [f"{one['title']}: {one['when'][0].lower()}{one['when'][1:]}" for one in items[:_PAST]]
    rest = (
        [f"{more} earlier {'one is' if more == 1 else 'ones are'} in the HTML and in the tables."] if more > 0 else []
    )
    return {"kind": "past", "label": block["label"], "lines": [*lines, *rest]}


def _with_widths(table: Frozen) -> Frozen:
    """Columns as wide as what stands in them asks for, within limits: all of them stay readable."""
    widths = []
    for place, name in enumerate(table["columns"]):
        longest = []
        for row in table["rows"]:
            cell = row[place]
            marked = len(cell["mark"]["word"]) + 6 if cell.get("mark") else 0
            longest.append(max(marked, len(cell["text"]), int(0.85 * len(cell.get("sub", "")))))
        usual = sorted(longest)[int(0.9 * (len(longest) - 1))] if longest else 0
        widths.append(min(_WIDEST, max(_NARROWEST, usual, min(_HEAD, len(name) + 1))))
    return table | {"widths": widths}


def _shown(value: Any, own_only: bool) -> Any:
    match value:
        case str():
            return showable(value, own_only)
        case dict():
            return {name: _shown(one, own_only) for name, one in value.items()}
        case list() | tuple():
            return [_shown(one, own_only) for one in value]
        case _:
            return value
