"""What the copy's modules ask at each check: is this the one that is taken away now? Copied beside them, under its own name."""

from __future__ import annotations

from typing import Any

ACTIVE: list[int] = [-1]
REACHED: set[int] = set()


def off(number: int) -> bool:
    """Whether this check is taken away; that it was reached is written down."""
    REACHED.add(number)
    return ACTIVE[0] == number


def wide(number: int, scope: Any) -> Any:
    """The scope, or the whole practice."""
    if not off(number):
        return scope
    from dashboard.access import Scope

    return Scope(scope.practice_id, None, scope.reason)


def condition(number: int, given: Any) -> Any:
    """A condition of a statement, or none."""
    if not off(number):
        return given
    from sqlalchemy import true

    return true()


def look(number: int, given: Any) -> Any:
    """What somebody may see of estimates, or everything."""
    if not off(number):
        return given
    from dashboard.access import EstimateView

    return EstimateView(frozenset(range(1, 1000)), True)
