"""Which characters the print font can show: a tagged PDF may hold no character without a picture.

The font comes with a dependency and its table of characters is read from the file, so that nothing here has to be kept in
step with it. Names in some other scripts are shown with the fonts that are built into typst. What all of them lack (Chinese,
Japanese, Korean, Thai, emoji) is shown as an empty box; the HTML and the tables keep the character itself.
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
# what typst's own fonts (DejaVu Sans Mono, Libertinus Serif, New Computer Modern) have in each weight; a test lays them out
_BUILT_IN = (
    (0x531, 0x556), (0x559, 0x58A),  # Armenian
    (0x5B0, 0x5C3), (0x5D0, 0x5EA), (0x5EF, 0x5F4),  # Hebrew
    (0x60C, 0x60C), (0x61B, 0x61B), (0x61F, 0x61F), (0x621, 0x63A), (0x640, 0x655), (0x660, 0x66D), (0x679, 0x67B),
    (0x67E, 0x680), (0x683, 0x684), (0x686, 0x687), (0x691, 0x691), (0x698, 0x698), (0x6A4, 0x6A4), (0x6A9, 0x6A9),
    (0x6AF, 0x6AF), (0x6BE, 0x6BE), (0x6CC, 0x6CC), (0x6F0, 0x6F9),  # Arabic, Persian and what Urdu shares with them
    (0x900, 0x97F),  # Devanagari
    (0x10D0, 0x10FF),  # Georgian
    (0x200C, 0x200D),  # joiner and non-joiner, which only shape their neighbours
)  # fmt: skip
BOX = "□"
_SEGMENTED = 12  # the format of a character table that holds whole ranges


@cache
def covered(own_only: bool = False) -> frozenset[int]:
    """Code points that can be shown; ``own_only`` without those that only typst's fonts have."""
    data = (FOLDER / _FILE).read_bytes()
    (count,) = struct.unpack_from(">H", data, 4)
    places = {}
    for place in range(count):
        tag, _, offset, _ = struct.unpack_from(">4sIII", data, 12 + 16 * place)
        places[tag] = offset
    start = places[b"cmap"]
    (subtables,) = struct.unpack_from(">H", data, start + 2)
    found: set[int] = {ord(mark) for mark in _MARKS} | {ord("\n"), ord("\t")}
    if not own_only:
        found |= {point for first, last in _BUILT_IN for point in range(first, last + 1)}
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


def showable(text: str, own_only: bool = False) -> str:
    """The text with an empty box for each character that cannot be shown."""
    known = covered(own_only)
    return "".join(sign if ord(sign) in known else BOX for sign in text)


def covers(text: str) -> bool:
    """Whether every character of the text can be shown."""
    return showable(text) == text
