"""The app in a test: a small invented practice, people of every role, and a way to be signed in."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import bcrypt
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.access import Role
from dashboard.demo.practice import build
from dashboard.demo.users import demo_users
from dashboard.evaluation import ensure_current
from dashboard.intake.batch import Batch
from dashboard.settings import Settings
from queries import people, practices, sessions
from queries.acting import Door, acting
from queries.engine import open_engine, writing
from queries.schema import migrate
from queries.store import store_batch

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
PASSWORD = "correct horse battery"
SETTINGS = Settings(timezone="UTC")


@pytest.fixture(scope="session")
def practice_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a small practice, evaluated today, and its people."""
    path = tmp_path_factory.mktemp("practice") / "practice.sqlite"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    now = SETTINGS.now()
    batch = _with_risk_answers(build(11, 8, 70, now.date()))
    cheap = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    with writing(engine) as connection:
        practice_id = practices.ensure_practice(connection, "Test practice", now)
        store_batch(connection, practice_id, "files", batch, today=now.date(), now=now, username=None)
        taken: set[str] = set()
        for user in demo_users(batch):
            username = user.username if user.role is Role.CLINICIAN or user.role.value in taken else user.role.value
            taken.add(username)
            linked = (
                None if user.clinician_id is None else people.clinician_of(connection, practice_id, user.clinician_id)
            )
            people.add_user(
                connection, practice_id=practice_id, username=username, role=user.role, clinician_id=linked,
                password_hash=cheap, must_change=False, now=now, actor="test",
            )  # fmt: skip
    ensure_current(engine, SETTINGS, practice_id, now)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


def _with_risk_answers(batch: Batch) -> Batch:
    """Item 9 above zero on the last day of an outcome score in a dozen episodes, whatever the day's draw of the practice."""
    scores = batch.tables["scores"]
    last = (
        scores.filter(pl.col("instrument") == "phq9")
        .sort("taken_on")
        .unique("episode_id", keep="last", maintain_order=True)
    )
    extra = last.sort("episode_id").head(12).with_columns(scale=pl.lit("item_9"), value=pl.lit(2.0))
    kept = scores.join(extra, on=["episode_id", "instrument", "scale", "taken_on"], how="anti")
    return Batch(batch.tables | {"scores": pl.concat([kept, extra])}, files=batch.files)


def _configure(path: Path) -> Iterator[Path]:
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    runtime.configure(Settings(db=f"sqlite:///{path}", timezone="UTC"), engine)
    yield path
    engine.dispose()
    runtime.forget()


@pytest.fixture
def practice(practice_file: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the practice for one test, in use by the app."""
    shutil.copy(practice_file, tmp_path / "practice.sqlite")
    yield from _configure(tmp_path / "practice.sqlite")


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    """An empty database in use by the app."""
    yield from _configure(tmp_path / "empty.sqlite")


@pytest.fixture
def sign_in() -> Callable[..., AppTest]:
    """Opens the app as somebody, on a page, with query parameters; the session is a real one."""

    def opened(username: str | None, page: str | None = None, **parameters: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=30)
        if username:
            session_id = secrets.token_urlsafe(16)
            now = runtime.settings().now()
            with acting(Door.SIGN_IN), writing(runtime.engine()) as connection:
                sessions.start(connection, username, session_id, secrets.token_urlsafe(8), now)
            app.session_state["_session_id"] = session_id
        for name, value in parameters.items():
            app.query_params[name] = value
        app.run()
        if page:
            app.switch_page(str(APP.parents[1] / "pages" / f"{page}.py"))
            for name, value in parameters.items():
                app.query_params[name] = value
            app.run()
        return app

    return opened


def words(app: AppTest) -> str:
    """Everything the page says, as HTML and text."""
    html = [element.proto.body for element in app.get("html")]
    component = [getattr(element.proto, "json", "") for element in app.get("bidi_component")]
    rest = [
        getattr(element, "value", "") or ""
        for kind in ("markdown", "caption", "error", "success", "text")
        for element in app.get(kind)
    ]
    return "\n".join([*html, *map(str, component), *map(str, rest)])
