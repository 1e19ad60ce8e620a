"""Workbooks that are the same bytes at every run, so that the number of a mutated input names it."""

from __future__ import annotations

import io
import re
import zipfile

from openpyxl import Workbook

FIRST = (1980, 1, 1, 0, 0, 0)


def steady(book: Workbook) -> bytes:
    """The workbook as a file without the moment at which it was made."""
    made, out = io.BytesIO(), io.BytesIO()
    book.save(made)
    with zipfile.ZipFile(made) as packed, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as again:
        for name in packed.namelist():
            content = packed.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2026-01-01T00:00:00Z", content)
            again.writestr(zipfile.ZipInfo(name, FIRST), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
