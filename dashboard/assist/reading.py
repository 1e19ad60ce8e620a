"""Uploaded files as source tables: every sheet of a workbook one, under the name by which a mapping finds it."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from dashboard.assist.profile import Source
from dashboard.errors import UnusableInput
from dashboard.intake.layout import Source as Layout
from dashboard.intake.read import PLAIN, Limits, kind_of, stem_of
from dashboard.intake.sources import SourceTable, sheets_of, source_table


class Table(NamedTuple):
    """One table of an uploaded file: ``stem`` as a mapping calls it, ``shown`` on screen, ``upload`` the file it is in."""

    stem: str
    shown: str
    upload: str
    read: SourceTable

    @property
    def source(self) -> Source:
        """What proposals look at."""
        return Source(self.stem, self.shown, self.read.columns, self.read.rows, self.read.ragged.height)


def plain_name(name: str) -> str:
    """The file's own name, whatever folders a browser put before it."""
    return PurePosixPath(name.replace("\\", "/")).name


def tables_of(name: str, data: bytes, limits: Limits, layouts: dict[str, Layout]) -> list[Table]:
    """The tables of one upload; ``layouts`` by stem. Empty sheets are left out.

    Raises UnusableInput where the file cannot be read; nothing of it stays on disk.
    """
    name = plain_name(name)
    with tempfile.TemporaryDirectory(prefix="supervision-") as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        stem = stem_of(path)
        if kind_of(path) != ".xlsx":
            return [Table(stem, name, name, source_table(path, limits, layouts.get(stem, PLAIN)))]
        sheets = sheets_of(path, limits)
        found, trouble = [], None
        for sheet in sheets:
            called = stem if len(sheets) == 1 else f"{stem}.{sheet.strip().lower()}"
            try:
                read = source_table(path, limits, layouts.get(called, PLAIN), sheet)
            except UnusableInput as error:
                trouble = error
                continue
            shown = name if len(sheets) == 1 else f"{name} · {sheet}"
            found.append(Table(called, shown, name, read))
        if trouble is not None and not found:
            raise trouble
        return found
