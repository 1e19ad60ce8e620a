"""The audit: rows are only added, each bound to the one before it, and whatever is done around that is found."""

from __future__ import annotations

import ast
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import DBAPIError

from dashboard.access import Role, operator_scope
from dashboard.auditing import is_good, lines, verify, verify_file
from dashboard.doctor import examine
from dashboard.errors import ContractError, UnusableInput
from dashboard.exports import to_bytes
from dashboard.keeping.copies import back_up, bring_back
from dashboard.settings import Settings
from queries import audit, exports, practices
from queries.audit_chain import ERASED, START, Sealed, encoded, hash_of_detail, hash_of_row
from queries.audit_check import check_chain, head_of, is_closed
from queries.engine import open_engine, reading, writing
from queries.frames import read_frame
from queries.schema import _config, migrate, upgrade_to
from queries.tables import Audit

NOW = datetime(2026, 11, 20, 9, 30, 15, 123456)
DETAILS = (None, "120 rows, csv", "=1+1 of 4F-210", "", "Ångström, ein Wort", "-3 days", "'=quoted")


def add(connection: Connection, practice: int | None, number: int) -> None:
    audit.record(
        connection, at=NOW + timedelta(seconds=number), practice_id=practice, username=f"u{number % 3}",
        action="view episode" if number % 2 else "export sessions", detail=DETAILS[number % len(DETAILS)],
        purpose=(None, "supervision", "appraisal")[number % 3],
    )  # fmt: skip


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """A practice with eight audit rows."""
    with writing(engine) as connection:
        practice = practices.ensure_practice(connection, "P", NOW)
        for number in range(8):
            add(connection, practice, number)
    return engine


@contextmanager
def around(engine: Engine) -> Iterator[Connection]:
    """A transaction of somebody who has the database itself and switched off what guards the audit."""
    with writing(engine) as connection:
        if engine.dialect.name == "sqlite":
            for name in ("audit_append", "audit_no_delete", "audit_no_update"):
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER USER")
        yield connection


def _set(column: str, value: str, number: int = 4) -> Callable[[Connection], None]:
    def act(connection: Connection) -> None:
        connection.exec_driver_sql(f"UPDATE audit SET {column} = {value} WHERE id = {number}")

    return act


def _remove(number: int) -> Callable[[Connection], None]:
    return lambda connection: connection.exec_driver_sql(f"DELETE FROM audit WHERE id = {number}") and None


def _swap(connection: Connection) -> None:
    for before, after in ((3, 99), (4, 3), (99, 4)):
        connection.exec_driver_sql(f"UPDATE audit SET id = {after} WHERE id = {before}")


def _insert(connection: Connection) -> None:
    """A row in the middle that is right in itself, with the next row bound to it."""
    connection.exec_driver_sql("UPDATE audit SET id = 99 WHERE id = 8")
    with_seven = connection.execute(select(Audit.row_hash).where(Audit.id == 7)).scalar_one()
    row = Sealed(str(with_seven), 8, NOW, 1, "u0", "view episode", None, None, None, None)
    connection.exec_driver_sql("UPDATE audit SET previous_hash = '" + hash_of_row(row) + "' WHERE id = 99")
    connection.execute(
        Audit.__table__.insert().values(
            id=8,
            at=NOW,
            practice_id=1,
            username="u0",
            action="view episode",
            previous_hash=with_seven,
            row_hash=hash_of_row(row),
        )
    )


TAMPERING: dict[str, tuple[Callable[[Connection], None], int]] = {
    "who": (_set("username", "'u9'"), 4),
    "what": (_set("action", "'export sessionz'"), 4),
    "when, by a microsecond": (_set("at", "'2026-11-20 09:30:18.123457'"), 4),
    "which practice": (_set("practice_id", "NULL"), 4),
    "why": (_set("purpose", "'appraisal'"), 4),
    "why, said afterwards": (_set("purpose", "'supervision'", 1), 1),
    "one letter of a detail": (_set("detail", "'120 rows, csw'", 2), 2),
    "a detail taken away": (_set("detail", "NULL", 2), 2),
    "a detail that was never there": (_set("detail", "'x'", 1), 1),
    "a salt": (_set("salt", "'00'", 2), 2),
    "a detail's hash": (_set("detail_hash", "'00'", 2), 2),
    "a row's hash": (_set("row_hash", f"'{'0' * 63}1'"), 4),
    "the hash before": (_set("previous_hash", f"'{'0' * 63}1'"), 4),
    "a detail erased that no erasure names": (_set("detail", f"'{ERASED}', salt = NULL", 2), 2),
    "a row removed": (_remove(4), 5),
    "the first row removed": (_remove(1), 2),
    "two rows swapped": (_swap, 3),
    "a row inserted": (_insert, 99),
}


