"""``supervision demo``: the invented practice, built once into its own database, with people who can sign in.

The passwords are random per practice. They are kept in a private file beside the database, so that a second run can
print them again; the database itself holds only their hashes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, Engine

from dashboard.access import Role, operator_scope
from dashboard.demo.practice import build
from dashboard.demo.users import DemoUser, demo_users
from dashboard.evaluation import ensure_current
from dashboard.intake.batch import Batch
from dashboard.opening import opened
from dashboard.settings import Settings, data_folder
from dashboard.signals import risk_item
from dashboard.signin.passwords import hashed, random_password
from queries import audit, load, people, practices
from queries.engine import reading, writing
from queries.safety import store_checks
from queries.store import store_batch

NAME = "Harbour Street Practice (invented)"
SOURCE = "demo"
UNCHECKED = 15
Progress = Callable[[str, float], None] | None


@dataclass(frozen=True)
class BuiltDemo:
    """What to print: ``users`` as (role, user name, password)."""

    practice: str
    users: list[tuple[str, str, str]]
    built_now: bool

    def lines(self, port: int) -> list[str]:
        """The address and one line per person."""
        head = f"{self.practice}: {'built' if self.built_now else 'already here'}. Open http://localhost:{port}"
        width = max((len(name) for _, name, _ in self.users), default=0)
        return [head, *(f"{role:<10} {name:<{width}}  {password}" for role, name, password in self.users)]


def _passwords_file(settings: Settings, engine: Engine) -> Path:
    database = engine.url.database if engine.dialect.name == "sqlite" else None
    if database and database != ":memory:":
        return Path(database).with_suffix(".passwords.json")
    return data_folder() / f"{engine.url.database or 'demo'}.passwords.json"


def _write_private(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)  # one that others can read keeps its mode when it is written over
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)


def build_once(
    settings: Settings,
    *,
    seed: int,
    clinicians: int,
    episodes: int,
    now: datetime,
    progress: Progress = None,
) -> BuiltDemo:
    """The demo practice in this database, built if it is not there yet, and its people's passwords.

    Raises SupervisionError when the database cannot be opened or written.
    """
    with opened(settings) as engine:
        kept = _passwords_file(settings, engine)
        with reading(engine) as connection:
            known = practices.find_or_none(connection, NAME, NAME)
            there = known is not None and load.latest_import(connection, operator_scope(known)) is not None
        if there and known is not None and kept.is_file():
            users = [tuple(row) for row in json.loads(kept.read_text("utf-8"))]
            ensure_current(engine, settings, known, now)
            return BuiltDemo(NAME, users, built_now=False)
        if progress:
            progress("Inventing a practice", 0.1)
        batch = build(seed, clinicians, episodes, now.date())
        members = demo_users(batch)
        made = [(user, random_password()) for user in members]
        if progress:
            progress("Storing", 0.4)
        with writing(engine) as connection:
            practice_id = practices.ensure_practice(connection, NAME, now)
            store_batch(connection, practice_id, SOURCE, batch, today=now.date(), now=now, username=None)
            director = next(user.username for user in members if user.role is Role.DIRECTOR)
            store_checks(connection, practice_id, SOURCE, _checks(batch, now.date()), director)
            for user, password in made:
                _add(connection, practice_id, user, password, now)
            audit.record(
                connection, at=now, practice_id=practice_id, username="operator", action="import demo practice"
            )
        listed = [(str(user.role), user.username, password) for user, password in made]
        _write_private(kept, json.dumps(listed))
        if progress:
            progress("Evaluating", 0.7)
        ensure_current(engine, settings, practice_id, now)
        return BuiltDemo(NAME, listed, built_now=True)


def _checks(batch: Batch, today: date) -> list[tuple[str, str, date]]:
    """Most older risk answers were followed up and noted; one in fifteen, and those of the last week, were not."""
    answered = (
        batch.tables["scores"]
        .filter((pl.col("instrument") == "phq9") & (pl.col("scale") == "item_9") & (pl.col("value") > 0))
        .select("episode_id", "taken_on")
        .unique()
        .sort("taken_on", "episode_id")
        .rows()
    )
    recent = today - timedelta(days=7)
    return [
        (episode, risk_item.KEY, day)
        for place, (episode, day) in enumerate(answered)
        if day < recent and place % UNCHECKED
    ]


def _add(connection: Connection, practice_id: int, user: DemoUser, password: str, now: datetime) -> None:
    clinician = None if user.clinician_id is None else people.clinician_of(connection, practice_id, user.clinician_id)
    people.add_user(
        connection,
        practice_id=practice_id,
        username=user.username,
        role=user.role,
        clinician_id=clinician,
        password_hash=hashed(password),
        must_change=False,
        now=now,
        actor="operator",
    )
