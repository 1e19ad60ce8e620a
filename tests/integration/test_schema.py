"""The schema on both databases: migrations make what the mapping says, and a newer database is refused."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from dashboard.errors import SupervisionError
from queries.engine import open_engine, reading, writing
from queries.schema import MIGRATIONS, migrate, revision_of, upgrade_to
from queries.tables import Base


def test_the_migrations_make_exactly_what_the_mapping_says(engine: Engine) -> None:
    with reading(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    migrate(engine)
    state = revision_of(engine)
    assert (state.current == state.newest, state.known) == (True, True)


def test_a_database_made_by_a_newer_program_is_refused_untouched(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999_from_the_future'")
    with pytest.raises(SupervisionError, match="newer version"):
        migrate(engine)
    assert revision_of(engine).known is False


def test_the_embedded_database_is_private_and_set_as_measured(tmp_path: Path) -> None:
    path = tmp_path / "inner" / "practice.sqlite"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    with reading(engine) as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_writers_wait_for_each_other_instead_of_failing(tmp_path: Path) -> None:
    import threading

    engine = open_engine(f"sqlite:///{tmp_path / 'p.sqlite'}")
    migrate(engine)
    with writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE tally (n INTEGER)")
        connection.exec_driver_sql("INSERT INTO tally VALUES (0)")
    wrong: list[Exception] = []

    def count() -> None:
        try:
            for _ in range(20):
                with writing(engine) as connection:
                    n = connection.exec_driver_sql("SELECT n FROM tally").scalar_one()
                    connection.exec_driver_sql("UPDATE tally SET n = ?", (n + 1,))
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(engine) as connection:
        assert connection.exec_driver_sql("SELECT n FROM tally").scalar_one() == 80
    engine.dispose()
    assert wrong == []


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_people_stay_signed_in_when_sign_ins_get_a_name_and_may_go_back(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    engine = open_engine(
        request.getfixturevalue("postgres_database") if kind == "postgresql" else f"sqlite:///{tmp_path / 'p.sqlite'}"
    )
    if kind == "postgresql":
        with writing(engine) as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
    upgrade_to(engine, "0013")
    with writing(engine) as connection:
        connection.exec_driver_sql(
            "INSERT INTO practice (id, name, secret, created_at) VALUES (1, 'P', 'x', '2026-11-20')"
        )
        connection.exec_driver_sql(
            "INSERT INTO app_user (id, practice_id, username, password_hash, role, is_active, must_change, failed_attempts, "
            "token_version, created_at) VALUES (1, 1, 'ada', 'x', 'admin', true, false, 3, 0, '2026-11-20')"
        )
        for one, day in (("a1", 20), ("a2", 20), ("b1", 21)):
            connection.exec_driver_sql(
                "INSERT INTO user_session (id_hash, user_id, created_at, last_seen_at, revoked, token_version) "
                f"VALUES ('{one}', 1, '2026-11-{day} 09:00:00.000000', '2026-11-{day} 09:00:00.000000', false, 0)"
            )
    upgrade_to(engine, "0016")
    with writing(engine) as connection:
        found = connection.exec_driver_sql("SELECT id_hash, sign_in_id, method FROM user_session ORDER BY 1").all()
        assert [tuple(row) for row in found] == [
            ("a1", "a1", "password"),
            ("a2", "a1", "password"),
            ("b1", "b1", "password"),
        ]
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        before = ScriptDirectory.from_config(config).get_revision("0016").down_revision
        command.downgrade(config, str(before))
        assert connection.exec_driver_sql("SELECT failed_attempts FROM app_user").scalar_one() == 0
    upgrade_to(engine, "0016")
    engine.dispose()
