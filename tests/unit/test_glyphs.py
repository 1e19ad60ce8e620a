"""Names in other scripts stand in the PDF: what is said to be shown is laid out, in each weight."""

from __future__ import annotations

import io

import pypdf
import pytest

from dashboard.snapshot.files import checked_drawings
from dashboard.snapshot.glyphs import _BUILT_IN, BOX, covers, showable
from dashboard.snapshot.pdf import _data, _laid_out, pdf_file
from tests.hostile import HOSTILE
from tests.snapshots import MADE, as_drawn, content

DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0,0L9,9"/></svg>'


@pytest.mark.parametrize(("first", "last"), _BUILT_IN, ids=lambda one: f"{one:x}")
def test_each_sign_that_counts_as_shown_is_laid_out(first: int, last: int) -> None:
    letter = {0x5B0: "א", 0x900: "क"}.get(first, "a")  # a mark stands on a letter of its own script
    signs = " ".join(f"{letter}{chr(point)}" for point in range(first, last + 1))
    assert covers(signs)
    assert _laid_out(_data(content(words=signs), MADE, iter([DRAWING]), "a4"), MADE, own_only=False).startswith(b"%PDF")


def test_a_mark_of_one_script_on_a_letter_of_another_makes_boxes_and_no_error() -> None:
    made = content(words="zq a\u05b0 א\u064b क\u05b1 م\u0941")
    data = pdf_file(made, MADE, checked_drawings(made, [as_drawn(one) for one in made.figures]))
    assert BOX in "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def test_arabic_hebrew_and_persian_names_are_read_from_the_paper() -> None:
    text = "محمد נועה دخترم राम Արմեն გიორგი"
    made = content(words=text)
    data = pdf_file(made, MADE, checked_drawings(made, [as_drawn(one) for one in made.figures]))
    said = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)
    assert {"م", "נ", "Ա", "გ"} <= set(said)


@pytest.mark.parametrize("name", ["cjk", "emoji"])
def test_what_no_font_has_is_an_empty_box_and_the_rest_is_there(name: str) -> None:
    shown = showable(HOSTILE[name])
    assert BOX in shown
    assert f"zq{name}" in shown
