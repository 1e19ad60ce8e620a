"""Secrets: made once, private, shared, refused when open to others, rotated with an audit row, never shown."""

from __future__ import annotations

import errno
import json
import os
import stat
import threading
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from dashboard import downloads, runtime, secrets_store
from dashboard.access import Role
from dashboard.cli import cli
from dashboard.doctor import examine
from dashboard.errors import NotAllowed, SupervisionError, UnusableInput
from dashboard.rotating import rotate_secrets
from dashboard.secrets_store import NAMES, cookie_secret, link_secret, path_of, put_new, read, read_or_make
from dashboard.settings import Settings
from queries import people, practices, sessions
from queries.engine import reading, writing
from queries.tables import Audit, Practice

NOW = datetime(2026, 11, 20, 9)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(db=f"sqlite:///{tmp_path / 'data' / 'practice.sqlite'}", timezone="UTC")


def test_they_are_made_at_the_first_run_in_a_private_file_whatever_the_umask(settings: Settings) -> None:
    old = os.umask(0)
    try:
        made = read_or_make(settings)
    finally:
        os.umask(old)
    path = path_of(settings)
    assert path.name == "practice.secrets.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(bytes.fromhex(made.cookie)) == len(bytes.fromhex(made.links)) == 32
    assert made.cookie != made.links
    assert read_or_make(settings) == made
    assert made.cookie not in repr(made)
    assert made.links not in repr(made)
    assert list(path.parent.iterdir()) == [path]


def test_replicas_that_start_at_once_end_up_with_the_same_ones(settings: Settings) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(cookie_secret(settings))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    ("db", "name"),
    [("postgresql://u@h/our_practice", "our_practice.secrets.json"), ("sqlite://", "memory.secrets.json")],
)
def test_without_a_database_file_they_are_in_the_data_folder_or_where_the_setting_says(
    db: str, name: str, tmp_path: Path
) -> None:
    assert path_of(Settings(db=db)) == tmp_path / "data-home" / "supervision" / name
    assert path_of(Settings(db=db, secrets_file=str(tmp_path / "s"))) == tmp_path / "s"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o660])
def test_a_file_that_others_can_read_is_refused_with_what_to_do(settings: Settings, mode: int) -> None:
    read_or_make(settings)
    path_of(settings).chmod(mode)
    with pytest.raises(UnusableInput, match=r"chmod 600 .*practice\.secrets\.json"):
        cookie_secret(settings)
    finding = next(one for one in examine(settings) if one.what == "secrets")
    assert not finding.ok


@pytest.mark.parametrize("text", ["", "[]", '{"cookie": "ab"}', '{"cookie": "zz", "links": "", "made": {}}'])
def test_a_file_that_is_something_else_is_refused_and_not_written_over(settings: Settings, text: str) -> None:
    path = path_of(settings)
    path.parent.mkdir()
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    with pytest.raises(UnusableInput, match="no secrets file"):
        link_secret(settings)
    assert path.read_text("utf-8") == text


def test_where_none_can_be_written_it_is_said(settings: Settings, tmp_path: Path) -> None:
    read_or_make(settings)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "s").mkdir()
    with pytest.raises(SupervisionError, match="SUPERVISION_SECRETS_FILE"):
        secrets_store._write(tmp_path / "folder" / "s", secrets_store.fresh(NOW.date()), replace=True)
    with pytest.raises(UnusableInput, match="could not be read"):
        read_or_make(replace(settings, secrets_file=str(path_of(settings) / "below")))


def _practice(engine: Engine) -> None:
    with writing(engine) as connection:
        practices.ensure_practice(connection, "One", NOW)
        people.add_user(
            connection, practice_id=1, username="d", role=Role.DIRECTOR, clinician_id=None, password_hash="x",
            must_change=False, now=NOW, actor="t",
        )  # fmt: skip
        sessions.start(connection, "d", "session", "code", NOW)


