"""PostgreSQL for many: two imports at once, a server started again in between, limits, several programs on one database."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from dashboard import downloads, importing, runtime
from dashboard.access import Role
from dashboard.errors import DatabaseUnavailable
from dashboard.importing import import_files
from dashboard.settings import Settings
from queries import people
from queries.engine import Opening, open_engine, reading, writing
from queries.schema import migrate, revision_of
from queries.tables import Episode, Import, Score
from tests.conftest import absent
from tests.factories import write_practice
from tests.postgres import Server, debian_binaries, debian_server

NOW = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
SETTINGS = Settings(timezone="UTC")
APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"


def bring_in(engine: Engine, folder: Path, source: str) -> None:
    import_files(engine, SETTINGS, practice="One", paths=[folder], source=source, username="d", now=NOW)


def count(engine: Engine, table: type) -> int:
    with reading(engine) as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_two_imports_at_once_both_land_and_readers_see_each_whole_or_not_at_all(
    postgres_database: str, tmp_path: Path
) -> None:
    episodes = {"north": 9, "south": 13}
    wrong: list[BaseException] = []
    seen: set[int] = set()
    done = threading.Event()

    def load(source: str) -> None:
        engine = open_engine(postgres_database)
        try:
            write_practice(tmp_path / source, seed=episodes[source], today=NOW.date(), episodes=episodes[source])
            bring_in(engine, tmp_path / source, source)
        except BaseException as error:
            wrong.append(error)
        finally:
            engine.dispose()

    def look() -> None:
        engine = open_engine(postgres_database, Opening(read_seconds=30))
        try:
            while not done.is_set():
                seen.add(count(engine, Episode))
        except BaseException as error:
            wrong.append(error)
        finally:
            engine.dispose()

    loaders = [threading.Thread(target=load, args=(source,)) for source in episodes]
    readers = [threading.Thread(target=look) for _ in range(2)]
    for thread in (*readers, *loaders):
        thread.start()
    for thread in loaders:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert wrong == []
    assert seen <= {0, 9, 13, 22}
    engine = open_engine(postgres_database)
    assert (count(engine, Episode), count(engine, Import)) == (22, 2)
    engine.dispose()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    binaries = debian_binaries()
    if binaries is None:
        absent("postgres", "no PostgreSQL that this test may start and stop")
    assert binaries is not None
    with debian_server(binaries) as found:
        yield found


def test_a_server_that_is_started_again_during_an_import_loses_that_import_and_nothing_else(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.url
    engine, reader = open_engine(url), open_engine(url)
    migrate(engine)
    write_practice(tmp_path / "first", seed=1, today=NOW.date(), episodes=4)
    write_practice(tmp_path / "second", seed=2, today=NOW.date(), episodes=5)
    bring_in(engine, tmp_path / "first", "first")
    scores = count(reader, Score)
    real = importing.store_batch

    def stored_and_then_gone(*given: object, **named: object) -> object:
        result = real(*given, **named)  # type: ignore[arg-type]
        server.restart("immediate")
        return result

    monkeypatch.setattr(importing, "store_batch", stored_and_then_gone)
    with pytest.raises(DatabaseUnavailable) as said:
        bring_in(engine, tmp_path / "second", "second")
    assert "try again" in str(said.value)
    assert len(str(said.value).splitlines()) == 1
    assert (count(reader, Episode), count(reader, Score)) == (4, scores)
    monkeypatch.setattr(importing, "store_batch", real)
    bring_in(engine, tmp_path / "second", "second")
    assert count(reader, Episode) == 9
    server.stop("fast")
    with pytest.raises(DatabaseUnavailable, match=r"did not answer|away|stopping"):
        count(reader, Episode)
    runtime.configure(Settings(db=url), reader)
    try:
        page = AppTest.from_file(str(APP), default_timeout=30).run()
        shown = " ".join(str(one.proto.body) for one in page.get("html"))
        assert not page.exception
        assert "One moment" in shown
        assert "127.0.0.1" not in shown
        server.start()
        assert count(reader, Episode) == 9
        page.run()
        assert "One moment" not in " ".join(str(one.proto.body) for one in page.get("html"))
    finally:
        runtime.forget()
        engine.dispose()
        reader.dispose()


def test_programs_that_start_at_once_migrate_once(postgres_url: str) -> None:
    admin = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE starting_at_once")
    url = sa.make_url(postgres_url).set(database="starting_at_once").render_as_string(hide_password=False)
    wrong: list[BaseException] = []

    def start() -> None:
        engine = open_engine(url, Opening(lock_seconds=1))
        try:
            migrate(engine)
        except BaseException as error:
            wrong.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine = open_engine(url)
    state = revision_of(engine)
    engine.dispose()
    with admin.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE starting_at_once WITH (FORCE)")
    admin.dispose()
    assert wrong == []
    assert state.current == state.newest


def test_a_page_waits_only_so_long_and_an_import_as_long_as_it_takes(postgres_database: str) -> None:
    engine = open_engine(postgres_database, Opening(read_seconds=1, idle_seconds=1))
    with pytest.raises(DatabaseUnavailable) as said, reading(engine) as connection:
        connection.exec_driver_sql("SELECT pg_sleep(5)")
    assert "longer than a page" in said.value.calm
    with writing(engine) as connection:
        connection.exec_driver_sql("SELECT pg_sleep(1.1)")
        time.sleep(1.1)
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    with reading(engine) as connection:
        assert connection.exec_driver_sql("SELECT current_setting('application_name')").scalar() == "supervision"
    engine.dispose()


def test_who_waits_too_long_for_a_writer_is_told_so_and_nothing_is_half(postgres_database: str) -> None:
    engine = open_engine(postgres_database, Opening(lock_seconds=1))
    with (
        writing(engine),
        pytest.raises(DatabaseUnavailable, match="Something else is writing"),
        writing(engine),
    ):
        pytest.fail("two writers at once")
    engine.dispose()


def test_a_link_made_by_one_program_opens_at_another_and_only_for_its_person(engine: Engine, tmp_path: Path) -> None:
    write_practice(tmp_path / "files", today=NOW.date(), episodes=2)
    bring_in(engine, tmp_path / "files", "files")
    with writing(engine) as connection:
        for name in ("d1", "d2"):
            people.add_user(
                connection, practice_id=1, username=name, role=Role.DIRECTOR, clinician_id=None, password_hash="x",
                must_change=False, now=NOW, actor="t",
            )  # fmt: skip
    with reading(engine) as connection:
        one, other = (people.viewer(connection, name, date.today()) for name in ("d1", "d2"))
    assert one is not None
    assert other is not None
    token = downloads.link(one, "set_aside", NOW).rsplit("/", 1)[1]
    assert downloads.open_link(engine, one, token, NOW + timedelta(minutes=1)).data
    with pytest.raises(Exception, match="no longer valid"):
        downloads.open_link(engine, other, token, NOW)
    assert one.link_secret not in repr(one)
