"""The schema on both databases: migrations make what the mapping says, and a newer database is refused."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine

from dashboard.errors import SupervisionError
from queries.engine import open_engine, reading, writing
from queries.schema import migrate, revision_of
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
