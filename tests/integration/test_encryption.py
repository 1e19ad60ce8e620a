"""The embedded database encrypted: same rows, nothing readable without the key, and the way there and back loses nothing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from dashboard.errors import DatabaseUnavailable, SupervisionError, UnusableInput
from dashboard.exporting import export_table
from dashboard.importing import import_files
from dashboard.keeping.copies import back_up
from dashboard.keeping.encrypting import decrypt, encrypt, rekey
from dashboard.keeping.key import new_key
from dashboard.opening import opened
from dashboard.settings import Settings
from queries.engine import reading
from queries.tables import Client
from tests.factories import write_practice

NOW = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
SECRET = 'it\'s a "long" passphrase'


def exported(settings: Settings) -> bytes:
    with opened(settings) as engine:
        return export_table(
            engine, settings, table="episodes", username=None, as_of=None, kind="csv", practice=None, now=NOW
        )


def test_encrypted_and_back_every_export_is_the_same_and_no_code_can_be_read_without_the_key(tmp_path: Path) -> None:
    plain = Settings(db=f"sqlite:///{tmp_path / 'p.sqlite'}", timezone="UTC")
    path = tmp_path / "p.sqlite"
    write_practice(tmp_path / "files", today=NOW.date(), episodes=12)
    with opened(plain) as engine:
        import_files(engine, plain, practice=None, paths=[tmp_path / "files"], username="d", now=NOW)
        with reading(engine) as connection:
            code = str(connection.execute(sa.select(Client.client_code).limit(1)).scalar_one()).encode()
    before = exported(plain)
    assert code in path.read_bytes()
    with pytest.raises(UnusableInput, match="key new"):
        encrypt(plain)
    locked = replace(plain, key=SECRET)
    with pytest.raises(DatabaseUnavailable, match="supervision encrypt"):
        exported(locked)
    encrypt(locked)
    assert exported(locked) == before
    assert not [
        p.name for p in tmp_path.iterdir() if p.is_file() and (code in p.read_bytes() or p.name.startswith("."))
    ]
    with pytest.raises(DatabaseUnavailable, match="SUPERVISION_KEY_FILE"):
        exported(plain)
    with pytest.raises(DatabaseUnavailable, match="does not open with this key"):
        exported(replace(plain, key="another long passphrase"))
    back_up(locked, tmp_path / "p.backup", NOW)
    assert code not in (tmp_path / "p.backup").read_bytes()
    new_key(tmp_path / "key")
    rekey(locked, tmp_path / "key")
    again = replace(plain, key_file=str(tmp_path / "key"))
    assert exported(again) == before
    with pytest.raises(DatabaseUnavailable, match="does not open"):
        exported(locked)
    decrypt(again)
    assert exported(plain) == before


def test_a_database_in_use_is_not_encrypted_under_its_reader(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    settings = Settings(db=f"sqlite:///{path}", key=SECRET)
    with opened(replace(settings, key="")):
        pass
    program = (
        f"import sqlite3, sys; c = sqlite3.connect({str(path)!r}); c.execute('select * from score').fetchone();"
        "print(1, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()
        with pytest.raises(SupervisionError, match="in use"):
            encrypt(settings)
        reader.kill()
    encrypt(settings)


def test_a_new_database_with_a_key_is_encrypted_from_its_first_byte(tmp_path: Path) -> None:
    settings = Settings(db=f"sqlite:///{tmp_path / 'p.sqlite'}", key=SECRET)
    with opened(settings):
        pass
    assert not (tmp_path / "p.sqlite").read_bytes().startswith(b"SQLite")