@pytest.mark.parametrize(
    ("what", "changed", "end"),
    [("all", {"cookie", "links"}, True), ("links", {"links"}, False), ("cookie", {"cookie"}, False)],
)
def test_rotating_ends_what_it_says_and_leaves_ids_and_the_rest_alone(
    engine: Engine, settings: Settings, what: str, changed: set[str], end: bool
) -> None:
    _practice(engine)
    before = read_or_make(settings)
    runtime.configure(settings, engine)
    try:
        with reading(engine) as connection:
            viewer = people.viewer(connection, "d", NOW.date())
            practice_secret = connection.execute(select(Practice.secret)).scalar_one()
        assert viewer is not None
        token = downloads.link(viewer, "set_aside", NOW).rsplit("/", 1)[1]
        said = "\n".join(rotate_secrets(engine, settings, what=what, end_sessions=end, now=NOW))
        after = read(settings)
        assert after is not None
        assert {name for name in ("cookie", "links") if getattr(after, name) != getattr(before, name)} == changed
        assert stat.S_IMODE(path_of(settings).stat().st_mode) == 0o600
        for secret in (after.cookie, after.links, before.cookie, before.links, practice_secret):
            assert secret not in said
        assert "bookmarks stay good" in said
        with reading(engine) as connection:
            assert connection.execute(select(Practice.secret)).scalar_one() == practice_secret
            row = connection.execute(select(Audit.action, Audit.detail).order_by(Audit.id.desc()).limit(1)).one()
            live = sessions.username_of(connection, "session", NOW, idle_minutes=15, absolute_hours=12)
        assert row.action == "change secrets"
        assert set(row.detail.split(", ")) == changed | ({"all sessions ended"} if end else set())
        assert (live is None) is end
        if "links" in changed:
            with pytest.raises(NotAllowed, match="no longer valid"):
                downloads.open_link(engine, viewer, token, NOW)
        else:
            assert downloads.open_link(engine, viewer, token, NOW + timedelta(minutes=1)).data
    finally:
        runtime.forget()


def test_nothing_is_audited_and_no_session_ends_where_the_file_cannot_be_written(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _practice(engine)

    def full(*_: object, **__: object) -> None:
        raise SupervisionError("full")

    monkeypatch.setattr(secrets_store, "_write", full)
    with pytest.raises(SupervisionError, match="full"):
        rotate_secrets(engine, settings, what="all", end_sessions=True, now=NOW)
    with reading(engine) as connection:
        assert "change secrets" not in connection.execute(select(Audit.action)).scalars().all()
        assert sessions.username_of(connection, "session", NOW, idle_minutes=15, absolute_hours=12)


def test_the_command_says_what_ended_and_the_doctor_how_old_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = f"sqlite:///{tmp_path / 'p.sqlite'}"
    monkeypatch.setenv("SUPERVISION_DB", db)
    said = CliRunner().invoke(cli, ["secrets", "rotate"])
    assert said.exit_code == 0, said.output
    assert "Restart the app" in said.output
    settings = Settings(db=db)
    kept = json.loads(path_of(settings).read_text("utf-8"))
    assert kept["cookie"] not in said.output
    kept["made"]["links"] = (date.today() - timedelta(days=800)).isoformat()
    path_of(settings).write_text(json.dumps(kept), "utf-8")
    words = next(one.words for one in examine(settings) if one.what == "secrets")
    assert "secrets rotate" in words
    assert kept["links"] not in words


@pytest.mark.parametrize("why", [errno.ENOSPC, errno.EROFS])
def test_where_the_disk_takes_nothing_secrets_last_as_long_as_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: int
) -> None:
    settings = Settings(secrets_file=str(tmp_path / "s.json"))

    def refused(*_arguments: object) -> int:
        raise OSError(why, os.strerror(why))

    monkeypatch.setattr(secrets_store.os, "open", refused)
    assert cookie_secret(settings) == cookie_secret(settings)
    assert link_secret(settings) != cookie_secret(settings)
    with pytest.raises(SupervisionError, match="no new secrets"):
        put_new(settings, NAMES)
    monkeypatch.undo()
    assert not (tmp_path / "s.json").exists()
