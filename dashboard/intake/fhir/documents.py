"""FHIR files to single resources: a JSON document (Bundle or one resource) or NDJSON, one at a time, never a whole tree.

Bundles are read entry by entry and NDJSON line by line, so memory holds the file's text and one resource.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pydantic_core import from_json

from dashboard.errors import UnusableInput
from dashboard.intake.read import Limits, fhir_kind_of, file_bytes

BOM = b"\xef\xbb\xbf"
DEPTH = 3  # a Bundle may hold a Bundle (a batch's answers); deeper is no export that is known of
SPACE = re.compile(r"[ \t\r\n]*")
MEGABYTE = 1024 * 1024
DOCUMENT_SHARE = (
    0.25  # project default: text takes up to four times its bytes once decoded, NDJSON is not decoded whole
)


class NotFhir(UnusableInput):
    """A JSON document without a resourceType."""


@dataclass(frozen=True)
class Found:
    """One resource, or a line that holds none (``fault`` says why). ``line``: of NDJSON, else the entry's number."""

    line: int
    resource: dict[str, Any] | None = None
    full_url: str | None = None
    fault: str | None = None
    text: str | None = None


def _refused(file: str, what: str, mend: str, kind: type[UnusableInput] = UnusableInput) -> UnusableInput:
    return kind(f"{file}: {what}. {mend} Nothing was imported.")


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number that JSON has")


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=_no_constant)


class _Text:
    """A cursor over one JSON document."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file, self.at, self.decode = text, file, 0, _decoder().raw_decode

    def skip(self) -> str:
        """Past white space; the character there, or '' at the end."""
        match = SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def take(self, mark: str) -> None:
        if self.skip() != mark:
            raise ValueError(f"'{mark}' is expected")
        self.at += 1

    def value(self) -> Any:
        self.skip()
        try:
            one, self.at = self.decode(self.text, self.at)
        except json.JSONDecodeError as error:
            self.at = error.pos
            raise ValueError(error.msg) from None
        return one

    def more(self, end: str) -> bool:
        """After an element: true where a comma follows, false (and past it) at the closing mark."""
        mark = self.skip()
        if mark not in (",", end) or not mark:
            raise ValueError(f"',' or '{end}' is expected")
        self.at += 1
        return mark == ","

    @property
    def line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1


def _entry(one: Any, number: int, depth: int) -> Iterator[Found]:
    if not isinstance(one, dict):
        yield Found(number, fault="the entry is not an object")
        return
    resource = one.get("resource")
    if resource is None:
        return  # a deletion or an answer without a body
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        yield Found(number, fault="the entry's resource has no resourceType")
        return
    url = one.get("fullUrl")
    yield from _unpacked(resource, number, url if isinstance(url, str) else None, depth)


def _unpacked(resource: dict[str, Any], number: int, url: str | None, depth: int) -> Iterator[Found]:
    if resource["resourceType"] != "Bundle":
        yield Found(number, resource, url)
        return
    entries = resource.get("entry", [])
    if depth >= DEPTH or not isinstance(entries, list):
        yield Found(number, fault="a Bundle whose entries cannot be read")
        return
    for one in entries:
        yield from _entry(one, number, depth + 1)


def _document(text: str, file: str) -> Iterator[Found]:
    """The resources of one document; raises ValueError where it is not JSON, UnusableInput where it is not FHIR."""
    cursor = _Text(text, file)
    whole: dict[str, Any] = {}
    cursor.take("{")
    entries = 0
    if cursor.skip() == "}":
        cursor.at += 1
    else:
        while True:
            if cursor.skip() != '"':
                raise ValueError("a name in quotation marks is expected")
            name = cursor.value()
            cursor.take(":")
            if name == "entry" and cursor.skip() == "[":
                cursor.at += 1
                if cursor.skip() == "]":
                    cursor.at += 1
                else:
                    more = True
                    while more:
                        entries += 1
                        yield from _entry(cursor.value(), entries, 1)
                        more = cursor.more("]")
            else:
                whole[name] = cursor.value()
            if not cursor.more("}"):
                break
    if cursor.skip():
        raise ValueError("more follows after the end; name a file of one resource per line .ndjson")
    kind = whole.get("resourceType")
    if not isinstance(kind, str):
        raise _refused(file, "it has no resourceType, so it is not FHIR", "Leave it out.", NotFhir)
    if kind != "Bundle":
        if entries:
            whole["entry"] = []  # a List has entries too; it is not read
        yield Found(1, whole)


def _decoded(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _refused(file, f"line {line} is not UTF-8", "Save it as UTF-8.") from None


def _lines(data: bytes, file: str) -> Iterator[Found]:
    start, number = len(BOM) if data.startswith(BOM) else 0, 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        line = data[start:end]
        start, number = end + 1, number + 1
        if not line.strip():
            continue
        try:
            one = from_json(line, allow_inf_nan=False)
        except ValueError as error:
            try:
                shown = line.decode()[:200]
            except UnicodeDecodeError:
                raise _refused(file, f"line {number} is not UTF-8", "Save it as UTF-8.") from None
            yield Found(number, fault=f"the line is not JSON ({str(error)[:80]})", text=shown)
            continue
        if not isinstance(one, dict) or not isinstance(one.get("resourceType"), str):
            yield Found(number, fault="the line holds no resource: there is no resourceType")
            continue
        yield from _unpacked(one, number, None, 0)


def resources(path: Path, limits: Limits) -> Iterator[Found]:
    """The resources of one file, in file order; what cannot be read within it comes as a ``fault``.

    Raises UnusableInput where the file is too large unpacked, not UTF-8, not JSON, cut off, or not FHIR (NotFhir).
    """
    file = path.name
    data = file_bytes(path, file, limits)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refused(file, "it is UTF-16, not UTF-8", "Save it as UTF-8.")
    if (fhir_kind_of(path) or "").startswith(".ndjson"):
        yield from _lines(data, file)
        return
    most = limits.unpacked_mb * DOCUMENT_SHARE
    if len(data) > most * MEGABYTE:
        raise _refused(
            file, f"it is one JSON document larger than {most:,.0f} MB", "Export NDJSON, or split the Bundle."
        )
    text = _decoded(data, file)
    del data
    try:
        yield from _document(text, file)
    except RecursionError:
        raise _refused(file, "it is nested too deeply", "Check that it is FHIR.") from None
    except ValueError as error:
        raise _refused(file, f"it is not one whole JSON document ({str(error)[:80]})", "Export it again.") from None
