"""Every statement that is handed a scope, for everybody: no row in which somebody else's client is named."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.access import scope_for
from queries import caseload, growth, meetings
from queries.engine import reading
from queries.frames import read_frame
from tests.integration.test_leak import STATEMENTS
from tests.permissions.browsing import named
from tests.permissions.conftest import Trying
from tests.permissions.policy import seen_by
from tests.permissions.world import PEOPLE, private

# counts of the whole practice, or rows of it that name nobody, for anyone who is in it
OF_THE_PRACTICE = ("growth.goals",)
WHO = ("clinician", "supervisor", "admin", "clinician.without.record", "director", "other.director")


def _ids(tried: Trying, owners: frozenset[str]) -> dict[str, set[Any]]:
    """Internal and opaque ids of some owners' clinicians, episodes and clients."""
    with reading(tried.world.engine) as connection:
        everything = connection.exec_driver_sql("SELECT id, clinician_id, client_id FROM episode").all()
    whose = {tried.world.own[one].clinician_id for one in owners}
    mine = [row for row in everything if row.clinician_id in whose]
    return {
        "episode_id": {row.id for row in mine},
        "clinician_id": whose | {tried.world.own[one].source_id for one in owners},
        "client_id": {row.client_id for row in mine},
    }


@pytest.mark.parametrize("username", WHO)
def test_no_statement_names_a_client_outside_the_scope(tried: Trying, username: str) -> None:
    viewer = tried.world.known(username)
    role, own, practice = PEOPLE[username]
    allowed = seen_by(role.value, own) if practice == 1 else frozenset({"other"})
    ids, wrong = _ids(tried, allowed), []
    with reading(tried.world.engine) as connection:
        current = read_frame(connection, caseload.evaluation(scope_for(tried.world.known("director"))))["id"][0]
        for name, made in STATEMENTS.items():
            frame = read_frame(connection, made(scope_for(viewer), int(current)))
            wrong += [f"{username} reads of {one} in {name}" for one in named(str(frame.to_dicts())) - allowed]
            for column in ("episode_id", "client_id"):
                if column in frame.columns and frame.schema[column].is_integer():
                    others = set(frame[column].drop_nulls()) - ids[column]
                    wrong += [f"{username} reads {column} {others} in {name}"] if others else []
            if "clinician_id" in frame.columns and frame.schema["clinician_id"].is_integer():
                people = ids["clinician_id"] | set(tried.world.by_hand.values() if role.value == "director" else ())
                others = set(frame["clinician_id"].drop_nulls()) - people
                wrong += [f"{username} reads of clinicians {others} in {name}"] if others else []
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("username", WHO)
def test_goals_and_meetings_are_read_by_those_they_are_for(tried: Trying, username: str) -> None:
    viewer = tried.world.known(username)
    role, own, practice = PEOPLE[username]
    allowed = seen_by(role.value, own) if practice == 1 else frozenset({"other"})
    with reading(tried.world.engine) as connection:
        goals = str(read_frame(connection, growth.goals(scope_for(viewer), viewer)).to_dicts())
        listed = read_frame(connection, meetings.meetings(viewer))
        about = set(read_frame(connection, meetings.supervisees(viewer))["clinician_id"])
        ids = [*(row["meeting_id"] for row in listed.to_dicts()), 1, 2, 5, 9, 14, 20, 27]
        read = [
            getattr(meetings, name)(viewer, one) for name in ("items", "fields", "signed", "additions") for one in ids
        ]
        text = " ".join(str(read_frame(connection, one).to_dicts()) for one in read)
    mine = {own} if practice == 1 and role.value != "admin" else set()
    assert {one for one in tried.world.own if one in PEOPLE and private(one) in goals} <= mine
    assert named(text) <= allowed
    assert about <= {tried.world.own[one].clinician_id for one in allowed}
