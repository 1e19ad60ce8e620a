"""Row security on PostgreSQL: what a statement without its scope returns, writes across scope, and that every table has rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, select

from dashboard.access import Scope, operator_scope, scope_for
from dashboard.reach import staff_scope
from queries import audit, caseload, database_role
from queries.acting import Door, acting, within
from queries.engine import Opening, open_engine, reading, writing
from queries.frames import read_frame
from queries.keys import next_id
from queries.opening_tables import OpenedCaseload
from queries.row_security import OPEN, RULES
from queries.tables import Audit, Base, Episode
from tests.conftest import postgres_copy
from tests.filling import fill
from tests.integration.test_leak import NOW, STATEMENTS, _evaluation, _viewers, practices_in

ROLE = "supervision_test_app"
pytestmark = pytest.mark.postgres
# these say something only for a whole practice, which they tell by the scope they are built with
WITH_STAFF = "visibility.supervisors"  # names people out of scope: read with the names of everybody who works there
BY_THEIR_SCOPE = {"equity.episodes", "integrity.sessions"}


@dataclass(frozen=True)
class Place:
    """Two practices in one database: as its owner sees them (a superuser), and under the application's role."""

    owner: Engine
    app: Engine
    practice: int
    other: int

    def scopes(self) -> dict[str, Scope]:
        return {role: scope_for(viewer) for role, viewer in _viewers(self.owner, self.practice).items()}


@pytest.fixture(scope="module")
def place(postgres_template: tuple[str, str]) -> Iterator[Place]:
    with postgres_copy(postgres_template) as url:
        owner = open_engine(url)
        practice, other = practices_in(owner)
        with writing(owner) as connection:
            database_role.make_role(connection, ROLE)
            for number, (where, who) in enumerate(_clinicians(connection, practice, other), start=90_001):
                fill(connection, {**_of(connection, where, who), "username": f"u{number}"}, number)
        app = open_engine(url, Opening(role=ROLE))
        try:
            yield Place(owner, app, practice, other)
        finally:
            app.dispose()
            owner.dispose()


def _clinicians(connection: Connection, practice: int, other: int) -> list[tuple[int, int]]:
    """Two clinicians of the one practice, the first in the scope of the tests' clinician, and one of the other."""
    found = []
    for where, count in ((practice, 3), (other, 1)):
        ids = read_frame(connection, caseload.clinicians(operator_scope(where)))["clinician_id"].to_list()
        found += [(where, one) for one in ids[:count]]
    return found


def _of(connection: Connection, practice: int, clinician: int) -> dict[str, Any]:
    row = connection.execute(
        select(Episode.id, Episode.client_id).where(Episode.clinician_id == clinician).order_by(Episode.id).limit(1)
    ).one()
    return {"practice": practice, "clinician": clinician, "episode": row.id, "client": row.client_id}


def _said(engine: Engine, scope: Scope, made: Any) -> pl.DataFrame:
    with acting(scope, "nobody in particular"), reading(engine) as connection:
        frame = read_frame(connection, made)
    return frame.sort(frame.columns, nulls_last=True)


def test_every_table_has_rules_or_a_reason_to_have_none() -> None:
    assert OpenedCaseload.metadata is Base.metadata
    named = set(Base.metadata.tables)
    assert set(RULES) == named - set(OPEN)
    assert all(OPEN.values())


def test_the_rules_of_every_table_are_in_force_for_its_owner_too(place: Place) -> None:
    with reading(place.owner) as connection:
        stands = database_role.standing(connection, ROLE)
        commands = connection.exec_driver_sql("SELECT tablename, count(*) FROM pg_policies GROUP BY tablename").all()
    assert stands.unprotected == ()
    assert stands.role == database_role.Login(ROLE, False, 0)
    assert dict(tuple(row) for row in commands) == dict.fromkeys(RULES, 4)


@pytest.mark.parametrize("who", ["clinician", "supervisor", "director", "admin", "clinician without a record"])
def test_a_statement_whose_scope_is_forgotten_says_what_it_says_with_it(place: Place, who: str) -> None:
    scope, evaluation = place.scopes()[who], _evaluation(place.owner, place.practice)
    wrong = {}
    for name, made in STATEMENTS.items():
        forgotten = _said(place.app, scope, made(operator_scope(place.practice), evaluation))
        meant = _said(place.owner, scope, made(scope, evaluation))
        if name == WITH_STAFF:
            named = _said(place.app, staff_scope(scope), made(scope, evaluation))
            if (
                not named.equals(meant)
                or not forgotten.join(meant, on=meant.columns, how="anti", nulls_equal=True).is_empty()
            ):
                wrong[name] = (forgotten.height, meant.height)
            continue
        if name in BY_THEIR_SCOPE and scope.clinician_ids is not None:
            # built for a part they say nothing at all; here they were built for the whole
            whole = _said(place.owner, scope, made(operator_scope(place.practice), evaluation))
            if meant.height or not _is_part(forgotten, whole, scope):
                wrong[name] = (forgotten.height, whole.height)
        elif not forgotten.equals(meant):
            wrong[name] = (forgotten.height, meant.height)
    assert wrong == {}


