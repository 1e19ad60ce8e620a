"""A snapshot's numbers as a ZIP of tidy CSV files with a README of their columns, the same bytes every time."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence

import polars as pl

from dashboard.exports import DANGEROUS, PLAIN_NUMBER, to_csv
from dashboard.snapshot.content import Content, Frozen, Made, Section, running_line, tables_of
from dashboard.snapshot.first_page import first_facts
from dashboard.ui.status import PRIORITY
from dashboard.ui.words import MISSING

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first moment a ZIP can name; a real one would change the bytes
_NUMBER = re.compile(r"[−-]?\d+(?:\.\d+)?")
_REGULAR_FILE = 0o100644 << 16

Rows = list[list[str]]


def zip_file(content: Content, made: Made) -> bytes:
    """The file: README.txt, about.csv, the list of episodes, then a table for each kind of table and for each figure."""
    named: dict[str, tuple[str, list[str], Rows]] = {}
    for title, columns, rows in _tables(content, made):
        stem = _stem(title) or "table"
        name = next(one for n in range(1, 10_000) if (one := f"{stem}{'' if n == 1 else f'_{n}'}.csv") not in named)
        named[name] = (title, columns, rows)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "README.txt", _readme(content, made, named).encode())
        for name, (_, columns, rows) in named.items():
            _add(archive, name, _csv(columns, rows))
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _EARLIEST)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system, entry.external_attr = 3, _REGULAR_FILE  # else they say on which machine it was made
    archive.writestr(entry, data)


def _stem(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:50].rstrip("_")


def _tables(content: Content, made: Made) -> Iterator[tuple[str, list[str], Rows]]:
    about = [list(pair) for pair in first_facts(content, made)]
    about += [["Summary", content.summary], ["Coverage", content.coverage], ["Content hash", content.hash]]
    yield "about", ["what", "value"], about
    if content.listed:
        columns = ["episode", "clinician", "status", "since", "signals", "outcome", "alliance", "in_detail"]
        yield "episodes", columns, [
            [one.code, one.clinician, PRIORITY[one.priority].word, one.since, "; ".join(one.signals), one.latest,
             one.alliance, one.why]
            for one in content.listed
        ]  # fmt: skip
    yield from _signals(content.sections)
    yield from _facts(content.sections)
    yield from _stacked(content.sections)
    for figure in content.figures:
        yield f"figure {figure['key']}", list(figure["columns"]), [list(row) for row in figure["rows"]]


def _flat(blocks: Sequence[Frozen]) -> Iterator[Frozen]:
    for block in blocks:
        if block["kind"] == "fold":
            yield from _flat(block["blocks"])
        else:
            yield block


def _signals(sections: Sequence[Section]) -> Iterator[tuple[str, list[str], Rows]]:
    fields = ("title", "when", "evidence", "prompt", "answer", "source")
    rows = [
        [section.title, *(one[name] for name in fields), "yes" if one["stands"] else "no"]
        for section in sections
        for block in _flat(section.blocks)
        if block["kind"] == "signals"
        for one in block["items"]
    ]
    if rows:
        yield "signals", ["part", "signal", "when", "evidence", "prompt", "answer", "source", "stands"], rows


def _facts(sections: Sequence[Section]) -> Iterator[tuple[str, list[str], Rows]]:
    rows = [
        [section.title, what, value]
        for section in sections
        for block in _flat(section.blocks)
        if block["kind"] == "facts"
        for what, value in block["items"]
    ]
    if rows:
        yield "facts", ["part", "what", "value"], rows


def _stacked(sections: Sequence[Section]) -> Iterator[tuple[str, list[str], Rows]]:
    """Tables of one caption and the same columns stand in one file, told apart by the part they belong to."""
    found: dict[tuple[str, ...], list[tuple[str, Frozen]]] = {}
    for section in sections:
        for table in tables_of(section.blocks):
            found.setdefault((table["caption"], *table["columns"]), []).append((section.title, table))
    for (caption, *columns), tables in found.items():
        noted = {
            place
            for _, table in tables
            for row in table["rows"]
            for place, cell in enumerate(row)
            if cell.get("sub") or cell.get("words")
        }
        heads = ["part"]
        for place, name in enumerate(columns):
            heads += [name, f"{name} (note)"] if place in noted else [name]
        rows = [
            [part, *(text for place, cell in enumerate(row) for text in _cell(cell, place in noted))]
            for part, table in tables
            for row in table["rows"]
        ]
        yield caption, heads, rows


def _cell(cell: Frozen, noted: bool) -> list[str]:
    mark = cell.get("mark")
    text = mark["word"] if mark else cell["text"]
    if not noted:
        return [text]
    return [text, " ".join(part for part in (cell.get("sub", ""), cell.get("words", "")) if part)]


def _value(text: str) -> str | None:
    """Numbers as a spreadsheet reads them: an ordinary minus; what is missing is empty."""
    if text in ("", MISSING):
        return None
    return text.replace("−", "-") if _NUMBER.fullmatch(text) else text


def _heads(names: Sequence[str]) -> list[str]:
    """Column names, each once, with the same guard as the cells."""
    found: list[str] = []
    for name in names:
        safe = f"'{name}" if name.startswith(DANGEROUS) and not re.fullmatch(PLAIN_NUMBER, name) else name
        found.append(next(one for n in range(1, 10_000) if (one := safe if n == 1 else f"{safe} {n}") not in found))
    return found


def _csv(columns: Sequence[str], rows: Rows) -> bytes:
    heads = _heads(columns)
    frame = pl.DataFrame(
        [[_value(cell) for cell in row] for row in rows], schema=dict.fromkeys(heads, pl.String()), orient="row"
    )
    return to_csv(frame)


def _readme(content: Content, made: Made, named: dict[str, tuple[str, list[str], Rows]]) -> str:
    lines = [
        content.title,
        running_line(content, made),
        "",
        "UTF-8, comma, one header line. Empty: unknown or not applicable. A text that a spreadsheet would run as a formula",
        "begins with an apostrophe. Columns whose name ends in (note) say more about the column before them.",
        "part: the section of the snapshot that a row belongs to.",
        "",
    ]
    for name, (title, columns, rows) in named.items():
        lines += [name, f"  {title}, {len(rows)} rows", f"  columns: {'; '.join(_heads(columns))}", ""]
    return "\n".join(lines)
