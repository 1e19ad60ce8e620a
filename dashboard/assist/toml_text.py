"""A mapping's data as TOML text: strict, small, and read back as the same data."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

_BARE = re.compile(r"^[A-Za-z0-9_-]+$")
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_INLINE = 100  # characters up to which a table is written in one line


def _escaped(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if code < 0x20 or code == 0x7F:
        return f"\\u{code:04x}"
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("half of a character cannot be written as TOML")
    # characters that turn the direction of text, or end a line in some editors, are written as their number
    return (
        f"\\u{code:04x}"
        if code in (0x85, 0x2028, 0x2029) or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069
        else char
    )


def quoted(text: str) -> str:
    """A TOML basic string."""
    return f'"{"".join(map(_escaped, text))}"'


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else quoted(name)


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value) if value == value and abs(value) != float("inf") else _no_number(value)
        case str():
            return quoted(value)
        case datetime() | date():
            return value.isoformat()
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            return "{" + ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items()) + "}"
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written as TOML")


def _no_number(value: float) -> str:
    raise ValueError(f"{value} cannot be written in a mapping")


def _long(value: Any) -> bool:
    return isinstance(value, dict) and len(_value(value)) > _INLINE


def _table_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _lines(table: dict[str, Any], path: tuple[str, ...]) -> list[str]:
    plain = {k: v for k, v in table.items() if not _long(v) and not (_table_list(v) and len(path) < 2)}
    lines = [f"{_key(name)} = {_value(one)}" for name, one in plain.items()]
    for name, one in table.items():
        if name in plain:
            continue
        deeper = (*path, name)
        header = ".".join(map(_key, deeper))
        if isinstance(one, dict):
            lines += ["", f"[{header}]", *_lines(one, deeper)]
        else:
            for part in one:
                lines += ["", f"[[{header}]]", *_lines(part, deeper)]
    return lines


def toml_text(data: dict[str, Any]) -> str:
    """The text of a TOML file that ``tomllib`` reads back as the same data.

    Raises ValueError for numbers that TOML readers of ours refuse (infinite, none), TypeError for what TOML has no form for.
    """
    return "\n".join(_lines(data, ())).lstrip("\n") + "\n"