def _is_part(part: pl.DataFrame, whole: pl.DataFrame, scope: Scope) -> bool:
    assert scope.clinician_ids is not None
    return part.height < whole.height and part.join(whole, on=part.columns, how="anti", nulls_equal=True).is_empty()


def test_of_another_practice_no_statement_says_anything(place: Place) -> None:
    evaluation = _evaluation(place.owner, place.practice)
    for name, made in STATEMENTS.items():
        seen = _said(place.app, operator_scope(place.other), made(operator_scope(place.practice), evaluation))
        assert seen.is_empty() or seen.rows() in ([(None,)], [(0,)]), name


def test_where_nobody_said_for_whom_it_acts_a_transaction_has_no_row(place: Place) -> None:
    with reading(place.app) as connection:
        seen = {table: _count(connection, table, "true") for table in RULES}
    assert seen == dict.fromkeys(RULES, 0)


def test_what_was_said_ends_with_its_transaction(place: Place) -> None:
    for _ in range(3):  # the pool hands out the same connection again
        with acting(operator_scope(place.practice)), reading(place.app) as connection:
            assert _count(connection, "episode", "true") > 0
        with reading(place.app) as connection:
            assert _count(connection, "episode", "true") == 0


def _count(connection: Connection, table: str, where: str, **values: Any) -> int:
    return int(connection.execute(sa.text(f'SELECT count(*) FROM "{table}" WHERE {where}'), values).scalar_one())


OWN_EPISODES = "SELECT id FROM episode WHERE practice_id = :p AND clinician_id = ANY (:c)"
OWN_MEETINGS = (
    "SELECT meeting_id FROM meeting_supervisee WHERE clinician_id = ANY (:c)"
    f" UNION SELECT meeting_id FROM agenda_item WHERE episode_id IN ({OWN_EPISODES})"
)
MET = "SELECT meeting_id FROM meeting_supervisee WHERE clinician_id = ANY (:c)"
OWN_SNAPSHOTS = (
    "SELECT snapshot_id FROM snapshot_clinician GROUP BY snapshot_id HAVING bool_and(clinician_id = ANY (:c))"
)
# written down a second time, by hand: which rows of a table somebody sees who sees the clinicians :c of practice :p
SEEN = {
    "practice": "id = :p",
    **dict.fromkeys(
        ("user_session", "user_device", "second_factor", "recovery_code"),
        "user_id IN (SELECT id FROM app_user WHERE practice_id = :p)",
    ),
    "clinician": "id = ANY (:c)",
    "clinician_version": "id = ANY (:c)",
    "leave": "clinician_id = ANY (:c) OR cover_id = ANY (:c)",
    "supervision_link": "supervisor_id = ANY (:c) OR supervisee_id = ANY (:c)",
    "client": f"id IN (SELECT client_id FROM episode WHERE id IN ({OWN_EPISODES}))",
    "client_version": f"id IN (SELECT client_id FROM episode WHERE id IN ({OWN_EPISODES}))",
    "episode_version": f"id IN ({OWN_EPISODES})",
    "meeting": f"id IN ({OWN_MEETINGS})",
    "meeting_supervisee": f"meeting_id IN ({OWN_MEETINGS})",
    "agenda_item": f"meeting_id IN ({OWN_MEETINGS})",
    "meeting_field": "item_id IN (SELECT id FROM agenda_item"
    f" WHERE episode_id IN ({OWN_EPISODES}) OR episode_id IS NULL AND meeting_id IN ({MET}))",
    "sign_off": f"meeting_id IN ({MET})",
    "meeting_addition": f"meeting_id IN ({MET})",
    "agreed_action": f"episode_id IN ({OWN_EPISODES}) OR episode_id IS NULL AND (clinician_id = ANY (:c)"
    f" OR clinician_id IS NULL AND meeting_id IN ({MET}))",
    "snapshot": f"id IN ({OWN_SNAPSHOTS})",
    "snapshot_clinician": f"snapshot_id IN ({OWN_SNAPSHOTS})",
    "snapshot_file": f"snapshot_id IN ({OWN_SNAPSHOTS})",
    "audit": "practice_id = :p AND (username = 'u90001' OR clinician_id = ANY (:c)"
    f" OR episode_id IN ({OWN_EPISODES}) OR clinician_id IS NULL AND episode_id IS NULL)",
    "opened_caseload": "username = 'u90001' OR clinician_id = ANY (:c)",
    **dict.fromkeys(("leave_version", "supervision_link_version"), "false"),
    **dict.fromkeys(("set_aside", "pending_row", "erased_key", "import_content"), "false"),
    **dict.fromkeys(("episode", "clinician_estimate", "monitoring_choice", "growth_goal"), "clinician_id = ANY (:c)"),
    **dict.fromkeys(
        ("app_user", "practice_instrument", "import", "evaluation", "fitted_model", "practice_rules"),
        "practice_id = :p",
    ),
    **dict.fromkeys(("practice_estimate", "saved_mapping", "sync_mark"), "practice_id = :p"),
}


