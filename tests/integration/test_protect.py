"""``supervision protect`` and the commands under row security, for a login that owns its tables and is no superuser."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy import Engine, func, select

from dashboard.access import Role, operator_scope, scope_for
from dashboard.demo.practice import build
from dashboard.errors import DatabaseUnavailable, UnusableInput
from dashboard.evaluation import evaluate, evaluate_practices
from dashboard.exporting import export_table
from dashboard.keeping.copies import back_up, bring_back
from dashboard.keeping.erasing import erase_client
from dashboard.keeping.protecting import protect, said
from dashboard.opening import engine_of, opened
from dashboard.people import add_person
from dashboard.settings import Settings
from dashboard.undoing import undo
from dashboard.viewing import viewer_now
from queries import caseload, database_role, practices, schema
from queries.acting import Door, acting
from queries.engine import open_engine, reading, writing
from queries.frames import read_frame
from queries.row_security import RULES
from queries.store import store_batch
from queries.tables import Audit, Client, Episode, Score

NOW = datetime(2026, 11, 20, 12)
pytestmark = pytest.mark.postgres


@pytest.fixture
def owned(postgres_url: str) -> Iterator[Settings]:
    """An empty database of a login that is no superuser, as a practice's own would be."""
    name = f"supervision_owner_{uuid.uuid4().hex[:8]}"
    admin = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD '{name}'")
        connection.exec_driver_sql(f"CREATE DATABASE {name} OWNER {name}")
    url = sa.make_url(postgres_url).set(database=name, username=name, password=name)
    yield Settings(db=url.render_as_string(hide_password=False), timezone="UTC")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        roles = (
            connection.exec_driver_sql(f"SELECT rolname FROM pg_roles WHERE rolname LIKE '{name}%%'").scalars().all()
        )
        for role in sorted(roles, key=len, reverse=True):
            connection.exec_driver_sql(f"DROP ROLE {role}")
    admin.dispose()


def _filled(engine: Engine) -> int:
    with writing(engine) as connection:
        practice = practices.ensure_practice(connection, "P", NOW)
        store_batch(
            connection, practice, "files", build(3, 3, 12, NOW.date()), today=NOW.date(), now=NOW, username=None
        )
    return practice


def _scores(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(select(func.count()).select_from(Score)).scalar_one())


def test_every_command_works_for_an_owner_whom_the_rules_hold(owned: Settings, tmp_path: Path) -> None:
    with opened(owned) as engine:
        practice = _filled(engine)
        assert evaluate_practices(engine, owned, practice=None, as_of=NOW.date(), everything=False, workers=1, now=NOW)[
            0
        ].startswith("P: 12 episodes evaluated")
        whole = export_table(
            engine, owned, table="episodes", username=None, as_of=None, kind="csv", practice=None, now=NOW
        )
        assert whole.count(b"\n") == 13
        with reading(engine) as connection:
            person = read_frame(connection, caseload.clinicians(operator_scope(practice))).row(0, named=True)
            own = connection.execute(
                select(func.count()).select_from(Episode).where(Episode.clinician_id == person["clinician_id"])
            ).scalar_one()
        add_person(
            engine, practice=None, username="ada", role="clinician", clinician=person["source_id"], password="heron lamp tuesday",
            must_change=False, now=NOW,
        )  # fmt: skip
        part = export_table(
            engine, owned, table="episodes", username="ada", as_of=None, kind="csv", practice=None, now=NOW
        )
        assert part.count(b"\n") == own + 1
    engine = engine_of(owned)
    assert _scores(engine) == 0  # the owner too has no row where nobody said for whom it acts
    assert said(engine, owned)[0]
    assert "in force for the login" in said(engine, owned)[1]
    engine.dispose()
    copy = tmp_path / "x.backup"
    back_up(owned, copy, NOW)
    with opened(owned) as engine:
        with reading(engine) as connection:
            client = connection.execute(
                select(Client.source_id).join(Episode, Episode.client_id == Client.id).where(Episode.closed_on.is_not(None))
            ).scalars().first()  # fmt: skip
        erase_client(engine, owned, practice=None, client=str(client), source=None, apply=True, now=NOW)
        held = [_scores(engine)]
        undo(engine, owned, 1, now=NOW)
        held.append(_scores(engine))  # of the erased client they stay, without a name
        assert held[0] > held[1]
    bring_back(owned, copy, force=True, now=NOW)
    with opened(owned) as engine, reading(engine) as connection:
        assert _scores(engine) == held[0]
        assert database_role.standing(connection, "").unprotected == ()


