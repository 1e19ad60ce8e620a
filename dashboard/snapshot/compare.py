"""Two snapshots side by side: which episodes came and went, whose status or latest score changed."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.snapshot.content import Frozen
from dashboard.ui.status import PRIORITY
from dashboard.ui.words import MISSING


@dataclass(frozen=True)
class Difference:
    """One thing that differs. ``before``, ``after``: in words, a dash where it is not there."""

    what: str
    kind: str
    before: str
    after: str


def differences(earlier: Frozen, later: Frozen) -> list[Difference]:
    """What differs between two contents, by episode code; rules and models first, where they do.

    Scores and statuses can be compared for episodes on both lists; an episode that is on one of them only came or went.
    """
    found = [
        Difference(words, "version", str(earlier[name]), str(later[name]))
        for name, words in (("rules_version", "Rules of the signals"), ("model_version", "Models"))
        if earlier[name] != later[name]
    ]
    before, after = ({one["code"]: one for one in content["listed"]} for content in (earlier, later))
    for code in sorted(before.keys() | after.keys()):
        old, new = before.get(code), after.get(code)
        if old is None or new is None:
            kind = "new on the list" if old is None else "no longer on the list"
            found.append(Difference(code, kind, _status(old), _status(new)))
            continue
        if old["priority"] != new["priority"]:
            found.append(Difference(code, "status", _status(old), _status(new)))
        if old["latest"] != new["latest"]:
            found.append(Difference(code, "latest score", old["latest"], new["latest"]))
        if old["signals"] != new["signals"]:
            found.append(Difference(code, "signals", _listed(old["signals"]), _listed(new["signals"])))
    return found + _figures(earlier, later)


def _status(one: Frozen | None) -> str:
    return MISSING if one is None else PRIORITY[one["priority"]].word


def _listed(names: list[str]) -> str:
    return ", ".join(names) or MISSING


def _figures(earlier: Frozen, later: Frozen) -> list[Difference]:
    """Rows of tables of counts, and the change of a single episode: tables of the same caption, row by row."""
    if earlier["listed"] or later["listed"]:
        return []
    before, after = _rows(earlier), _rows(later)
    return [
        Difference(": ".join(key), "numbers", before.get(key, MISSING), after.get(key, MISSING))
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    ]


def _rows(content: Frozen) -> dict[tuple[str, str], str]:
    return {
        (block["caption"], row[0]["text"]): " · ".join(_cell(cell) for cell in row[1:])
        for section in content["sections"]
        for block in section["blocks"]
        if block["kind"] == "table"
        for row in block["rows"]
    }


def _cell(cell: Frozen) -> str:
    mark = cell.get("mark")
    return str(mark["word"]) if mark else str(cell["text"])