def _expected(place: Place, scope: Scope) -> dict[str, int]:
    values = {"p": scope.practice_id, "c": sorted(scope.clinician_ids or ())}
    with reading(place.owner) as connection:
        return {
            table: _count(connection, table, SEEN.get(table, f"episode_id IN ({OWN_EPISODES})"), **values)
            for table in RULES
        }


def _seen(connection: Connection, tables: Any = RULES) -> dict[str, int]:
    return {table: _count(connection, table, "true") for table in tables}


@pytest.mark.parametrize("who", ["clinician", "supervisor", "admin"])
def test_of_each_table_somebody_has_their_own_rows_whatever_is_asked(place: Place, who: str) -> None:
    scope = place.scopes()[who]
    with acting(scope, "u90001"), reading(place.app) as connection:
        assert _seen(connection) == _expected(place, scope)


def test_without_its_rules_each_single_table_would_show_more(place: Place) -> None:
    scope = place.scopes()["clinician"]
    expected = _expected(place, scope)
    held = []
    for table in RULES:
        with acting(scope, "u90001"), writing(place.owner) as connection:
            connection.exec_driver_sql(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')
            connection.exec_driver_sql(f"SET LOCAL ROLE {ROLE}")
            if _seen(connection, [table])[table] == expected[table]:
                held.append(table)
            connection.rollback()
    assert held == []


def test_a_row_of_a_colleague_is_neither_added_nor_changed_nor_removed(place: Place) -> None:
    scopes = place.scopes()
    mine, theirs = scopes["clinician"], scopes["supervisor"]
    with reading(place.owner) as connection:
        colleagues = select(Episode).where(Episode.clinician_id.in_(sorted(theirs.clinician_ids or ())))
        row = dict(connection.execute(colleagues.limit(1)).mappings().one())
    again = {**row, "id": 99_999, "public_id": "new", "source_id": "new"}
    for wrong in (
        sa.insert(Episode).values(again),
        sa.update(Episode).values(clinician_id=row["clinician_id"]),  # one's own given away
    ):
        refused = pytest.raises(sa.exc.ProgrammingError, match="row-level security")
        with refused, acting(mine), writing(place.app) as connection:
            connection.execute(wrong)
    with acting(mine), writing(place.app) as connection:
        assert connection.execute(sa.update(Episode).where(Episode.id == row["id"]).values(kind="x")).rowcount == 0
        assert connection.execute(sa.delete(Episode).where(Episode.id == row["id"])).rowcount == 0
        connection.rollback()


def test_the_audit_is_added_to_and_never_changed(place: Place) -> None:
    mine = place.scopes()["clinician"]
    with acting(mine, "ada"), writing(place.app) as connection:
        audit.record(connection, at=NOW, practice_id=place.practice, username="ada", action="view x")
        assert connection.execute(sa.update(Audit).values(detail="another")).rowcount == 0
        assert connection.execute(sa.delete(Audit)).rowcount == 0
        connection.rollback()
    with (
        pytest.raises(sa.exc.ProgrammingError, match="row-level security"),
        acting(mine),
        writing(place.app) as connection,
    ):
        audit.record(connection, at=NOW, practice_id=place.other, username="ada", action="view x")


def test_at_the_door_names_and_links_show_and_no_client(place: Place) -> None:
    with acting(Door.SIGN_IN), reading(place.app) as connection:
        seen = {table for table, count in _seen(connection).items() if count}
    assert seen == {
        "practice", "app_user", "user_session", "user_device", "second_factor", "recovery_code",
        "clinician", "clinician_version", "leave", "supervision_link", "opened_caseload",
    }  # fmt: skip


def test_a_part_of_a_transaction_may_count_the_whole_practice(place: Place) -> None:
    mine = place.scopes()["clinician"]
    with acting(mine), reading(place.app) as connection:
        before = _count(connection, "episode", "true")
        with within(connection, operator_scope(place.practice)):
            whole = _count(connection, "episode", "true")
        assert (before, _count(connection, "episode", "true")) == (before, before)
        assert whole > before


def test_keys_of_new_rows_are_of_all_rows_whoever_asks(place: Place) -> None:
    with reading(place.owner) as connection:
        newest = next_id(connection, Audit)
    with acting(place.scopes()["admin"]), reading(place.app) as connection:
        assert next_id(connection, Audit) == newest
