"""Who may make and delete snapshots, as a table; each rule through both of its functions."""

from __future__ import annotations

import pytest

from dashboard.access import (
    Role,
    Scope,
    can_delete_snapshot,
    can_make_snapshot,
    check_can_delete_snapshot,
    check_can_make_snapshot,
)
from dashboard.errors import NotAllowed


@pytest.mark.parametrize(
    ("holds", "wanted", "allowed"),
    [
        (None, {1, 2}, True),
        ({1, 2}, {1, 2}, True),
        ({1, 2}, {1}, True),
        ({1}, {1, 2}, False),
        ({1}, {2}, False),
        (set(), {1}, False),
        (None, set(), False),
        ({1}, set(), False),
    ],
)
def test_a_snapshot_is_made_by_whoever_may_read_everyone_in_it(
    holds: set[int] | None, wanted: set[int], allowed: bool
) -> None:
    scope = Scope(1, None if holds is None else frozenset(holds), "test")
    assert can_make_snapshot(scope, frozenset(wanted)) is allowed
    if allowed:
        check_can_make_snapshot(scope, frozenset(wanted))
    else:
        with pytest.raises(NotAllowed):
            check_can_make_snapshot(scope, frozenset(wanted))


@pytest.mark.parametrize("role", list(Role))
def test_only_directors_delete(role: Role) -> None:
    assert can_delete_snapshot(role) is (role is Role.DIRECTOR)
    if role is Role.DIRECTOR:
        check_can_delete_snapshot(role)
    else:
        with pytest.raises(NotAllowed):
            check_can_delete_snapshot(role)
