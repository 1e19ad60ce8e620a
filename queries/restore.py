"""A copy back into a database, of either kind, whole or not at all.

Into the embedded database the copy is first made ready beside it (checked again, migrated, audited) and then written over it
page by page in one SQLite transaction: an app that runs reads on and sees it like any other change, and a machine that stops
in between leaves what was there. A file that no longer opens is put aside, not overwritten. Into PostgreSQL everything, from
dropping the old tables to the last row, is one transaction.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, delete, select, update

from dashboard.errors import SupervisionError, UnusableInput
from queries import audit
from queries.acting import Door, acting
from queries.audit_check import REPLACED, head_of
from queries.backup import reflected, sync_file, unfinished
from queries.backup_file import (
    BLOB_ROWS,
    OWN,
    ROWS,
    About,
    Content,
    Rows,
    check_copy,
    columns_of,
    contents,
    table_names,
)
from queries.cipher import connect, driver, is_plain, literal
from queries.engine import Opening, open_engine, reading, writing
from queries.erase import erase_again, keys_kept, scrub
from queries.frames import insert_frame, read_batches, stored_rows
from queries.schema import check_known, migrate, upgrade_within
from queries.sign_in_tables import SignInCounter, UserDevice
from queries.tables import Base, Practice, UserSession

TRIES = 40  # a second and a half each at most: a minute of waiting for somebody who writes
SHARED_FIRST, SHARED_SIZE = (
    0x40000002,
    510,
)  # the bytes of a file that SQLite locks while it is open (sqlite.org/fileformat)


def is_empty(engine: Engine) -> bool:
    """Whether a database holds nothing of ours yet, not even tables."""
    with reading(engine) as connection:
        names = sa.inspect(connection).get_table_names()
    return not set(names) & {"alembic_version", *Base.metadata.tables}


def _sign(connection: Connection, about: About, copy: Path, now: datetime, head: str | None) -> None:
    """Everybody signs in anew (a session ended since the copy would live again), and the audit says what happened.

    Browsers that knew somebody are forgotten for the same reason, and so are tries that were counted then. ``head``: in what
    the audit ended that is written over, for whoever kept it; null where there was none.
    """
    connection.execute(update(UserSession).values(revoked=True))
    connection.execute(delete(UserDevice))
    connection.execute(delete(SignInCounter))
    detail = f"{copy.name}: made {about.made_at} from {about.engine}, {about.rows} rows"[:300]
    if head is not None:
        detail += f"; {REPLACED}{head}"
    for practice_id in connection.execute(select(Practice.id).order_by(Practice.id)).scalars().all():
        audit.record(
            connection, at=now, practice_id=practice_id, username="operator", action="change restore", detail=detail
        )


def copy_pages(source: Path, source_key: str | None, part: Path, key: str | None) -> None:
    """All of one closed file into another, encrypting or decrypting where the keys differ."""
    if source_key == key:
        origin, target = connect(source, key, read_only=True), connect(part, key)
        try:
            target.execute("PRAGMA synchronous = OFF")
            origin.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
        finally:
            origin.close()
            target.close()
        return
    import sqlcipher3.dbapi2 as cipher

    # between keys only SQLCipher can copy; an unencrypted file is one without a key to it
    origin = cipher.connect(str(source), isolation_level=None)
    try:
        if source_key is not None:
            origin.execute(f"PRAGMA key = {literal(source_key)}")
        origin.execute(
            f"ATTACH DATABASE ? AS other KEY {literal(key) if key is not None else chr(39) * 2}", (str(part),)
        )
        origin.execute("PRAGMA other.synchronous = OFF")
        origin.execute("SELECT sqlcipher_export('other')")
        origin.execute("DETACH DATABASE other")
    finally:
        origin.close()


@dataclass(frozen=True)
class _Before:
    """What a copy must not make forgotten of the database it replaces: who was erased, and in what its audit ended."""

    erased: list[dict[str, object]]
    head: str | None


def _known_before(connection: Connection) -> _Before:
    there = sa.inspect(connection)
    bound = there.has_table("audit") and any(one["name"] == "row_hash" for one in there.get_columns("audit"))
    erased = keys_kept(connection) if there.has_table("erased_key") else []
    return _Before(erased, head_of(connection) if bound else None)


def _before(path: Path, key: str | None) -> _Before:
    """As ``_known_before``, of a file; nothing where it does not open."""
    if not path.exists() or not path.stat().st_size or not _opens(path, key):
        return _Before([], None)
    engine = open_engine(f"sqlite:///{path}", Opening(key=key))
    try:
        with reading(engine) as connection:
            return _known_before(connection)
    finally:
        engine.dispose()


def _made_ready(part: Path, key: str | None, about: About, copy: Path, now: datetime, before: _Before) -> None:
    dbapi = connect(part, key)
    try:
        for name in OWN:
            dbapi.execute(f"DROP TABLE {name}")
        if contents(dbapi) != about.tables:
            raise SupervisionError(f"{copy} could not be read twice alike. Nothing was changed: look at the disk.")
    finally:
        dbapi.close()
    engine = open_engine(f"sqlite:///{part}", Opening(key=key))
    try:
        migrate(engine)
        with writing(engine) as connection:
            _sign(connection, about, copy, now, before.head)
            erase_again(connection, before.erased, now)
        if before.erased:
            scrub(engine)
    finally:
        engine.dispose()
    dbapi = connect(part, key)
    try:
        dbapi.execute("PRAGMA journal_mode = DELETE")
    finally:
        dbapi.close()
    sync_file(part)


def _beside(path: Path) -> list[Path]:
    return [path.with_name(path.name + rest) for rest in ("-wal", "-shm", "-journal")]


@contextmanager
def nobody_else(path: Path) -> Iterator[None]:
    """Holds a file against every other process that would open it with SQLite. SupervisionError where one has it open."""
    try:
        import fcntl
    except ImportError:  # on Windows an open file cannot be replaced anyway
        yield
        return
    with path.open("rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_SIZE, SHARED_FIRST)
        except OSError:
            raise SupervisionError(
                f"{path} is in use. Stop the app and whatever else reads it, then try again."
            ) from None
        yield


def put_in_place(part: Path, path: Path, aside: Path | None) -> None:
    """Gives a finished file its name in one step; what stood there gets a second name, ``aside``, first (null: it is gone).

    A journal that belongs to the old file must not meet the new one; it goes aside with it, before.
    """
    if path.exists():
        with nobody_else(path):
            for old in (path, *_beside(path)):
                if aside is not None and old.exists():
                    os.link(old, aside.with_name(aside.name + old.name.removeprefix(path.name)))
            for old in _beside(path):
                old.unlink(missing_ok=True)
            part.replace(path)
    else:
        for old in _beside(path):
            if old.exists():
                old.rename(old.with_name(f"{old.name}.left-over"))
        os.link(part, path)  # fails where somebody made the file meanwhile
    sync_file(path)


def _opens(path: Path, key: str | None) -> bool:
    # only looking: opened for writing, a file that is no database would lose the journal beside it
    look = connect(path, key, read_only=True)
    try:
        look.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except driver(key).DatabaseError as error:
        if "not a database" in str(error) or "malformed" in str(error):
            return False
        raise
    finally:
        look.close()
    return True


def _write_over(part: Path, path: Path, key: str | None) -> None:
    """Writes all pages over a database in one transaction of its own."""
    target: Any = connect(path, key, busy_ms=1_000)
    ready: Any = connect(part, key, read_only=True)
    tries = 0

    def waited(_status: int, _remaining: int, _total: int) -> None:
        nonlocal tries
        tries += 1
        if tries > TRIES:
            raise SupervisionError(f"Somebody writes to {path} without a pause. Nothing was changed: try again.")

    try:
        ready.backup(target, progress=waited)
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        target.close()
        ready.close()


def into_embedded(path: Path, key: str | None, copy: Path, *, now: datetime) -> tuple[About, Path | None]:
    """A copy into the SQLite file ``path``. Returns what it held, and where the old file was put if it did not open.

    Raises UnusableInput where the copy is not whole or of a newer program, SupervisionError where the file cannot be written.
    """
    about = check_copy(copy, key)
    check_known(about.revision)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with unfinished(path) as part:
            copy_pages(copy, None if is_plain(copy) else key, part, key)
            _made_ready(part, key, about, copy, now, _before(path, key))
            if path.exists() and path.stat().st_size and _opens(path, key):
                _write_over(part, path, key)
                return about, None
            aside = path.with_name(f"{path.name}.replaced-{now:%Y%m%d-%H%M%S}") if path.exists() else None
            put_in_place(part, path, aside)
            return about, aside
    except (driver(key).Error, OSError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise SupervisionError(
            f"{path} could not be restored ({said}). What was there before is still there."
        ) from None


def _fill_table(server: Connection, copy: Connection, table: sa.Table, raw: Any) -> Content:
    names, key, has_files = columns_of(raw, table.name)
    statement = select(*(table.c[n] for n in names)).order_by(*(table.c[n] for n in key))
    rows = Rows()
    for frame in read_batches(copy, statement, BLOB_ROWS if has_files else ROWS * 10):
        insert_frame(server, table, frame)
    order = [sa.collate(table.c[n], "C") if isinstance(table.c[n].type, sa.String) else table.c[n] for n in key]
    back = select(*(table.c[n] for n in names)).order_by(*order)
    for frame in read_batches(server, back, BLOB_ROWS if has_files else ROWS):
        rows.add(list(stored_rows(frame)))
    return rows.content


def into_server(engine: Engine, key: str | None, copy: Path, *, now: datetime) -> About:
    """A copy into PostgreSQL: old tables out, rows in, read back and compared, migrated, audited; one transaction."""
    about = check_copy(copy, key)
    check_known(about.revision)
    copy_key = None if is_plain(copy) else key
    tables = reflected(copy, copy_key)
    origin = open_engine(f"sqlite:///{copy}", Opening(key=copy_key, read_only=True))
    try:
        with acting(Door.DATABASE), writing(engine, patient=True) as server, reading(origin) as held:
            before = _known_before(server)
            for name in {"alembic_version", *Base.metadata.tables, *about.tables}:
                server.exec_driver_sql(f'DROP TABLE IF EXISTS "{name}" CASCADE')
            upgrade_within(server, about.revision)
            raw = held.connection.driver_connection
            there = set(table_names(raw))
            for table in tables.sorted_tables:
                if table.name in there and _fill_table(server, held, table, raw) != about.tables[table.name]:
                    raise UnusableInput(
                        f"Table {table.name} did not come out alike in this database. Nothing was changed: report this."
                    )
            upgrade_within(server, "head")
            _sign(server, about, copy, now, before.head)
            erase_again(server, before.erased, now)
    finally:
        origin.dispose()
    return about
