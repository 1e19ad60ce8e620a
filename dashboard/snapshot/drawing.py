"""Figures drawn by somebody else's program: cleaned to an allow-list, and checked against the figure they claim to be.

An SVG that a browser sends is input like any other. It is read by a parser that resolves nothing, rebuilt from an
allow-list of drawing elements and attributes, and refused where what the figure's own description names does not occur in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from math import isfinite
from typing import Any
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dashboard.errors import SupervisionError
from dashboard.snapshot.content import Frozen, plain

MOST_BYTES = 400_000  # of one figure; those of a long episode have 60 kB
MOST_ELEMENTS = 20_000
SVG = "http://www.w3.org/2000/svg"

ELEMENTS = frozenset(
    {
        "svg",
        "g",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "text",
        "tspan",
        "defs",
        "clipPath",
    }
)
GEOMETRY = frozenset(
    {
        "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "ry", "d", "points", "transform", "width", "height",
        "viewBox", "dx", "dy", "id", "preserveAspectRatio",
    }
)  # fmt: skip
PAINT = frozenset(
    {
        "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap",
        "stroke-linejoin", "stroke-miterlimit", "opacity", "font-family", "font-size", "font-weight", "font-style",
        "text-anchor", "dominant-baseline", "visibility", "display", "clip-path", "clip-rule",
    }
)  # fmt: skip
NUMBERS = r"[-+0-9.eE,\s]*"
_VALUES = {
    "d": re.compile(rf"(?:[MmLlHhVvCcSsQqTtAaZz]|{NUMBERS})*"),
    "transform": re.compile(rf"(?:(?:matrix|translate|scale|rotate|skewX|skewY)\({NUMBERS}\)[,\s]*)*"),
    "preserveAspectRatio": re.compile(r"[A-Za-z ]*"),
    "id": re.compile(r"[A-Za-z][A-Za-z0-9_-]*"),
    "clip-path": re.compile(r"url\(#[A-Za-z][A-Za-z0-9_-]*\)|none"),
    "font-family": re.compile(r"[A-Za-z0-9 ,\"'-]*"),
}
_NUMBERS = re.compile(rf"{NUMBERS}(?:px|em|%)?")
_PLAIN_VALUE = re.compile(r"[-+#%.,()A-Za-z0-9\s]*")
_LOCAL_CLIP = re.compile(r"""url\(\s*['"]?[^'")#]*#([A-Za-z][A-Za-z0-9_-]*)['"]?\s*\)""")
_TAG = re.compile(r"<[^>]*>")


class Unfit(SupervisionError):
    """A drawing that is too large, no SVG, or not the figure it claims to be."""


def drawn(text: str, figure: Frozen, prefix: str) -> str:
    """The cleaned SVG of a frozen figure. ``prefix`` keeps its ids apart from those of the other figures in a file.

    Raises Unfit, in words, where it cannot be used.
    """
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise Unfit(f"A drawn figure is larger than {MOST_BYTES // 1000} kB.")
    try:
        root = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        raise Unfit("A drawn figure is not a plain SVG.") from None
    if root.tag != f"{{{SVG}}}svg":
        raise Unfit("A drawn figure is not an SVG.")
    if sum(1 for _ in root.iter()) > MOST_ELEMENTS:
        raise Unfit("A drawn figure has too many parts.")
    clean = _cleaned(root, prefix)
    if clean is None:
        raise Unfit("A drawn figure is empty.")
    _check(clean, figure["figure"])
    _framed(clean, figure)
    return tostring(clean, encoding="unicode")


def _name(tag: Any) -> str:
    return str(tag).removeprefix(f"{{{SVG}}}") if isinstance(tag, str) else ""


def _cleaned(element: Element, prefix: str) -> Element | None:
    name = _name(element.tag)
    if name not in ELEMENTS:
        return None
    clean = Element(name)
    for key, value in _attributes(element):
        if key == "clip-path" and (found := _LOCAL_CLIP.fullmatch(value.strip())):
            value = f"url(#{found[1]})"
        if _allowed(key, value):
            clean.set(key, _own(key, value, prefix))
    if name in ("text", "tspan"):
        clean.text = plain(element.text or "")
    for child in element:
        kept = _cleaned(child, prefix)
        if kept is not None:
            if name in ("text", "tspan"):
                kept.tail = plain(child.tail or "")
            clean.append(kept)
    return clean


def _attributes(element: Element) -> Iterator[tuple[str, str]]:
    """Attributes, and what a style attribute says, as attributes: a strict policy of the file allows no style of its own."""
    for key, value in element.attrib.items():
        if key != "style":
            yield key, value
    for part in element.get("style", "").split(";"):
        key, colon, value = part.partition(":")
        if colon:
            yield key.strip().lower(), unescape(value.strip())


def _allowed(key: str, value: str) -> bool:
    if key not in GEOMETRY and key not in PAINT:
        return False
    usual = _NUMBERS if key in GEOMETRY else _PLAIN_VALUE
    return bool(_VALUES.get(key, usual).fullmatch(value)) and (key == "clip-path" or "url" not in value.lower())


def _own(key: str, value: str, prefix: str) -> str:
    if key == "id":
        return f"{prefix}-{value}"
    return value.replace("url(#", f"url(#{prefix}-") if key == "clip-path" else value


# --------------------------------------------------------------------------- is it that figure?


def _check(clean: Element, figure: Frozen) -> None:
    """What the description names must be drawn: its texts, as many marks as it has points, a line for each line."""
    said = _squeezed(" ".join(_words(clean)))
    missing = [text for text in _texts(figure) if _squeezed(text) not in said]
    if missing:
        raise Unfit(f"A drawn figure lacks the text “{missing[0][:60]}” of the figure it belongs to.")
    paths = sum(1 for element in clean.iter() if element.tag == "path" and element.get("d"))
    lines, marks, texts = _expected(figure)
    if paths < lines + marks:
        raise Unfit(f"A drawn figure has {paths} strokes and marks where its data have {lines + marks}.")
    drawn_texts = sum(1 for element in clean.iter() if element.tag == "text")
    if drawn_texts < texts:
        raise Unfit("A drawn figure lacks labels of the figure it belongs to.")


def _words(element: Element) -> Iterator[str]:
    for one in element.iter():
        yield one.text or ""
        yield one.tail or ""


def _squeezed(text: str) -> str:
    """Letters and signs without space: a browser breaks lines where the description has a tag."""
    return re.sub(r"\s+", "", text)


def _texts(figure: Frozen) -> list[str]:
    """Titles of axes that are drawn and labels of annotations, each line by itself."""
    layout = figure.get("layout", {})
    found = [one.get("text", "") for one in layout.get("annotations", ()) if one.get("visible", True) is not False]
    found += [
        (axis.get("title") or {}).get("text", "")
        for name, axis in layout.items()
        if re.fullmatch(r"[xy]axis\d*", name) and axis.get("visible", True) is not False
    ]
    found.append((layout.get("title") or {}).get("text", "") if isinstance(layout.get("title"), dict) else "")
    lines = [line for text in found for line in re.split(r"<br\s*/?>", str(text or ""))]
    return [text for line in lines if (text := unescape(_TAG.sub("", line)).strip())]


def _expected(figure: Frozen) -> tuple[int, int, int]:
    """How many lines, marks and texts of data there are at least; points without a value or outside the axes are not drawn."""
    lines = marks = texts = 0
    layout = figure.get("layout", {})
    for trace in figure.get("data", ()):
        if trace.get("type", "scatter") != "scatter" or trace.get("visible", True) is not True:
            continue
        count = sum(
            1 for x, y in zip(_values(trace, "x"), _values(trace, "y"), strict=False) if _inside(trace, layout, x, y)
        )
        mode = str(trace.get("mode", "lines+markers"))
        lines += "lines" in mode and count > 1
        marks += count if "markers" in mode else 0
        texts += count if "text" in mode else 0
    return lines, marks, texts


def _values(trace: Frozen, key: str) -> list[Any]:
    found = trace.get(key)
    return found if isinstance(found, list) else []


def _inside(trace: Frozen, layout: Frozen, x: Any, y: Any) -> bool:
    for value, key in ((x, "xaxis"), (y, "yaxis")):
        if value is None:
            return False
        number = str(trace.get(key, key[0]))[1:]
        limits = layout.get(f"{key}{number}", {}).get("range")
        if not limits or not all(isinstance(one, int | float) for one in (*limits, value)):
            continue
        if not isfinite(value) or not min(limits) <= value <= max(limits):
            return False
    return True


def _framed(clean: Element, figure: Frozen) -> None:
    """Its size as a view box, so that it fits the sheet; named as a picture where it is read aloud."""
    width, height = (_number(clean.get(name, "")) for name in ("width", "height"))
    if "viewBox" not in clean.attrib:
        if not width or not height:
            raise Unfit("A drawn figure does not say its size.")
        clean.set("viewBox", f"0 0 {width:g} {height:g}")
    for name in ("width", "height"):
        clean.attrib.pop(name, None)
    clean.set("xmlns", SVG)
    clean.set("role", "img")
    clean.set("aria-label", figure["alt"])


def _number(text: str) -> float:
    try:
        return float(text.removesuffix("px"))
    except ValueError:
        return 0.0
