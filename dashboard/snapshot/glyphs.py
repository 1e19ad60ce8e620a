"""Which characters the print font can show: a tagged PDF may hold no character without a picture.

The font comes with a dependency and its table of characters is read from the file, so that nothing here has to be kept in
step with it. What it lacks is shown as an empty box; the HTML and the tables keep the character itself.
"""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

import font_source_sans_pro

FOLDER = Path(font_source_sans_pro.font_directory)
_FILE = "SourceSansPro-Regular.ttf"
# our own marks, which typst's own fixed-width font has
_MARKS = frozenset("◆◇○◌●□✕✓■▲△▼")
BOX = "□"
_SEGMENTED = 12  # the format of a character table that holds whole ranges


@cache
def covered() -> frozenset[int]:
    """Code points that can be shown."""
    data = (FOLDER / _FILE).read_bytes()
    (count,) = struct.unpack_from(">H", data, 4)
    places = {}
    for place in range(count):
        tag, _, offset, _ = struct.unpack_from(">4sIII", data, 12 + 16 * place)
        places[tag] = offset
    start = places[b"cmap"]
    (subtables,) = struct.unpack_from(">H", data, start + 2)
    found: set[int] = {ord(mark) for mark in _MARKS} | {ord("\n"), ord("\t")}
    for place in range(subtables):
        _, _, offset = struct.unpack_from(">HHI", data, start + 4 + 8 * place)
        (form,) = struct.unpack_from(">H", data, start + offset)
        if form != _SEGMENTED:
            continue
        (groups,) = struct.unpack_from(">I", data, start + offset + 12)
        for group in range(groups):
            first, last, _ = struct.unpack_from(">III", data, start + offset + 16 + 12 * group)
            found |= set(range(first, last + 1))
    return frozenset(found)


def showable(text: str) -> str:
    """The text with an empty box for each character that cannot be shown."""
    known = covered()
    return "".join(sign if ord(sign) in known else BOX for sign in text)


def covers(text: str) -> bool:
    """Whether every character of the text can be shown."""
    return showable(text) == text
