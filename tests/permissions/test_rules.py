"""Each rule by itself, through both of its halves: what one says the other enforces, whatever stands behind it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import pages
from dashboard import access, reach
from dashboard.access import Role, Viewer, scope_for
from dashboard.errors import NotAllowed
from tests.permissions import registries
from tests.permissions.conftest import Trying
from tests.permissions.policy import pages as page_policy
from tests.permissions.policy import rows
from tests.permissions.world import PEOPLE

WHO = ("clinician", "supervisor", "director", "admin", "admin.with.record", "clinician.without.record",
       "supervisor.without.record")  # fmt: skip
# rule, and whose it is asked about, for the four roles (cells as in ``policy``)
TABLE = """
import                -    -        *     *
manage_staff          -    -        *     *
manage_people         -    -        -     *
erase                 -    -        *     -
change_rules          -    -        -     *
delete_snapshot       -    -        *     -
hand_over             -    -        *     -
audit_practice        -    -        *     -
enter                 own  own      ours  -
record_safety_check   own  own,now  ours  -
answer_flag           own  own      own   -
choose_monitoring     own  own      own   -
write_goal            own  own      own   -
make_snapshot         own  own,now  ours  -
lead_meeting          -    now      ours  -
write_in_meeting      own  own      own   -
write_in_meeting (leads)  own  own,now  ours  -
open_caseload         -    -        clinician,supervisor,now,ended,future,colleague,admin  -
read_goal             own  own      own   -
read_goal (shared)    own  own,now  ours  -
"""
OWNERS = ("clinician", "supervisor", "now", "ended", "future", "colleague", "director", "admin")


def given(name: str, viewer: Viewer, clinician_id: int) -> Sequence[Any]:
    """A rule's arguments."""
    match name:
        case "make_snapshot":
            return scope_for(viewer), frozenset({clinician_id})
        case "lead_meeting":
            return viewer, frozenset({clinician_id})
        case "write_in_meeting":
            return viewer, "somebody", frozenset({clinician_id})
        case "write_in_meeting (leads)":
            return viewer, viewer.username, frozenset({clinician_id})
        case "read_goal" | "read_goal (shared)":
            return viewer, clinician_id, name.endswith("(shared)")
        case "open_caseload":  # in a practice that asks for a reason
            return replace(viewer, gives_reasons=viewer.role is Role.DIRECTOR), clinician_id
    rule = getattr(access, f"can_{name}")
    first, *more = inspect.signature(rule).parameters
    return (viewer.role if first == "role" else viewer, *([clinician_id] if more else []))


def halves(function: str) -> tuple[Callable[..., bool], Callable[..., None] | None]:
    """Both functions of a rule; the second null where a statement enforces it."""
    home = reach if hasattr(reach, f"can_{function}") else access
    return getattr(home, f"can_{function}"), getattr(home, f"check_can_{function}", None)


@pytest.mark.parametrize("row", list(rows(TABLE)), ids=lambda row: row.act)
def test_a_rule_allows_what_the_policy_says_and_its_check_refuses_the_rest(tried: Trying, row: Any) -> None:
    can, check = halves(row.function)
    wrong = []
    for username in WHO:
        role, own, _ = PEOPLE[username]
        viewer = tried.world.known(username)
        for owner in OWNERS:
            arguments = given(row.act, viewer, tried.world.own[owner].clinician_id)
            expected = row.allows(role.value, owner, own) and not (
                own is None and role in (Role.CLINICIAN, Role.SUPERVISOR) and "*" not in row.act
            )
            found = bool(can(*arguments))
            raised = False
            try:
                if check is not None:
                    check(*arguments)
            except NotAllowed:
                raised = True
            if found != expected or (check is not None and raised == found):
                wrong.append(
                    f"{username}, {row.act} of {owner}: {found}, and the check {'refuses' if raised else 'lets pass'}"
                )
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("table", [*access.CLINICAL_TABLES, "set_aside", "audit", "mapping"])
def test_an_administrator_exports_no_clinical_table(table: str) -> None:
    for role in Role:
        expected = role is not Role.ADMIN or table in ("set_aside", "audit", "mapping")
        assert access.can_export(role, table) == expected
        if expected:
            access.check_can_export(role, table)
        else:
            with pytest.raises(NotAllowed):
                access.check_can_export(role, table)


def test_a_page_opens_for_its_roles_alone() -> None:
    for name, roles in page_policy().items():
        for role in Role:
            assert pages.can_open(role, pages.BY_NAME[name]) == roles[role.value]
            if not roles[role.value]:
                with pytest.raises(NotAllowed):
                    pages.check_can_open(role, pages.BY_NAME[name])


def test_a_clinician_leads_nobodys_meeting_whatever_links_say() -> None:
    assert not access.can_lead_meeting(Viewer("c", Role.CLINICIAN, 1, 2, frozenset({3})), frozenset({3}))


def test_nobody_opens_a_caseload_with_a_reason_where_the_practice_asks_for_none(tried: Trying) -> None:
    for username in WHO:
        for owner in OWNERS:
            viewer = tried.world.known(username)
            assert not reach.can_open_caseload(viewer, tried.world.own[owner].clinician_id), (username, owner)


def test_nobody_leads_a_meeting_about_nobody_but_a_director(tried: Trying) -> None:
    for username in WHO:
        expected = PEOPLE[username][0] is Role.DIRECTOR
        assert access.can_lead_meeting(tried.world.known(username), frozenset()) == expected
        assert not access.can_make_snapshot(scope_for(tried.world.known(username)), frozenset())


def test_who_waits_for_the_clinician_is_who_is_not_the_clinician(tried: Trying) -> None:
    today = tried.world.now.date()
    for username in WHO:
        viewer = tried.world.known(username)
        waits = access.first_look(viewer, 3, today)
        assert (waits is not None) == (viewer.role in (Role.SUPERVISOR, Role.DIRECTOR)), username
        assert access.first_look(viewer, 0, today) is None
        assert waits is None or (waits.since, waits.own_clinician_id) == (
            today - timedelta(days=3),
            viewer.clinician_id,
        )


def test_every_rule_is_asked_by_itself() -> None:
    named = {row.function for row in rows(TABLE)}
    assert set(registries.pairs()) == named | {"export", "open"}, "Add the rule to the table of this module"
