"""Every page of every role, on PostgreSQL under the application's role, says what it says without row security."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

import pages
from dashboard import runtime
from dashboard.access import Role
from dashboard.settings import Settings
from queries import database_role
from queries.acting import Door, acting
from queries.backup import write_copy
from queries.engine import Opening, open_engine, reading, writing
from queries.restore import into_server
from queries.tables import User
from tests.conftest import postgres_copy
from tests.pages.conftest import SETTINGS, words

ROLE = "supervision_pages_app"
pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server(
    practice_file: Path, postgres_template: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    copy = tmp_path_factory.mktemp("copy") / "practice.backup"
    embedded = open_engine(f"sqlite:///{practice_file}")
    write_copy(embedded, copy, None, program="test", now=SETTINGS.now())
    embedded.dispose()
    with postgres_copy(postgres_template) as url:
        engine = open_engine(url)
        into_server(engine, None, copy, now=SETTINGS.now())
        with acting(Door.DATABASE), writing(engine) as connection:
            database_role.make_role(connection, ROLE)
        engine.dispose()
        yield url


def _said(url: str, role: str, sign_in: Callable[..., AppTest], username: str) -> dict[str, str]:
    engine = open_engine(url, Opening(role=role))
    runtime.configure(Settings(db=url, timezone="UTC"), engine)
    try:
        found = {}
        app = sign_in(username)
        for page in pages.PAGES:
            app.switch_page(str(Path(pages.__file__).with_name(f"{page.name}.py")))
            app.run()
            assert not app.exception, (page.name, app.exception)
            found[page.name] = re.sub(r"/download/[\w-]+", "", words(app))
        return found
    finally:
        engine.dispose()
        runtime.forget()


TELL_OF_THIS_VISIT = {"account", "my_visibility"}  # sessions and looks, of which each of the two visits adds some


@pytest.mark.parametrize("role", list(Role))
def test_every_page_says_the_same_under_row_security(server: str, sign_in: Callable[..., AppTest], role: Role) -> None:
    engine = open_engine(server)
    with reading(engine) as connection:
        username = str(
            connection.execute(select(User.username).where(User.role == role).order_by(User.id)).scalars().first()
        )
    engine.dispose()
    with_rules, without = (_said(server, taken, sign_in, username) for taken in (ROLE, ""))
    for name in set(without) - TELL_OF_THIS_VISIT:
        assert with_rules[name] == without[name], name
