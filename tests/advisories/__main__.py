"""``python -m tests.advisories``: whether a package in requirements.lock has a known vulnerability.

Ends with 1 and names each (package, id, version without it) where one is known and not in ``ignored.toml``; with 0 where none is,
or where no advisory service could be asked, which is said; with 2 where the lock, the list or the tool cannot be used.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from tests.advisories import asking
from tests.advisories.asking import Found, NotAsked, Vulnerability
from tests.advisories.ignored import Ignored, WrongList, read

HERE = Path(__file__).parent
LOCK = HERE.parents[1] / "requirements.lock"
IGNORED = HERE / "ignored.toml"


def _first_answer(tool: Sequence[str], pinned: Sequence[str]) -> tuple[Found | None, list[str]]:
    why = []
    for service in asking.SERVICES:
        try:
            return asking.ask(tool, service, pinned), why
        except NotAsked as error:
            why.append(f"{service}: {error}")
    return None, why


def _line(one: Vulnerability) -> str:
    others = ", ".join(sorted(one.names - {one.id}))
    fixed = f"fixed in {', '.join(one.fixed_in)}" if one.fixed_in else "no version without it yet"
    return f"  {one.package} {one.version}: {one.id}{f' ({others})' if others else ''}, {fixed}"


def _verdict(found: Found, accepted: Sequence[Ignored], today: date) -> tuple[int, list[str]]:
    speaks = {
        one: next((entry for entry in accepted if entry.covers(one.package, one.names, today)), None)
        for one in found.vulnerabilities
    }
    open_ = [one for one, entry in speaks.items() if entry is None]
    lines = [
        f"Ignored until {entry.until}: {_line(one).strip()}. {entry.reason}" for one, entry in speaks.items() if entry
    ]
    known = {(one.package, name) for one in found.vulnerabilities for name in one.names}
    lines += [
        f"No longer found; remove it from {IGNORED.name}: {entry.package} {entry.id}"
        for entry in accepted
        if (entry.package, entry.id) not in known
    ]
    if found.unknown:
        lines.append(f"Not known there: {', '.join(found.unknown)}.")
    if open_:
        return 1, [*lines, f"Known vulnerabilities in {LOCK.name} ({found.service}):", *map(_line, open_)]
    return 0, [*lines, f"{found.asked} pins asked about ({found.service}): no known vulnerability."]


def audit(lock: Path, ignored: Path, today: date, tool: Sequence[str] = asking.TOOL) -> tuple[int, list[str]]:
    """The exit code, and what is said. ``tool``: the command that stands for pip-audit."""
    try:
        accepted = read(ignored, today)
        found, why = _first_answer(tool, asking.pins(lock))
    except WrongList as error:
        return 2, [f"{error}."]
    if found is None:
        return 0, ["Skipped: no advisory service could be asked, so nothing is known about the pins.", *why]
    return _verdict(found, accepted, today)


if __name__ == "__main__":
    code, lines = audit(LOCK, IGNORED, date.today())
    print("\n".join(lines))
    sys.exit(code)
