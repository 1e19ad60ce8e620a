"""A copy is whole, of either database into either, made while the app runs; restoring asks first and leaves no half."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from dashboard.access import Role
from dashboard.errors import SupervisionError, UnusableInput
from dashboard.importing import import_files
from dashboard.keeping.copies import back_up, bring_back
from dashboard.opening import opened
from dashboard.settings import Settings
from queries import devices, people, throttle
from queries.backup_file import About, check_copy
from queries.engine import reading, writing
from queries.recipher import rewrite
from queries.sign_in_tables import SignInCounter, UserDevice
from queries.tables import Audit, Client, Import, Score, UserSession
from queries.throttle import Limits
from tests.conftest import postgres_copy
from tests.factories import write_practice

KEY = "4f" * 32
NOW = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
CHANGED_BY_RESTORING = {"audit", "user_session", "user_device", "sign_in_counter"}


def filled(url: str, folder: Path, key: str = "") -> Settings:
    settings = Settings(db=url, timezone="UTC", key=key)
    write_practice(folder, today=NOW.date(), episodes=12)
    with opened(settings) as engine:
        import_files(engine, settings, practice=None, paths=[folder], username="d", now=NOW)
        with writing(engine) as connection:
            connection.execute(
                sa.insert(Import).values(
                    id=99, practice_id=1, source="s", imported_on=NOW.date(), imported_at=NOW.replace(microsecond=7),
                    username=None, files=["quote \" comma , newline \n ünï"], counts={}, changed_rows=0, undoes_id=1,
                )
            )  # fmt: skip
            people.add_user(
                connection, practice_id=1, username="ada", role=Role.ADMIN, clinician_id=None, password_hash="x",
                must_change=False, now=NOW, actor="test",
            )  # fmt: skip
            devices.remember(connection, 1, "ada", None, NOW)
            throttle.reserve(connection, username="x", address=None, device=None, now=NOW, limits=Limits(5, 50, 15))
            # one database keeps the sign of a zero, the other does not
            connection.execute(sa.update(Score).where(Score.id == 1).values(value=-0.0))
            connection.exec_driver_sql(
                "INSERT INTO import_content (import_id, table_name, content) VALUES (99, 'scores', "
                + ("X'00ff27225c'" if engine.dialect.name == "sqlite" else "'\\x00ff27225c'")
                + ")"
            )
    return settings


def same_but_for(left: About, right: About, tables: set[str]) -> bool:
    return {n for n in left.tables if left.tables[n] != right.tables.get(n)} <= tables


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An embedded database that tests copy: made once."""
    folder = tmp_path_factory.mktemp("once")
    filled(f"sqlite:///{folder / 'a.sqlite'}", folder / "files")
    return folder / "a.sqlite"


def embedded(once: Path, tmp_path: Path, key: str) -> Settings:
    path = tmp_path / "a.sqlite"
    shutil.copy(once, path)
    if key:
        rewrite(path, None, key)
    return Settings(db=f"sqlite:///{path}", timezone="UTC", key=key)


@pytest.fixture
def original(request: pytest.FixtureRequest, once: Path, tmp_path: Path) -> Settings:
    if request.param == "postgresql":
        return filled(request.getfixturevalue("postgres_database"), tmp_path / "files")
    return embedded(once, tmp_path, KEY if request.param == "encrypted" else "")


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path, original: Settings) -> Iterator[Settings]:
    if request.param == "postgresql":
        with postgres_copy(request.getfixturevalue("postgres_template")) as url:
            yield Settings(db=url, timezone="UTC", key=original.key)
    else:
        key = original.key or (KEY if request.param == "encrypted" else "")
        yield Settings(db=f"sqlite:///{tmp_path / 'b.sqlite'}", timezone="UTC", key=key)


PAIRS = [
    ("plain", "plain"),
    ("plain", "encrypted"),
    ("encrypted", "encrypted"),
    ("plain", "postgresql"),
    ("encrypted", "postgresql"),
    ("postgresql", "plain"),
    ("postgresql", "postgresql"),
]


