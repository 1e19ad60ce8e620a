"""The Outcomes page: whose numbers each role sees, what an address can ask for, the growth goal, and endings one by one."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.access import operator_scope, scope_for
from pages.outcomes import NOT_YOURS, PARTS
from queries import caseload, patterns
from queries.engine import reading
from queries.frames import read_frame
from queries.tables import Audit, User
from tests.pages.conftest import words
from tests.pages.test_pages import BLAME, viewer

SignIn = Callable[..., AppTest]


def people(scope) -> list[dict[str, object]]:
    with reading(runtime.engine()) as connection:
        return read_frame(connection, caseload.clinicians(scope)).to_dicts()


def name(row: dict[str, object]) -> str:
    return str(row["display_name"] or row["source_id"])


def seasoned_clinician() -> str:
    """The clinician with most ended episodes, so that there is something to draw."""
    with reading(runtime.engine()) as connection:
        ended = read_frame(connection, patterns.expectations(operator_scope(1)))
        names = [row.username for row in connection.execute(User.__table__.select().where(User.role == "clinician"))]
    counts = dict(ended.group_by("clinician_id").len().iter_rows())
    return max(names, key=lambda one: (counts.get(viewer(one).clinician_id, 0), one))


@pytest.mark.parametrize("role", ["clinician", "supervisor", "director"])
def test_each_role_sees_the_names_of_its_own_scope_only(practice: Path, sign_in: SignIn, role: str) -> None:
    username = role if role != "clinician" else seasoned_clinician()
    app = sign_in(username, "outcomes")
    assert not app.exception
    said = unescape(words(app))
    mine = {name(row) for row in people(scope_for(viewer(username)))}
    for row in people(operator_scope(viewer(username).practice_id)):
        if name(row) not in mine:
            assert name(row) not in said
    assert not BLAME.search(said)
    assert "as of" in said
    assert "n = " in said


def test_a_clinician_sees_themselves_whatever_the_address_asks(practice: Path, sign_in: SignIn) -> None:
    username = seasoned_clinician()
    me = viewer(username).clinician_id
    other = next(row for row in people(operator_scope(1)) if row["clinician_id"] != me)
    app = sign_in(username, "outcomes", clinician=other["public_id"], part="groups", measure="dropout")
    said = unescape(words(app))
    assert not app.exception
    assert name(other) not in said
    assert "You are seeing: your episodes" in said
    assert "Groups of clients" not in said


def test_a_supervisor_asking_for_somebody_elses_episodes_is_told_so(practice: Path, sign_in: SignIn) -> None:
    scope = scope_for(viewer("supervisor"))
    other = next(row for row in people(operator_scope(1)) if row["clinician_id"] not in (scope.clinician_ids or ()))
    app = sign_in("supervisor", "outcomes", clinician=other["public_id"])
    said = unescape(words(app))
    assert NOT_YOURS in said
    assert name(other) not in said


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("role", ["supervisor", "director"])
def test_every_part_opens_for_whom_it_is_meant(practice: Path, sign_in: SignIn, role: str, part: str) -> None:
    app = sign_in(role, "outcomes", part=part)
    said = unescape(words(app))
    assert not app.exception
    assert not BLAME.search(said)
    offered = app.selectbox(key="outcomes_part").options
    assert ("Groups of clients" in offered) == (role == "director")
    if role == "supervisor" and part in ("time", "groups", "integrity", "growth"):
        assert app.selectbox(key="outcomes_part").value == "clinicians"


def test_a_supervisor_sees_own_growth_of_supervisees_and_a_director_only_of_those_they_supervise(
    practice: Path, sign_in: SignIn
) -> None:
    supervisor, director = viewer("supervisor"), viewer("director")
    supervisee = next(row for row in people(scope_for(supervisor)) if row["clinician_id"] in supervisor.supervisee_ids)
    app = sign_in("supervisor", "outcomes", clinician=supervisee["public_id"], part="growth")
    assert "Growth goal" in words(app)
    if supervisee["clinician_id"] not in director.supervisee_ids:
        app = sign_in("director", "outcomes", clinician=supervisee["public_id"], part="growth")
        assert "Growth goal" not in words(app)


def test_a_goal_is_set_shared_and_closed_by_its_own_clinician(practice: Path, sign_in: SignIn) -> None:
    username = seasoned_clinician()
    app = sign_in(username, "outcomes", part="growth")
    assert "No goal is set." in words(app)
    app.text_input[0].set_value("Ask for a rating at the end of every session")
    next(one for one in app.button if one.label == "Set this goal").click().run()
    said = unescape(words(app))
    assert "Ask for a rating at the end of every session" in said
    assert "not shared" in said
    app.toggle(key="growth-shared").set_value(True).run()
    assert "shared with whoever supervises" in words(app)
    app.text_input[0].set_value("Went well")
    next(one for one in app.button if one.label == "Close it").click().run()
    assert "No goal is set." in words(app)


def test_endings_are_followed_one_by_one_only_once_the_clinician_wants_that(practice: Path, sign_in: SignIn) -> None:
    username = seasoned_clinician()
    me = viewer(username)
    app = sign_in(username, "outcomes", part="growth")
    before = words(app)
    assert "known endings" not in before.split("Endings one by one")[1]
    app.toggle(key="follow-endings").set_value(True).run()
    assert not app.exception
    assert "known endings" in words(app).split("Endings one by one")[1]
    with reading(runtime.engine()) as connection:
        chosen = read_frame(connection, patterns.monitoring(scope_for(me)))
        written = connection.execute(Audit.__table__.select().where(Audit.username == username)).fetchall()
    assert chosen["wanted"].to_list() == [True]
    assert any(row.action == "change monitoring over time" for row in written)
