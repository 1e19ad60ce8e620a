"""The growth goal on both databases: one stands, history is kept, nobody else writes, and only what is shared is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine, select
from streamlit.testing.v1 import AppTest

from dashboard import growth_goals
from dashboard.access import Role, Scope, Viewer, operator_scope, scope_for
from dashboard.analytics.growth_signs import SIGN_SESSIONS, SIGN_STATES
from dashboard.errors import NotAllowed, SupervisionError, UnusableInput
from dashboard.evaluation import ensure_current
from queries import caseload, growth
from queries.engine import reading
from queries.frames import read_frame
from queries.store_growth import REPLACED
from queries.tables import Audit, Practice
from tests.conftest import Template
from tests.factories import write_practice
from tests.integration.test_main_job import SETTINGS, load

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12)
AHEAD = TODAY + timedelta(days=60)
HOSTILE = "<b>[x](javascript:alert(1))</b>\x00".replace("\x00", "")


@pytest.fixture(scope="module")
def made(template: Template, tmp_path_factory: pytest.TempPathFactory) -> tuple[Template, int, list[int]]:
    folder = tmp_path_factory.mktemp("files")
    write_practice(folder, today=TODAY)
    with template.filled() as engine:
        return template, *_loaded(engine, folder)


@pytest.fixture
def practice(made: tuple[Template, int, list[int]], tmp_path: Path) -> Iterator[tuple[Engine, int, list[int]]]:
    with made[0].copied(tmp_path) as engine:
        yield engine, *made[1:]


def _loaded(engine: Engine, folder: Path) -> tuple[int, list[int]]:
    load(engine, folder)
    with reading(engine) as connection:
        found = int(connection.execute(select(Practice.id)).scalar_one())
        people = read_frame(connection, caseload.clinicians(operator_scope(found)))["clinician_id"].to_list()
    ensure_current(engine, SETTINGS, found, NOW)
    return found, people


def read(engine: Engine, viewer: Viewer, scope: Scope | None = None) -> pl.DataFrame:
    with reading(engine) as connection:
        return read_frame(connection, growth.goals(scope or scope_for(viewer), viewer)).sort("goal_id")


def audited(engine: Engine) -> list[tuple[str, str, str | None]]:
    with reading(engine) as connection:
        rows = connection.execute(
            select(Audit.username, Audit.action, Audit.detail)
            .where(Audit.action.like("change growth%"))
            .order_by(Audit.id)
        )
        return [tuple(row) for row in rows]


def put(
    engine: Engine, viewer: Viewer, text: str = HOSTILE, *, shared: bool = False, sign: str = "outcome_at_last"
) -> None:
    growth_goals.set_goal(engine, viewer, text=text, sign=sign, look_again_on=AHEAD, shared=shared, now=NOW)


def test_a_new_goal_closes_the_old_one_and_keeps_it(practice: tuple[Engine, int, list[int]]) -> None:
    engine, where, people = practice
    own = Viewer("c", Role.CLINICIAN, where, people[0])
    put(engine, own, "first")
    put(engine, own, HOSTILE, shared=True, sign="alliance_each_session")
    growth_goals.share_goal(engine, own, shared=False, now=NOW)
    growth_goals.close_goal(engine, own, note=" went well ", now=NOW)
    found = read(engine, own)
    assert found["text"].to_list() == ["first", HOSTILE]
    assert found["closed_note"].to_list() == [REPLACED, "went well"]
    assert found["closed_on"].to_list() == [TODAY, TODAY]
    assert found["n_at_start"].to_list()[1] > 0
    assert found["value_at_start"].is_between(0, 1).to_list() == [True, True]
    assert audited(engine) == [
        ("c", "change growth goal set", "not shared"),
        ("c", "change growth goal set", "shared"),
        ("c", "change growth goal sharing", "not shared"),
        ("c", "change growth goal closed", "not shared"),
    ]
    for act in (
        lambda: growth_goals.close_goal(engine, own, note="", now=NOW),
        lambda: growth_goals.share_goal(engine, own, shared=True, now=NOW),
    ):
        with pytest.raises(UnusableInput, match="no goal to change"):
            act()


def test_others_read_a_goal_only_while_it_is_shared(practice: tuple[Engine, int, list[int]]) -> None:
    engine, where, people = practice
    own = Viewer("c", Role.CLINICIAN, where, people[0])
    readers = {
        "supervisor": (Viewer("s", Role.SUPERVISOR, where, people[1], frozenset({people[0]})), True),
        "director": (Viewer("d", Role.DIRECTOR, where), True),
        "other supervisor": (Viewer("t", Role.SUPERVISOR, where, people[1], frozenset({people[2]})), False),
        "colleague": (Viewer("o", Role.CLINICIAN, where, people[1]), False),
        "admin": (Viewer("a", Role.ADMIN, where), False),
        "admin with a record": (Viewer("b", Role.ADMIN, where, people[0]), False),
        "other practice": (Viewer("x", Role.DIRECTOR, where + 1), False),
    }
    put(engine, own)
    assert [name for name, (viewer, _) in readers.items() if read(engine, viewer).height] == []
    # a scope of everybody gives nothing away to somebody who may not read it
    assert read(engine, readers["colleague"][0], operator_scope(where)).is_empty()
    growth_goals.share_goal(engine, own, shared=True, now=NOW)
    for viewer, allowed in readers.values():
        assert (read(engine, viewer).height == 1) is allowed
    growth_goals.share_goal(engine, own, shared=False, now=NOW)
    assert [name for name, (viewer, _) in readers.items() if read(engine, viewer).height] == []
    assert read(engine, own).height == 1


@pytest.mark.parametrize(
    ("role", "has_record"), [(Role.ADMIN, True), (Role.ADMIN, False), (Role.DIRECTOR, False), (Role.SUPERVISOR, False)]
)
def test_nobody_without_an_own_caseload_has_a_goal(
    practice: tuple[Engine, int, list[int]], role: Role, has_record: bool
) -> None:
    engine, where, people = practice
    viewer = Viewer("x", role, where, people[0] if has_record else None, frozenset(people))
    for act in (
        lambda: put(engine, viewer),
        lambda: growth_goals.close_goal(engine, viewer, note="", now=NOW),
        lambda: growth_goals.share_goal(engine, viewer, shared=True, now=NOW),
    ):
        with pytest.raises(NotAllowed):
            act()
    foreign = Viewer("y", Role.CLINICIAN, where + 1, people[0])
    with pytest.raises(NotAllowed):
        put(engine, foreign)
    assert audited(engine) == []


@pytest.mark.parametrize(
    ("text", "sign", "days", "words"),
    [
        ("  ", "outcome_at_last", 60, "few words"),
        ("x" * 201, "outcome_at_last", 60, "200 characters"),
        ("x", "fewer_clients_lost", 60, "sign"),
        ("x", "outcome_at_last", 13, "14 days"),
        ("x", "outcome_at_last", 366, "a year"),
        ("x", "outcome_at_last", None, "a year"),
    ],
)
def test_a_goal_that_cannot_be_used_is_refused_in_words(
    practice: tuple[Engine, int, list[int]], text: str, sign: str, days: int | None, words: str
) -> None:
    engine, where, people = practice
    own = Viewer("c", Role.CLINICIAN, where, people[0])
    when = None if days is None else TODAY + timedelta(days=days)
    with pytest.raises(UnusableInput, match=words):
        growth_goals.set_goal(engine, own, text=text, sign=sign, look_again_on=when, shared=False, now=NOW)
    with pytest.raises(UnusableInput, match="200"):
        growth_goals.close_goal(engine, own, note="x" * 201, now=NOW)
    assert read(engine, own).is_empty()


def test_a_sign_is_counted_from_ones_own_episodes_only(practice: tuple[Engine, int, list[int]]) -> None:
    engine, where, people = practice
    with reading(engine) as connection:
        counts = [
            growth_goals.value_at_start(connection, Scope(where, frozenset(ids), "t"), "alliance_each_session", TODAY)
            for ids in ([people[0]], [people[1]], [people[2]], people, [])
        ]
        now = growth_goals.value_now(
            connection, operator_scope(where), "alliance_each_session", TODAY - timedelta(days=180)
        )
        sessions = read_frame(connection, growth.sign_sessions(operator_scope(where)))
        states = read_frame(connection, growth.sign_states(operator_scope(where)))
    assert sum(one.n for one in counts[:3]) == counts[3].n == now.n > 0
    assert counts[4].n == 0
    assert sessions.schema == pl.Schema(SIGN_SESSIONS)
    assert states.schema == pl.Schema(SIGN_STATES)


# ------------------------------------------------------------------------------------------------- the form


def _form(standing: bool, refused: str) -> None:
    from datetime import date

    import streamlit as st

    from dashboard.errors import UnusableInput
    from dashboard.ui.growth_form import goal_form

    def act(*given: object) -> None:
        if refused:
            raise UnusableInput(refused)
        st.session_state["given"] = given

    goal_form(standing, False, date(2026, 11, 20), set_goal=act, close_goal=act, share_goal=act)


def drawn(standing: bool, refused: str = "") -> AppTest:
    app = AppTest.from_function(_form, args=(standing, refused)).run(timeout=20)
    assert not app.exception
    return app


@pytest.mark.parametrize(
    ("standing", "act", "given"),
    [
        (
            False,
            lambda app: app.text_input[0].input("ask more"),
            ("ask more", "alliance_each_session", date(2027, 2, 18), False),
        ),
        (True, lambda app: app.text_input[0].input("went well"), ("went well",)),
    ],
)
def test_the_form_hands_over_what_was_written(standing: bool, act: Callable[[AppTest], object], given: object) -> None:
    app = drawn(standing)
    act(app)
    app.button[0].click().run()
    assert not app.exception
    assert app.session_state["given"] == given


def test_sharing_is_a_switch_and_a_refusal_is_said_in_words() -> None:
    app = drawn(True)
    app.toggle[0].set_value(True).run()
    assert app.session_state["given"] == (True,)
    refused = drawn(True, "Not now.")
    refused.toggle[0].set_value(True).run()
    assert [one.value for one in refused.error] == ["Not now."]
    refused.button[0].click().run()
    assert "Not now." in [one.value for one in refused.error]
    assert issubclass(UnusableInput, SupervisionError)