def test_tampering_around_the_guards_is_found_at_its_row(filled: Engine) -> None:
    assert verify(filled, None).broken is None
    for what, (act, number) in TAMPERING.items():
        with around(filled) as connection:
            act(connection)
            found = check_chain(connection)
            connection.rollback()
        assert found.broken == number, (what, found.why)
        assert not is_good(found), what
        assert f"Row {number} is not as it was written" in lines(found)[0]
    assert verify(filled, None).broken is None


def test_a_tail_cut_off_or_a_chain_written_anew_is_found_by_a_head_that_was_kept(filled: Engine) -> None:
    head = verify(filled, None).head
    with writing(filled) as connection:
        add(connection, 1, 3)
    grown = verify(filled, head)
    assert (is_good(grown), grown.rows, lines(grown)[-2]) == (True, 9, "The head that you kept is here.")
    with around(filled) as connection:
        connection.exec_driver_sql("DELETE FROM audit WHERE id >= 8")
    cut = verify(filled, head)
    assert (cut.broken, is_good(verify(filled, None)), is_good(cut)) == (None, True, False)
    assert "rows at the end were cut off" in lines(cut)[-2]
    for wrong in ("abc", "x" * 64):
        with pytest.raises(UnusableInput, match="is not a head"):
            verify(filled, wrong)


REFUSED = {
    "changing who": "UPDATE audit SET username = 'x' WHERE id = 2",
    "changing a detail": "UPDATE audit SET detail = 'x' WHERE id = 2",
    "taking the salt only": "UPDATE audit SET salt = NULL WHERE id = 2",
    "erasing and changing more": f"UPDATE audit SET detail = '{ERASED}', salt = NULL, action = 'view' WHERE id = 2",
    "a detail for a row without": f"UPDATE audit SET detail = '{ERASED}', salt = NULL WHERE id = 1",
    "removing": "DELETE FROM audit WHERE id = 2",
    "removing all": "DELETE FROM audit",
    "a row in between": (
        "INSERT INTO audit (id, at, username, action, previous_hash, row_hash)"
        " VALUES (0, '2026-01-01 00:00:00.000000', 'x', 'view', 'a', 'b')"
    ),
}


def test_the_database_itself_refuses(filled: Engine) -> None:
    for statement in REFUSED.values():
        with pytest.raises(DBAPIError, match="append-only"), writing(filled) as connection:
            connection.exec_driver_sql(statement)
    assert verify(filled, None).rows == 8


def test_replacing_and_truncating_are_refused_too(filled: Engine) -> None:
    sqlite = filled.dialect.name == "sqlite"
    statement = "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE id = 3" if sqlite else "TRUNCATE audit"
    with pytest.raises(DBAPIError, match="append-only"), writing(filled) as connection:
        connection.exec_driver_sql(statement)
    with reading(filled) as connection:
        assert is_closed(connection)


def test_a_detail_can_be_erased_and_the_chain_stays_provable(filled: Engine) -> None:
    head = verify(filled, None).head
    with writing(filled) as connection:
        audit.erase_details(connection, 1, [2, 3, 7], username="d", now=NOW)
    found = verify(filled, head)
    assert (found.broken, found.erased, found.rows, is_good(found)) == (None, 3, 9, True)
    with reading(filled) as connection:
        rows = connection.execute(select(Audit.detail, Audit.salt).where(Audit.id.in_([2, 3, 7]))).all()
        said = connection.execute(select(Audit.action, Audit.detail).order_by(Audit.id.desc()).limit(1)).one()
    assert set(rows) == {(ERASED, None)}
    assert tuple(said) == (audit.DETAILS_ERASED, "2-3, 7")
    assert audit.from_ranges("2-3, 7") == {2, 3, 7}
    with pytest.raises(DBAPIError, match="append-only"), writing(filled) as connection:
        audit.erase_details(connection, 1, [9], username="d", now=NOW)  # what was erased stays named


def test_nothing_is_audited_outside_a_write_transaction(filled: Engine) -> None:
    with pytest.raises(ContractError, match="outside a write transaction"), filled.begin() as connection:
        add(connection, 1, 1)


def test_writers_side_by_side_make_one_unbroken_chain(filled: Engine) -> None:
    def work() -> None:
        for number in range(5):
            with writing(filled) as connection:
                add(connection, 1, number)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = verify(filled, None)
    assert (found.broken, found.rows) == (None, 28)


