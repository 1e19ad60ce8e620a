"""The erasure on Data quality: a director's, in two steps, the second of which asks for the id again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from queries.engine import reading
from queries.tables import Audit, Client, Episode

PAGE = "data_quality"


def closed_client() -> str:
    still = sa.select(Episode.client_id).where(Episode.closed_on.is_(None))
    with reading(runtime.engine()) as connection:
        return str(
            connection.execute(
                sa.select(Client.source_id)
                .join(Episode, Episode.client_id == Client.id)
                .where(Client.id.not_in(still))
                .order_by(Client.id)
                .limit(1)
            ).scalar_one()
        )


def there(client: str) -> bool:
    with reading(runtime.engine()) as connection:
        return bool(connection.execute(sa.select(Client.id).where(Client.source_id == client)).first())


def box(app: AppTest, label: str) -> int:
    return next(n for n, one in enumerate(app.text_input) if one.label.startswith(label))


def press(app: AppTest, label: str) -> AppTest:
    return next(one for one in app.button if one.label == label).click().run()


@pytest.mark.usefixtures("practice")
def test_a_director_erases_after_seeing_the_counts_and_typing_the_id_again(
    sign_in: Callable[..., AppTest], practice: Path
) -> None:
    client = closed_client()
    app = sign_in("director", PAGE)
    app.text_input[box(app, "The client's id")].set_value(client)
    press(app, "Count what would go")
    assert any("This would erase: 1 clients" in one.value for one in app.text)
    app.text_input[box(app, "The same id")].set_value("somebody else")
    press(app, "Erase for good")
    assert there(client)
    app.text_input[box(app, "The same id")].set_value(client)
    press(app, "Erase for good")
    assert not app.exception
    assert any(one.value.startswith("Erased: 1 clients") for one in app.text)
    assert not there(client)
    with reading(runtime.engine()) as connection:
        row = connection.execute(sa.select(Audit).where(Audit.action == "change erase")).one()
    assert row.username == "director"
    assert client not in row.detail


@pytest.mark.usefixtures("practice")
@pytest.mark.parametrize("who", ["supervisor", "admin"])
def test_nobody_else_is_offered_it(sign_in: Callable[..., AppTest], who: str) -> None:
    app = sign_in(who, PAGE)
    assert not app.exception
    assert "Count what would go" not in [one.label for one in app.button]
