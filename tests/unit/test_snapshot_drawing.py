"""Drawings from a browser: what draws stays, what acts or fetches goes, and a drawing of something else is refused."""

from __future__ import annotations

import pytest
from defusedxml.ElementTree import fromstring

from dashboard.snapshot.drawing import MOST_BYTES, Unfit, drawn
from dashboard.snapshot.freeze import frozen_panel
from tests.snapshots import as_drawn, course_figure

FIGURE = frozen_panel(course_figure().panel)
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "script with a namespace": '<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>',
    "foreign object": "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml' onload='alert(1)'/></foreignObject>",
    "handler": '<rect width="1" height="1" onclick="alert(1)" onload="alert(1)"/>',
    "handler on a group": '<g onmouseover="alert(1)"><rect width="1" height="1"/></g>',
    "link": '<a href="javascript:alert(1)"><text>x</text></a>',
    "xlink": '<a xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="https://example.org/alert"><text>x</text></a>',
    "picture": '<image href="https://example.org/alert.png" width="1" height="1"/>',
    "use": '<use href="https://example.org/alert.svg#x"/>',
    "style element": "<style>@import url(https://example.org/alert.css)</style>",
    "style url": '<rect style="fill: url(https://example.org/alert); width: 1px" width="1" height="1"/>',
    "fill url": '<rect fill="url(https://example.org/alert)" width="1" height="1"/>',
    "clip url": '<g clip-path="url(https://example.org/alert.svg#x y)"><rect width="1" height="1"/></g>',
    "filter": '<filter id="f"><feImage href="https://example.org/alert"/></filter><rect filter="url(#f)" width="1" height="1"/>',
    "animation": '<set attributeName="href" to="javascript:alert(1)"/><animate attributeName="x" values="alert"/>',
    "markup in an id": '<g id="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"/>',
    "expression": '<rect width="expression(alert(1))" height="1"/>',
    "processing instruction": '<?xml-stylesheet href="https://example.org/alert.css"?>',
    "comment": "<!-- alert(1) -->",
    "data": '<rect data-x="alert(1)" class="alert" width="1" height="1"/>',
}


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_what_acts_or_fetches_is_dropped(kind: str) -> None:
    clean = drawn(as_drawn(FIGURE, HOSTILE[kind]), FIGURE, "f0")
    assert "alert" not in clean
    assert "example.org" not in clean
    fromstring(clean)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a plain SVG"),
        ("<svg", "not a plain SVG"),
        ("<html/>", "not an SVG"),
        ('<svg width="4" height="4"/>', "not an SVG"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>', "not a plain SVG"),
        ('<!DOCTYPE svg SYSTEM "file:///etc/hostname"><svg xmlns="http://www.w3.org/2000/svg"/>', "not a plain SVG"),
        (as_drawn(FIGURE, "<g/>" * 25_000), "too many parts"),
        (as_drawn(FIGURE, "<text>" + "x" * MOST_BYTES + "</text>"), "larger than"),
        ('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "lacks the text"),
        (as_drawn(FIGURE).replace("PHQ-9", "PHQ-8"), "lacks the text “PHQ-9”"),
        (as_drawn(FIGURE).replace("<b>12</b>", "").replace("12 latest", "3 latest"), "lacks the text “12 latest”"),
        (as_drawn(FIGURE).replace('<path d="M0,0L4,4"', "<g"), "strokes and marks"),
        (as_drawn(FIGURE).replace('width="680"', 'width="wide"'), "does not say its size"),
    ],
)
def test_a_drawing_of_something_else_is_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(Unfit, match=message):
        drawn(text, FIGURE, "f0")


def test_a_drawing_fits_the_sheet_and_is_named() -> None:
    clean = fromstring(drawn(as_drawn(FIGURE), FIGURE, "f0"))
    assert (clean.get("viewBox"), clean.get("width"), clean.get("role")) == ("0 0 680 350", None, "img")
    assert clean.get("aria-label") == FIGURE["alt"]


def test_styles_become_attributes_and_ids_stay_apart() -> None:
    extra = '<defs><clipPath id="c1"><rect width="2" height="2"/></clipPath></defs><g clip-path="url(#c1)"><path d="M1,1"/></g>'
    clean = drawn(as_drawn(FIGURE, extra), FIGURE, "f7")
    assert "style=" not in clean
    assert 'stroke="rgb(1, 2, 3)"' in clean
    assert 'id="f7-c1"' in clean
    assert "url(#f7-c1)" in clean


@pytest.mark.parametrize(
    "kept", ['dy="1.3em"', 'x="-12.5px"', 'viewBox="0 0 680 350"', 'transform="rotate(-90,12,40)"', 'd="M0,0L1e-3,4Z"']
)
def test_what_places_a_line_of_text_or_a_stroke_is_kept(kept: str) -> None:
    assert kept in drawn(as_drawn(FIGURE, f"<g {kept}/>"), FIGURE, "f0")