@pytest.mark.parametrize(("original", "elsewhere"), PAIRS, indirect=True, ids=["-to-".join(pair) for pair in PAIRS])
def test_every_row_comes_back_in_either_kind_of_database(
    original: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    first, second = tmp_path / "one.backup", tmp_path / "two.backup"
    back_up(original, first, NOW)
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    bring_back(elsewhere, first, force=True, now=NOW)
    back_up(elsewhere, second, NOW)
    one, two = check_copy(first, original.key or None), check_copy(second, elsewhere.key or None)
    assert one.tables["score"].rows > 100
    assert same_but_for(one, two, CHANGED_BY_RESTORING)
    with opened(elsewhere) as engine, reading(engine) as connection:
        said = connection.execute(sa.select(Audit.action).order_by(Audit.id)).scalars().all()
        assert said[-3:] == ["export backup", "change restore", "export backup"]
        assert not connection.execute(sa.select(UserSession).where(~UserSession.revoked)).all()
        assert not connection.execute(sa.select(UserDevice.id)).all()
        assert not connection.execute(sa.select(SignInCounter.name)).all()
    assert not [p for p in tmp_path.iterdir() if p.name.endswith(".part")]


@pytest.fixture(scope="module")
def once_copied(once: Path) -> Path:
    settings = Settings(db=f"sqlite:///{once}", timezone="UTC")
    back_up(settings, once.with_name("a.backup"), NOW)
    return once.with_name("a.backup")


@pytest.fixture
def plain(once: Path, once_copied: Path, tmp_path: Path) -> tuple[Settings, Path]:
    shutil.copy(once_copied, tmp_path / "a.backup")
    return embedded(once, tmp_path, ""), tmp_path / "a.backup"


def test_restoring_over_a_database_asks_first(plain: tuple[Settings, Path]) -> None:
    with pytest.raises(UnusableInput, match="--force"):
        bring_back(*plain, force=False, now=NOW)


def rewritten(statement: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with sqlite3.connect(path) as connection:
            connection.execute(statement)
        connection.close()

    return change


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40_000])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    at = content.index(b"quote")
    content[at] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    "spoil",
    [
        cut,
        flipped,
        lambda path: path.write_bytes(b"no database at all"),
        rewritten("UPDATE score SET value = value + 1 WHERE id = 3"),
        rewritten("DELETE FROM score WHERE id = 3"),
        rewritten("DROP TABLE backup_about"),
        rewritten("UPDATE alembic_version SET version_num = '9999'"),
    ],
    ids=["cut", "one bit", "no database", "a value", "a row", "no manifest", "other revision"],
)
def test_a_copy_that_is_not_whole_is_refused_and_nothing_changes(
    plain: tuple[Settings, Path], spoil: Callable[[Path], None]
) -> None:
    settings, copy = plain
    path = Path(settings.db.removeprefix("sqlite:///"))
    before = path.read_bytes()
    spoil(copy)
    with pytest.raises(UnusableInput):
        bring_back(settings, copy, force=True, now=NOW)
    assert path.read_bytes() == before


def test_a_copy_from_a_newer_program_is_refused(plain: tuple[Settings, Path]) -> None:
    settings, copy = plain
    rewritten("UPDATE alembic_version SET version_num = '9999'")(copy)
    rewritten("UPDATE backup_about SET value = '9999' WHERE name = 'revision'")(copy)
    with pytest.raises(UnusableInput, match="newer"):
        bring_back(settings, copy, force=True, now=NOW)


def test_an_older_copy_is_brought_up_to_date(tmp_path: Path) -> None:
    from queries.backup import write_copy
    from queries.engine import open_engine
    from queries.schema import revision_of, upgrade_to

    old = open_engine(f"sqlite:///{tmp_path / 'old.sqlite'}")
    upgrade_to(old, "0008")
    write_copy(old, tmp_path / "old.backup", None, program="0", now=NOW)
    old.dispose()
    settings = Settings(db=f"sqlite:///{tmp_path / 'new.sqlite'}")
    bring_back(settings, tmp_path / "old.backup", force=False, now=NOW)
    with opened(settings) as engine:
        assert revision_of(engine).current == revision_of(engine).newest


