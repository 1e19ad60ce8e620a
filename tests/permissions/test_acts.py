"""Every act by everybody on everybody's things: what the policy does not allow is refused in the same words, leaving nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pytest

from dashboard.access import Viewer
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.saved_mappings import Shelf
from dashboard.snapshot.files import Files
from tests.permissions import registries
from tests.permissions.acts import ACTS
from tests.permissions.browsing import named
from tests.permissions.conftest import Trying
from tests.permissions.policy import ACTS as TABLE
from tests.permissions.policy import COLUMNS, COVERED, NOT_ACTS, Row, rows
from tests.permissions.world import COVERS, MADE_UP, OURS, PEOPLE, without_evaluating

ROWS = {row.act: row for row in rows(TABLE)}
READ_OF_MEETINGS = ("ui.meeting_loading.sitting", "meeting_packet.meeting_draft", "named_meetings.")
OF_MEETINGS = (*READ_OF_MEETINGS, "supervising.Room.")
OF_SEVERAL = ("supervising.set_action", "snapshots.stored_file", "snapshots.delete")
# who tries it, and with whose things: one owner of each kind that they stand to in another way, since each try costs
TRIES: dict[str, tuple[str, ...]] = {
    "clinician": ("clinician", "now", "colleague", "other", MADE_UP),
    "supervisor": ("supervisor", "now", "ended", "future", "colleague", "other", MADE_UP),
    "director": ("director", "now", "colleague", "other", MADE_UP),
    "admin": ("clinician", "other"),
    "admin.with.record": ("admin", "clinician"),
    "supervisee": ("now", "ended", "future"),
    "clinician.without.record": ("clinician",),
    "supervisor.without.record": ("now",),
    "other.director": ("clinician",),
    "other.clinician": ("now",),
}
# acts that are handed what was read in scope: ids of another practice cannot come to them from a browser
WITHIN = ("ui.meeting_patterns.pattern_part", "supervising.scope_of", "snapshots.make")
IN_SCOPE = ROWS["ui.entry_reading.read_episode"]
BY_ROLE_ALONE = {act for act, row in ROWS.items() if MADE_UP in row.allowed["admin"]}


@dataclass(frozen=True)
class Outcome:
    """What came of a try: whether it was done, and the words of a refusal."""

    done: bool
    words: str = ""


def expected(row: Row, username: str, owner: str) -> bool:
    """What the policy says of one try."""
    role, own, practice = PEOPLE[username]
    if row.act.startswith("growth_goals"):  # names nobody: always of one's own
        return "own" in row.allowed[role.value] and own is not None
    if practice == 2:
        return row.act in BY_ROLE_ALONE and MADE_UP in row.allowed[role.value]
    if own is None and role.value in ("clinician", "supervisor"):
        return False
    return row.allows(role.value, owner, own) or (row.act in COVERED and COVERS.get(username) == owner)


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    with without_evaluating(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("dashboard.snapshots.every_file", lambda *_, **__: Files({"html": b"x"}))
        yield


def attempt(tried: Trying, act: str, viewer: Viewer, owner: str) -> Outcome:
    """Tries it and takes it back. Fails where a refusal left anything but its own note."""
    before = tried.version()
    try:
        said = ACTS[act](tried.world, viewer, tried.world.own[owner])
        outcome = Outcome(said not in (None, False, [], 0))
    except (NotAllowed, UnusableInput) as error:
        outcome = Outcome(False, str(error))
    if tried.version() != before:
        changed = not outcome.done and tried.content()
        tried.restore()
        if not outcome.done:
            assert changed == tried.untouched(), f"{viewer.username}, refused {act} of {owner}, left something behind"
    return outcome


def owners_for(act: str, username: str) -> tuple[str, ...]:
    """With whose things it is tried."""
    tries = TRIES[username]
    if act.startswith(WITHIN):
        return tuple(one for one in tries if one in OURS and PEOPLE[username][2] == 1)
    if act.endswith("(their token)") and PEOPLE[username][2] == 2:
        return ()  # in another practice it is a token like any other
    if act == "meeting_packet.meeting_draft" and username == "supervisee":
        return (*tries, "several", "alone")
    if act.startswith(OF_MEETINGS) and not act.endswith((")", "sign", "add_after")):
        more = (
            {"clinician": 2, "supervisor": 2, "director": 2}.get(username, 0) if act.startswith(READ_OF_MEETINGS) else 0
        )
        return (*tries, *("several", "alone")[:more], *(("alone",) if username == "supervisee" else ()))
    if act.startswith(OF_SEVERAL) and username in ("clinician", "supervisor", "director"):
        return (*tries, "several")
    return tries


def _unnamed(words: str) -> str:
    """Without what was asked for, which may be said again."""
    return re.sub(r"'[^']*'|\d+", "…", words)


@pytest.mark.parametrize("act", ROWS)
def test_what_the_policy_does_not_allow_is_refused_and_leaves_nothing(tried: Trying, act: str) -> None:
    row, wrong = ROWS[act], []
    for username in TRIES:
        viewer = tried.world.known(username)
        found = {owner: attempt(tried, act, viewer, owner) for owner in owners_for(act, username)}
        for owner, outcome in found.items():
            if outcome.done != expected(row, username, owner):
                said = "may" if outcome.done else f"may not ({outcome.words})"
                wrong.append(f"{username} {said}: {act} of {owner}")
        if MADE_UP in found and not found[MADE_UP].done:
            role, own, _ = PEOPLE[username]
            unseen = [one for one in (*OURS, "other", MADE_UP) if not IN_SCOPE.allows(role.value, one, own)]
            words = {_unnamed(found[one].words) for one in unseen if one in found and not found[one].done}
            if len(words) > 1:
                wrong.append(f"{username} is told whether it exists: {act}: {sorted(words)}")
    assert not wrong, "\n".join(wrong)


def test_who_may_give_no_episode_away_is_told_so_before_anything_else(tried: Trying) -> None:
    for username in ("clinician", "supervisor"):
        with pytest.raises(NotAllowed, match="Only a clinical director"):
            ACTS["entering_episodes.hand_over"](tried.world, tried.world.known(username), tried.world.own[username])


@pytest.mark.parametrize(
    "act",
    [
        "packets.caseload_draft",
        "packets.episode_draft",
        "meeting_packet.meeting_draft",
        "outcome_packet.outcomes_draft",
    ],
)
@pytest.mark.parametrize("username", ["supervisor", "director"])
def test_what_is_gathered_about_one_names_nobody_else_in_scope(tried: Trying, act: str, username: str) -> None:
    draft = ACTS[act](tried.world, tried.world.known(username), tried.world.own["now"])
    assert named(json.dumps(asdict(draft.content), default=str)) <= {"now"}
    assert draft.clinician_ids == {tried.world.own["now"].clinician_id}


def test_another_practices_shelf_stays_shut(tried: Trying) -> None:
    with pytest.raises(NotAllowed):
        Shelf(tried.world.engine, 2, tried.world.known("admin"), tried.world.now)


def test_who_is_disabled_is_nobody(tried: Trying) -> None:
    assert tried.world.viewer("disabled") is None
    assert tried.world.viewer("no.such.person") is None


def test_every_act_of_the_program_is_in_the_policy() -> None:
    found = registries.functions("dashboard")
    named = {row.function for row in ROWS.values()}
    missing = [one.name for one in found if one.name not in named and not one.name.startswith(tuple(NOT_ACTS))]
    assert not missing, f"Say in tests/permissions/policy.py who may do this, or why it is no act: {missing}"
    there = {one.name for one in found} | {f"queries.{one.name}" for one in registries.functions("queries")}
    there |= {one.name for one in registries.drafts()}
    assert not named - there, "The policy names acts that are no longer there"
    assert set(ACTS) == set(ROWS)
    assert all(any(one.name.startswith(prefix) for one in found) for prefix in NOT_ACTS), "an exception excepts nothing"


def test_every_rule_has_both_halves_and_is_asked() -> None:
    for name, halves in registries.pairs().items():
        if name != "read_goal":  # asked in the statement: queries.growth.goals
            assert halves == {"can_", "check_can_"}, name
            assert f"check_can_{name}" in registries.calls(), f"nobody asks check_can_{name}"


def test_the_policy_names_every_role() -> None:
    from dashboard.access import Role

    assert set(COLUMNS) == set(Role)
