"""What an attacker tries on a served practice fails, each time it is tried."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.attacks import ATTACKS, Target, hostile_practice
from tests.browser.conftest import Served, serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def target(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A small practice of its own, with markup in its data: people are disabled in it and names are guessed."""
    home = tmp_path_factory.mktemp("attacked")
    db = f"sqlite:///{home / 'practice.sqlite'}"
    passwords, roles = hostile_practice(db, home)
    with serving(db, home) as url:
        yield Target(browser, Served(url, passwords, roles), db, home)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_tried_and_never_works(target: Target, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    count = ATTACKS[name](target)
    with capsys.disabled():
        print(f"\n{name}: tried {count.tried} times, worked {count.worked} times {count.what}", flush=True)
    assert count.tried > 0
    assert count.worked == 0