def test_a_file_that_is_no_copy_is_never_replaced_by_one(plain: tuple[Settings, Path], tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    for target in (tmp_path / "thesis.doc", tmp_path / "a.sqlite"):
        with pytest.raises(UnusableInput):
            back_up(plain[0], target, NOW)
    assert (tmp_path / "thesis.doc").read_text() == "years of work"


@pytest.mark.parametrize("original", ["plain", "postgresql"], indirect=True)
def test_a_copy_made_while_rows_come_in_holds_one_moment(original: Settings, tmp_path: Path) -> None:
    stop = threading.Event()
    wrong: list[Exception] = []

    def write() -> None:
        try:
            with opened(original) as engine:
                number = 10_000
                while not stop.is_set():
                    with writing(engine) as connection:  # a client and their import belong together
                        connection.execute(
                            sa.insert(Client).values(
                                id=number, practice_id=1, source=f"s{number}", source_id="x", client_code="x"
                            )
                        )
                        connection.execute(sa.update(Import).where(Import.id == 99).values(changed_rows=number))
                    number += 1
        except Exception as error:
            wrong.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for n in range(2):
            back_up(original, tmp_path / f"{n}.backup", NOW)
    finally:
        stop.set()
        writer.join()
    assert not wrong
    for n in range(2):
        bring_back(
            Settings(db=f"sqlite:///{tmp_path / f'{n}.sqlite'}", key=original.key),
            tmp_path / f"{n}.backup",
            force=False,
            now=NOW,
        )
        with (
            opened(Settings(db=f"sqlite:///{tmp_path / f'{n}.sqlite'}", key=original.key)) as engine,
            reading(engine) as c,
        ):
            last = c.execute(sa.select(sa.func.max(Client.id))).scalar_one()
            marked = c.execute(sa.select(Import.changed_rows).where(Import.id == 99)).scalar_one()
            assert last < 10_000 or last == marked


def test_an_app_that_runs_sees_the_restored_rows(plain: tuple[Settings, Path]) -> None:
    settings, copy = plain
    with opened(settings) as running:
        with writing(running) as connection:
            connection.execute(sa.delete(Score))
        with reading(running) as earlier:
            assert earlier.execute(sa.select(sa.func.count()).select_from(Score)).scalar_one() == 0
            bring_back(settings, copy, force=True, now=NOW)
            assert earlier.execute(sa.select(sa.func.count()).select_from(Score)).scalar_one() == 0
        with reading(running) as connection:
            assert connection.execute(sa.select(sa.func.count()).select_from(Score)).scalar_one() > 100


def test_a_damaged_database_is_put_aside_and_the_copy_takes_its_place(plain: tuple[Settings, Path]) -> None:
    settings, copy = plain
    path = Path(settings.db.removeprefix("sqlite:///"))
    path.write_bytes(b"x" * 9000)
    path.with_name(path.name + "-wal").write_bytes(b"left over")
    said = bring_back(settings, copy, force=True, now=NOW)
    aside = [p for p in path.parent.iterdir() if ".replaced-" in p.name]
    assert {p.read_bytes() for p in aside if not p.name.endswith("-shm")} == {b"x" * 9000, b"left over"}
    assert any("replaced" in line for line in said)
    with opened(settings) as engine, reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_a_file_in_use_is_not_swapped(plain: tuple[Settings, Path], tmp_path: Path) -> None:
    import subprocess
    import sys

    from queries.restore import nobody_else

    path = Path(plain[0].db.removeprefix("sqlite:///"))
    program = (
        f"import sqlite3, sys; c = sqlite3.connect({str(path)!r}); c.execute('select * from score').fetchone();"
        "print(1, flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdin is not None
    other.stdout.readline()
    try:
        with pytest.raises(SupervisionError, match="in use"), nobody_else(path):
            pass
    finally:
        other.stdin.close()
        other.wait()
    other.stdout.close()
    with nobody_else(path):
        pass