def test_protect_makes_a_role_that_holds_whatever_is_done_for_people(owned: Settings) -> None:
    role = f"{sa.make_url(owned.db).database}_app"
    with opened(owned) as engine:
        practice = _filled(engine)
        evaluate(engine, owned, practice, as_of=NOW.date(), now=NOW)
        add_person(
            engine, practice=None, username="boss", role=Role.DIRECTOR, clinician=None, password="heron lamp tuesday",
            must_change=False, now=NOW,
        )  # fmt: skip
        assert said(engine, replace(owned, db_role=role)) == (
            False,
            f"there is no role {role}: run `supervision protect --role NAME` and set SUPERVISION_DB_ROLE=NAME",
        )
        assert "was made" in protect(engine, role, NOW)[0]
        assert "was there" in protect(engine, role, NOW)[0]
        with reading(engine) as connection:
            rows = connection.execute(select(Audit.action, Audit.detail).where(Audit.action == "change database role"))
            assert rows.all() == [("change database role", role)] * 2
        with pytest.raises(UnusableInput, match="no rule would hold it"):
            protect(engine, str(sa.make_url(owned.db).username), NOW)
        with pytest.raises(UnusableInput, match="cannot be a role"):
            protect(engine, "x; DROP TABLE client", NOW)
    wrong = engine_of(replace(owned, db_role="nobody_there"))
    with pytest.raises(DatabaseUnavailable, match="db_role"), acting(Door.SIGN_IN), reading(wrong):
        pass
    wrong.dispose()
    settings = replace(owned, db_role=role)
    engine = engine_of(settings)
    try:
        assert said(engine, settings) == (
            True,
            f"in force: people's work is done as {role}, without BYPASSRLS, which owns no table",
        )
        with acting(Door.SIGN_IN), reading(engine) as connection:
            boss = viewer_now(connection, settings, "boss", NOW)
            assert connection.exec_driver_sql("SELECT current_user").scalar_one() == role
        assert boss is not None
        with acting(scope_for(boss), "boss"), writing(engine) as connection:
            assert connection.exec_driver_sql("SELECT current_user").scalar_one() == role
            found = read_frame(connection, caseload.states(scope_for(boss), open_only=False))
            assert found.height == 12
            with pytest.raises(sa.exc.ProgrammingError, match="must be owner"):
                connection.exec_driver_sql("ALTER TABLE client DISABLE ROW LEVEL SECURITY")
            connection.rollback()
        # an evaluation after an entry is the practice's, and done under the role too
        with acting(scope_for(boss), "boss"):
            assert evaluate(engine, settings, practice, as_of=NOW.date(), now=NOW, everything=True).episodes == 12
    finally:
        engine.dispose()


def test_the_rules_go_and_come_with_their_migration(owned: Settings) -> None:
    engine = open_engine(owned.db)
    schema.migrate(engine)
    with acting(Door.DATABASE), writing(engine) as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "-1")
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_policies").scalar_one() == 0
        assert (
            connection.exec_driver_sql("SELECT count(*) FROM pg_proc WHERE proname LIKE 'supervision%%'").scalar_one()
            == 0
        )
        command.upgrade(config, "head")
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_policies").scalar_one() == 4 * len(RULES)
    engine.dispose()


def test_an_embedded_database_has_no_role(tmp_path: Path) -> None:
    settings = Settings(db=f"sqlite:///{tmp_path / 'p.sqlite'}", timezone="UTC")
    with opened(settings) as engine:
        with pytest.raises(UnusableInput, match="PostgreSQL"):
            protect(engine, "app", NOW)
        assert said(engine, settings)[0]
