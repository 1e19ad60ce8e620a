"""Which columns of which source a mapping reads: all that a sync asks another system for, and all that an EAV table shows."""

from __future__ import annotations

from dashboard.intake.cells import named_columns
from dashboard.intake.mapping import UNPIVOT_NAME, UNPIVOT_VALUE, Mapping, Target


def _of_target(target: Target) -> list[str]:
    names = [name for column in target.columns.values() for name in named_columns(column)]
    names += [one.column for one in target.where] + [one.column for one in target.check] + list(target.unpivot)
    names += [*target.repeated_by, *([target.order_by] if target.order_by else [])]
    for join in target.join:
        names += list(join.on)
    return [name for name in names if name not in (UNPIVOT_NAME, UNPIVOT_VALUE)]


def columns_read(mapping: Mapping) -> dict[str, set[str]]:
    """The columns read of every source and of every table made of one (names in lower case)."""
    found: dict[str, set[str]] = {}

    def note(target: Target, name: str) -> None:
        for join in target.join:
            if name.startswith(f"{join.file}."):
                found.setdefault(join.file.lower(), set()).add(name.removeprefix(f"{join.file}."))
                return
        found.setdefault(target.file.lower(), set()).add(name)

    for target in mapping.table:
        found.setdefault(target.file.lower(), set())
        for name in _of_target(target):
            note(target, name)
        for join in target.join:
            theirs = found.setdefault(join.file.lower(), set())
            theirs |= {*join.on.values(), *(one for one in (join.most, join.earliest, join.latest) if one is not None)}
            if join.within is not None:
                # either side of the join may hold these days: both are asked, and what is not there is left out
                for name in (join.within.day, join.within.start, join.within.end):
                    note(target, name)
                    theirs.add(name)
    for eav in mapping.eav:
        found.setdefault(eav.file.lower(), set()).update((*eav.key, eav.name, eav.value))
    return found
