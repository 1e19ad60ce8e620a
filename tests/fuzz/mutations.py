"""Ways to spoil a file: bytes, lines, cells, numbers and words; parts of a packed file; branches of a JSON document."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

Mutation = Callable[[bytes, random.Random], bytes]

TOKENS = [
    b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\r", b"\r\n", b'"', b"''", b",", b";", b"\t", b"{", b"}", b"[", b"]",
    b"null", b"NaN", b"Infinity", b"-0", b"1e999", b"-1", b"99999999999999999999999", b"0x10", b"1,5", b"\xd9\xa3",
    b"2026-02-30", b"0000-00-00", b"9999-12-31", b"2026-11-20T25:61", b"2026-11-20T10:00+99:99", b"31/12/2026",
    b"=cmd|' /C calc'!A0", b"<script>alert(1)</script>", b"{}", b"{0.__class__}", b"%s%n", b"\xe2\x80\xae", b"\xed\xa0\x80",
    b"item_0", b"item_99999999999", b"total", b"phq9", b"true", b"'; DROP TABLE score; --", b"../../etc/passwd", b"A" * 5000,
]  # fmt: skip


def flip(data: bytes, draw: random.Random) -> bytes:
    """A few bytes become others."""
    spoiled = bytearray(data)
    for _ in range(draw.randint(1, 8)):
        if spoiled:
            spoiled[draw.randrange(len(spoiled))] = draw.randrange(256)
    return bytes(spoiled)


def cut(data: bytes, draw: random.Random) -> bytes:
    """The end, or a piece in the middle, is missing."""
    start = draw.randint(0, len(data))
    return data[:start] if draw.random() < 0.5 else data[:start] + data[start + draw.randint(1, 200) :]


def double(data: bytes, draw: random.Random) -> bytes:
    """A piece stands twice, or many times."""
    start = draw.randint(0, len(data))
    piece = data[start : start + draw.randint(1, 300)]
    return data[:start] + piece * draw.choice([2, 2, 3, 50]) + data[start:]


def insert(data: bytes, draw: random.Random) -> bytes:
    """A hostile token somewhere."""
    start = draw.randint(0, len(data))
    return data[:start] + draw.choice(TOKENS) + data[start:]


def lines(data: bytes, draw: random.Random) -> bytes:
    """Lines change places, vanish or repeat; a cell becomes a token."""
    rows = data.split(b"\n")
    match draw.randrange(4):
        case 0:
            draw.shuffle(rows)
        case 1:
            rows = [row for row in rows if draw.random() < 0.8]
        case 2:
            rows = rows[:1] + [row for row in rows[1:] for _ in range(draw.choice([1, 1, 2]))]
        case _:
            for _ in range(draw.randint(1, 5)):
                at = draw.randrange(len(rows))
                cells = rows[at].split(b",")
                cells[draw.randrange(len(cells))] = draw.choice(TOKENS)
                rows[at] = b",".join(cells)
    return b"\n".join(rows)


def encoded(data: bytes, draw: random.Random) -> bytes:
    """The same text in another encoding."""
    text = data.decode("utf-8", "replace")
    return text.encode(draw.choice(["utf-16", "utf-32", "latin-1", "utf-8-sig", "cp500"]), "replace")


BYTES: tuple[Mutation, ...] = (flip, cut, double, insert)
TEXT: tuple[Mutation, ...] = (*BYTES, lines, lines, lines, encoded)


def packed(inner: tuple[Mutation, ...]) -> Mutation:
    """A gzip file whose content, or whose own bytes, are spoiled."""

    def mutate(data: bytes, draw: random.Random) -> bytes:
        if draw.random() < 0.3:
            return draw.choice(BYTES)(data, draw)
        try:
            content = draw.choice(inner)(gzip.decompress(data), draw)
        except (OSError, EOFError, zlib.error):  # spoiled before
            return draw.choice(BYTES)(data, draw)
        return gzip.compress(content, 1) * draw.choice([1, 1, 1, 2])

    return mutate


def zipped(data: bytes, draw: random.Random) -> bytes:
    """A workbook one of whose parts is spoiled, absent, doubled or huge."""
    if draw.random() < 0.25:
        return draw.choice(BYTES)(data, draw)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            parts = {name: book.read(name) for name in book.namelist()}
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, RuntimeError, EOFError):  # spoiled before
        return draw.choice(BYTES)(data, draw)
    name = draw.choice(sorted(parts))
    if draw.random() < 0.1:
        del parts[name]
    elif draw.random() < 0.05:
        parts[name] = parts[name] + b" " * 20_000_000
    else:
        parts[name] = draw.choice(TEXT)(parts[name], draw)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for part, content in parts.items():
            book.writestr(part, content)
    return out.getvalue()


def _branches(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        found.append((value, key))
        _branches(one, found)
    return found


def _spoiled(one: Any, draw: random.Random) -> Any:
    strange: list[Any] = [
        None, True, False, 0, -1, 1e308, 10**30, "", "x", [], {}, [one], {"value": one}, [one] * 3, "9" * 400, "\ud800",
        "2026", "2026-13-01", "2026-11-20T10:00:00+14:00", "urn:uuid:0", "Patient/none", "#", {"reference": "#x"}, float("nan"),
    ]  # fmt: skip
    return draw.choice(strange)


def branches(data: bytes, draw: random.Random) -> bytes:
    """A JSON document, or one line of several, in which branches are replaced, removed, moved or nested deeply."""
    rows = data.split(b"\n") if b"\n{" in data else [data]
    at = draw.randrange(len(rows))
    try:
        document = json.loads(rows[at])
        found = _branches(document, [])
    except (ValueError, RecursionError):
        return draw.choice(TEXT)(data, draw)
    for _ in range(draw.randint(1, 4)):
        if not found:
            break
        parent, key = draw.choice(found)
        try:
            match draw.randrange(5):
                case 0:
                    del parent[key]
                case 1:
                    other, name = draw.choice(found)
                    parent[key] = json.loads(json.dumps(other[name]))
                case 2:
                    deep: Any = parent[key]
                    for _ in range(draw.choice([5, 60, 900])):
                        deep = {"item": [deep]}
                    parent[key] = deep
                case _:
                    parent[key] = _spoiled(parent[key], draw)
        except (KeyError, IndexError, RecursionError):
            continue
    try:
        rows[at] = json.dumps(document).encode("utf-8", "surrogatepass")
    except (RecursionError, ValueError):
        rows[at] = b'{"item":' * 100_000
    return b"\n".join(rows)


JSON: tuple[Mutation, ...] = (branches, branches, branches, branches, *TEXT)
