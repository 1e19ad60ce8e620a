"""The vulnerabilities that are known and accepted for a while: read from a TOML file, each with a reason and a last day."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

LONGEST_DAYS = 180  # project default: nothing is accepted for longer without being looked at again
FIELDS = {"package": str, "id": str, "reason": str, "until": date}


class WrongList(Exception):
    """The list of ignored vulnerabilities, or what it is about, cannot be used; in words."""


@dataclass(frozen=True)
class Ignored:
    """One accepted vulnerability. ``id``: any of its names; ``until``: the last day."""

    package: str
    id: str
    reason: str
    until: date

    def covers(self, package: str, names: frozenset[str], today: date) -> bool:
        """Whether it still speaks for a vulnerability of that package, by any of its names."""
        return today <= self.until and package == self.package and self.id in names


def read(path: Path, today: date) -> list[Ignored]:
    """The list. Raises WrongList for a file that is none, a field that lacks or is of another kind, or a day too far ahead."""
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("ignored", [])
    except (OSError, ValueError) as error:
        raise WrongList(f"{path.name} cannot be read: {error}") from None
    return [_entry(path.name, number, entry, today) for number, entry in enumerate(entries, start=1)]


def _entry(file: str, number: int, entry: dict[str, object], today: date) -> Ignored:
    for name, kind in FIELDS.items():
        value = entry.get(name)
        if not isinstance(value, kind) or not str(value).strip():
            raise WrongList(f"{file}, entry {number}: '{name}' is missing, or is no {kind.__name__}")
    found = Ignored(*(entry[name] for name in FIELDS))  # type: ignore[arg-type]
    if found.until > today + timedelta(days=LONGEST_DAYS):
        raise WrongList(f"{file}, entry {number}: 'until' is more than {LONGEST_DAYS} days ahead")
    return found
