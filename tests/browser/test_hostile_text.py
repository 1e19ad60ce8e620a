"""A practice full of hostile text in a real browser: nothing runs, nothing is fetched, nothing sticks out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import text

from dashboard.access import Role
from pages import PAGES, can_open
from queries.engine import open_engine, writing
from tests.browser.conftest import Served, go, open_page, serving, settled
from tests.hostile import HOSTILE, own_instruments, spoil

pytestmark = pytest.mark.browser
EPISODES: list[str] = []  # of the longest code and of one that is markup, known once the practice is there


@pytest.fixture(scope="module")
def spoiled(demo: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A copy of the demo practice with every text everywhere, served."""
    home = tmp_path_factory.mktemp("hostile")
    served_from = next(tmp_path_factory.getbasetemp().glob("demo*/demo.sqlite"))
    with sqlite3.connect(served_from) as source, sqlite3.connect(home / "practice.sqlite") as target:
        source.backup(target)
    db = f"sqlite:///{home / 'practice.sqlite'}"
    engine = open_engine(db)
    with writing(engine) as connection:
        for number in range(1, len(HOSTILE) + 1):
            connection.execute(
                text(
                    'INSERT INTO set_aside (id, practice_id, source, import_id, file, line, "column", value, reason, fingerprint)'
                    " SELECT 90000 + :n, practice_id, 'x', id, 'x', 1, 'x', 'x', 'x', :n FROM import LIMIT 1"
                ),
                {"n": number},
            )
        own_instruments(connection)
        spoil(connection)
        for sign in ("zqlong%", "%zqpicture%"):
            statement = "SELECT e.public_id FROM episode e JOIN client c ON c.id = e.client_id WHERE client_code LIKE :x LIMIT 1"
            EPISODES.extend(row[0] for row in connection.execute(text(statement), {"x": sign}))
    engine.dispose()
    with serving(db, home) as url:
        yield Served(url, demo.passwords, demo.roles)


def unharmed(page: Page, where: str) -> None:
    assert page.evaluate("window.zqRan") is None, where
    assert page.trouble == [], where  # type: ignore[attr-defined]
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, where
    assert page.locator('a[href^="javascript:"], [onerror], [onload], [onmouseover]').count() == 0, where
    links = page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.href)")
    own = page.url.split("/")[2]
    assert [one for one in links if one.startswith("mailto:") or ("//" in one and one.split("/")[2] != own)] == [], (
        where
    )


@pytest.mark.parametrize(("role", "width"), [("director", 1280), ("supervisor", 390), ("admin", 1280)])
def test_nothing_runs_nothing_is_fetched_and_nothing_sticks_out(
    browser: Browser, spoiled: Served, role: str, width: int
) -> None:
    page = open_page(browser, spoiled, spoiled.of_role(role), width=width)
    page.on("dialog", lambda dialog: (page.trouble.append(f"dialog {dialog.message}"), dialog.dismiss()))  # type: ignore[attr-defined]
    looked_at = [one for one in PAGES if can_open(Role(role), one) and one.in_menu and one.name != "about_signals"]
    addresses = [one.url for one in looked_at] + [f"episode?episode={one}" for one in EPISODES if role == "director"]
    for address in addresses:
        go(page, spoiled, address)
        page.evaluate("document.querySelectorAll('details').forEach(one => (one.open = true))")
        page.wait_for_timeout(300)
        unharmed(page, f"{role} {address}")


def test_what_was_typed_stands_in_a_message_as_it_was_typed(browser: Browser, spoiled: Served) -> None:
    page = open_page(browser, spoiled, spoiled.of_role("admin"))
    go(page, spoiled, "people")
    page.get_by_text("Add a person").click()
    for name, typed in (
        ("directive", ":red[zq] :material/lock: :smile: $x$ -> --"),
        ("address", "http://outside.example www.x.yz a@b.cd"),
        ("link", "[a](javascript:x) ![b](http://x.y) `c` <b>"),
    ):
        page.get_by_role("textbox", name="User name").fill(typed[:40])
        page.get_by_role("button", name="Add", exact=True).click()
        settled(page)
        alert = page.locator('[data-testid="stAlert"]')
        alert.wait_for()
        assert f"'{typed[:40].strip()}' cannot be a user name" in alert.inner_text().replace("\u2060", ""), name
        assert alert.locator("a, img, code, b, .katex").count() == 0, name
        unharmed(page, name)
