"""A whole import undone on Data quality: a director's and an administrator's, after its counts were looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from queries.engine import reading, writing
from queries.store import store_batch
from queries.tables import Client, Import
from tests.imported import batch_of

PAGE = "data_quality"


def import_clients() -> int:
    now = datetime(2026, 11, 1, 9)
    rows = batch_of({"clients": [{"client_id": "by mistake"}, {"client_id": "<b>also</b>"}]})
    with writing(runtime.engine()) as connection:
        stored = store_batch(connection, 1, "**bold**", rows, today=now.date(), now=now, username=None)
    assert stored.import_id is not None
    return stored.import_id


def there() -> bool:
    with reading(runtime.engine()) as connection:
        return bool(connection.execute(sa.select(Client.id).where(Client.source_id == "by mistake")).first())


def press(app: AppTest, label: str) -> AppTest:
    return next(one for one in app.button if one.label == label).click().run()


@pytest.mark.usefixtures("practice")
@pytest.mark.parametrize("role", ["director", "admin"])
def test_an_import_is_undone_in_two_steps_and_then_listed_as_such(
    sign_in: Callable[..., AppTest], practice: Path, role: str
) -> None:
    number = import_clients()
    app = sign_in(role, PAGE)
    press(app, "Count what would change")
    assert any(one.value == "clients: 2 taken back" for one in app.text)
    assert there()
    press(app, "Leave it as it is")
    assert not any("taken back" in one.value for one in app.text)
    press(app, "Count what would change")
    press(app, f"Undo import number {number}")
    assert not app.exception
    assert not there()
    assert any(one.value == f"Import number {number} was undone." for one in app.text)
    with reading(runtime.engine()) as connection:
        undoing = connection.execute(sa.select(Import.undoes_id, Import.username).order_by(Import.id.desc())).first()
    assert undoing is not None
    assert undoing.undoes_id == number
    words = " ".join(one.proto.body for one in app.get("html"))
    assert f"undid number {number}" in words


@pytest.mark.usefixtures("practice")
def test_nobody_else_is_offered_it(sign_in: Callable[..., AppTest], practice: Path) -> None:
    app = sign_in("supervisor", PAGE)
    assert not any("Undo" in one.label for one in app.expander)