def test_the_migration_binds_the_rows_that_were_there(database_url: str, postgres_url_if_needed: str) -> None:
    engine = open_engine(postgres_url_if_needed or database_url)
    upgrade_to(engine, "0013")
    with writing(engine) as connection:
        connection.exec_driver_sql(
            "INSERT INTO audit (id, at, username, action, detail) VALUES"
            " (1, '2026-01-01 10:00:00.000000', 'a', 'sign_in', NULL),"
            " (5, '2026-01-02 10:00:00.500000', 'b', 'export episodes', '12 rows, csv')"
        )
    upgrade_to(engine, "0018")
    with reading(engine) as connection:
        found = check_chain(connection)
        assert (found.broken, found.rows, is_closed(connection)) == (None, 2, True)
    with writing(engine) as connection:
        audit.record(connection, at=NOW, practice_id=None, username="c", action="sign_in")
    assert verify(engine, found.head).rows == 3
    with writing(engine, patient=True) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0013")
        connection.exec_driver_sql("DELETE FROM audit WHERE id = 1")  # as it was before
        assert connection.exec_driver_sql("SELECT count(*) FROM audit").scalar() == 2
    engine.dispose()


@pytest.fixture
def postgres_url_if_needed(database_url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty server database without any schema, for migrating up to a revision; empty text on SQLite."""
    if database_url.startswith("sqlite"):
        yield ""
        return
    import uuid

    import sqlalchemy as sa

    server = str(request.getfixturevalue("postgres_url"))
    name = f"supervision_{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


def _exported(engine: Engine, tmp_path: Path, kind: str, role: Role = Role.DIRECTOR) -> Path:
    with reading(engine) as connection:
        frame = exports.finished("audit", read_frame(connection, exports.audit(operator_scope(1), role)))
    path = tmp_path / f"audit.{kind}"
    path.write_bytes(to_bytes(frame, kind))
    return path


def test_the_contracts_columns_come_first_and_each_format_is_verified_without_a_database(
    filled: Engine, tmp_path: Path
) -> None:
    head = verify(filled, None).head
    for kind in ("csv", "json", "parquet"):
        found = verify_file(_exported(filled, tmp_path, kind), head, part=False)
        assert (found.broken, found.rows, found.head, is_good(found)) == (None, 8, head, True), (kind, found.why)
    columns = (tmp_path / "audit.csv").read_text("utf-8").splitlines()[0].split(",")
    assert columns[:6] == ["at", "username", "action", "clinician_id", "episode_id", "detail"]


FILE_TAMPERING: dict[str, Callable[[list[dict[str, object]]], object]] = {
    "a name": lambda rows: rows[3].update(username="u9"),
    "a time": lambda rows: rows[3].update(exact_at="2026-11-20T09:30:18.123457"),
    "a detail": lambda rows: rows[1].update(detail="121 rows, csv"),
    "a row left out": lambda rows: rows.pop(3),
    "a row twice": lambda rows: rows.append(dict(rows[3])),
    "two rows swapped": lambda rows: (rows[2].update(number=4), rows[3].update(number=3)),
}


def test_a_file_that_was_changed_is_found(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'p.sqlite'}")
    migrate(engine)
    with writing(engine) as connection:
        practices.ensure_practice(connection, "P", NOW)
        for number in range(6):
            add(connection, 1, number)
    path = _exported(engine, tmp_path, "json")
    engine.dispose()
    whole = path.read_text("utf-8")
    for what, act in FILE_TAMPERING.items():
        rows = json.loads(whole)
        act(rows)
        path.write_text(json.dumps(rows), "utf-8")
        assert not is_good(verify_file(path, None, part=False)), what


def test_a_part_counts_its_gaps_and_what_is_withheld_and_says_so(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'p.sqlite'}")
    migrate(engine)
    with writing(engine) as connection:
        for name in ("P", "Q"):
            practices.ensure_practice(connection, name, NOW)
        for number in range(6):
            add(connection, 1 + number % 2, number)
    path = _exported(engine, tmp_path, "csv", Role.ADMIN)
    assert not is_good(verify_file(path, None, part=False))
    found = verify_file(path, None, part=True)
    assert (found.broken, found.rows, found.gaps) == (None, 3, 2)
    assert "cannot show that nothing else is missing" in " ".join(lines(found))
    frame = pl.read_csv(path, infer_schema=False).with_columns(episode_number=pl.lit("withheld"))
    frame.write_csv(path)
    assert verify_file(path, None, part=True).hidden == 3
    frame.drop("row_hash").write_csv(path)
    with pytest.raises(UnusableInput, match="lacks the column 'row_hash'"):
        verify_file(path, None, part=True)
    path.write_text("nothing\n", "utf-8")
    with pytest.raises(UnusableInput):
        verify_file(path, None, part=False)
    engine.dispose()


def test_a_restore_into_either_database_keeps_the_chain_and_continues_it(
    filled: Engine, database_url: str, tmp_path: Path
) -> None:
    settings = Settings(db=database_url, timezone="UTC")
    with writing(filled) as connection:
        audit.erase_details(connection, 1, [2], username="d", now=NOW)
    copy = tmp_path / "copy.backup"
    back_up(settings, copy, NOW)
    kept = verify(filled, None).head
    with writing(filled) as connection:
        add(connection, 1, 4)
    later = verify(filled, None).head
    filled.dispose()
    bring_back(settings, copy, force=True, now=NOW)
    other = Settings(db=f"sqlite:///{tmp_path / 'other.sqlite'}", timezone="UTC")
    bring_back(other, copy, force=False, now=NOW)
    for where in (settings, other):
        engine = open_engine(where.db)
        found = verify(engine, kept)
        assert (found.broken, found.rows, found.erased, is_good(found)) == (None, 11, 1, True), found.why
        with reading(engine) as connection:
            assert is_closed(connection)
        engine.dispose()
    # whoever kept a head from after the copy learns that a restore wrote over it, and not that somebody cut rows off
    again = verify(filled, later)
    assert (again.knows_head, is_good(again)) == (False, True)
    assert "written over on 20 Nov 2026 09:30, when an older copy was restored" in lines(again)[-2]


def test_doctor_says_whether_it_is_unbroken_and_guarded(tmp_path: Path) -> None:
    settings = Settings(db=f"sqlite:///{tmp_path / 'p.sqlite'}", timezone="UTC")
    engine = open_engine(settings.db)
    migrate(engine)
    with writing(engine) as connection:
        practices.ensure_practice(connection, "P", NOW)
        for number in range(5):
            add(connection, 1, number)

    def said() -> tuple[bool, str]:
        return next((one.ok, one.words) for one in examine(settings) if one.what == "audit")

    with reading(engine) as connection:
        head = head_of(connection)
    assert said()[0]
    assert f"unbroken, 5 rows since 20 Nov 2026, head {head}" in said()[1]
    with around(engine):
        pass
    assert not said()[0]
    assert "does not refuse" in said()[1]
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE audit SET action = 'view' WHERE id = 3")
    assert not said()[0]
    assert "row 3 is not as it was written" in said()[1]
    engine.dispose()


VALUES = st.lists(st.none() | st.integers() | st.text(alphabet=st.characters(exclude_categories=["Cs"])), max_size=5)


@given(VALUES, VALUES)
def test_no_two_rows_are_written_alike(one: list[str | int | None], other: list[str | int | None]) -> None:
    same = [type(a) is type(b) and a == b for a, b in zip(one, other, strict=False)]
    assert (encoded(one) == encoded(other)) is (len(one) == len(other) and all(same))


def test_the_encoding_is_fixed_for_good() -> None:
    row = Sealed(START, 1, NOW, 1, "r.okafor", "view episode", 2, 3, "supervision", hash_of_detail("00", "why"))
    assert encoded((None, 12, "12", "ö")) == "-i2:12s2:12s2:ö".encode()
    assert hash_of_detail("00", "why") == "bcf61699536093ef52b82a8bfe348844ae62a75f4d38dfd1d43e7ea1e6e4ead4"
    assert hash_of_row(row) == "8c946059c14881ec6fae543d0a7ca9f7f5ed7683c293d1b1c948c35442276be5"


def test_encrypting_and_giving_a_new_key_keep_the_guards(tmp_path: Path) -> None:
    pytest.importorskip("sqlcipher3")
    from queries.engine import Opening
    from queries.recipher import rewrite

    path = tmp_path / "p.sqlite"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    with writing(engine) as connection:
        audit.record(connection, at=NOW, practice_id=None, username="a", action="sign_in", detail="x")
    engine.dispose()
    rewrite(path, None, "one key of enough length")
    locked = open_engine(f"sqlite:///{path}", Opening(key="one key of enough length"))
    with reading(locked) as connection:
        assert is_closed(connection)
        assert check_chain(connection).rows == 1
        assert connection.execute(text("SELECT count(*) FROM audit")).scalar() == 1
    locked.dispose()


def test_every_audit_row_of_a_session_carries_its_purpose() -> None:
    """A row written for a viewer says what they said; nobody forgets it in a new place."""
    root = Path(__file__).resolve().parents[2]
    wrong = []
    for path in (one for room in ("dashboard", "pages", "queries") for one in (root / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record"):
                continue
            said = {word.arg: ast.unparse(word.value) for word in node.keywords}
            if "viewer" in said["username"] and "purpose" not in said:
                wrong.append(f"{path.relative_to(root)}:{node.lineno}")
    assert wrong == []
