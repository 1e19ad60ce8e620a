"""Uploaded files as source tables: every sheet of a workbook one, under the name by which a mapping finds it."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from dashboard.assist.profile import Source
from dashboard.errors import UnusableInput
from dashboard.harmless import LONGEST_FILE, one_line
from dashboard.intake.layout import Source as Layout
from dashboard.intake.mapping import Mapping
from dashboard.intake.read import PLAIN, Limits
from dashboard.intake.sources import SourceTable, chosen_source, offers, source_table

MOST_NAME_BYTES = 240  # file systems take 255


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
    """The file's own name, whatever folders a browser put before it, on one line and short enough for any disk."""
    own = one_line(PurePosixPath(name.replace("\\", "/")).name, LONGEST_FILE)
    if own in ("", ".", ".."):
        return "file"
    stem, dot, form = own.rpartition(".")
    if len(own.encode()) <= MOST_NAME_BYTES or not dot:
        return own.encode()[:MOST_NAME_BYTES].decode("utf-8", "ignore")
    return f"{stem.encode()[: MOST_NAME_BYTES - 20].decode('utf-8', 'ignore')}.{form.encode()[:16].decode('utf-8', 'ignore')}"


def tables_of(
    name: str, data: bytes, limits: Limits, mapping: Mapping | None, layouts: dict[str, Layout]
) -> list[Table]:
    """The tables of one upload, called as ``mapping`` calls them where it names them; ``layouts`` by that name.

    Empty sheets are left out. Raises UnusableInput where the file cannot be read; nothing of it stays on disk.
    """
    name = plain_name(name)
    with tempfile.TemporaryDirectory(prefix="supervision-") as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        offered = offers(path, limits)
        found: list[Table] = []
        trouble: UnusableInput | None = None
        for sheet, names in offered:
            stem = (chosen_source(names, mapping) if mapping is not None else None) or names[0]
            try:
                read = source_table(path, limits, layouts.get(stem, PLAIN), sheet)
            except UnusableInput as error:
                trouble = error
                continue
            shown = name if len(offered) == 1 else f"{name} · {one_line(sheet or '')}"
            found.append(Table(stem, shown, name, read))
        if trouble is not None and not found:
            raise trouble
        return found
