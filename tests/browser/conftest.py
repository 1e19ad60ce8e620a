"""A served practice in a real Chromium."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 120  # a busy machine
# Streamlit asks for its own health below the page's address on deep links; the answer is a harmless 404
HARMLESS = ("status of 404",)


@dataclass
class Served:
    """A running server: its address, and who may sign in (user name to password)."""

    url: str
    passwords: dict[str, str]
    roles: dict[str, str] = field(default_factory=dict)
    home: Path | None = None  # of its database and logs

    def said(self) -> str:
        """Everything that the server wrote: standard output, standard error and its log file."""
        assert self.home is not None
        return "".join((self.home / name).read_text("utf-8", "replace") for name in ("served.log", "served.jsonl"))

    def of_role(self, role: str) -> str:
        """The first person of a role."""
        return next(name for name, has in self.roles.items() if has == role)


def supervision(*arguments: str, db: str, home: Path, given: str | None = None) -> str:
    """Runs a command and returns what it printed."""
    environment = os.environ | {"SUPERVISION_DB": db, "XDG_DATA_HOME": str(home)}
    ran = subprocess.run(
        [sys.executable, "-m", "dashboard", *arguments], env=environment, cwd=home, capture_output=True, text=True,
        input=given, check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode in (0, 3), ran.stdout + ran.stderr
    return ran.stdout


@contextmanager
def serving(db: str, home: Path, port: int | None = None) -> Iterator[str]:
    """Serves a database on a free port, or on a given one, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = port or int(probe.getsockname()[1])
    environment = os.environ | {
        "SUPERVISION_DB": db, "XDG_DATA_HOME": str(home), "SUPERVISION_LOG_FORMAT": "json",
        "SUPERVISION_LOG_FILE": str(home / "served.jsonl"),
    }  # fmt: skip
    with (home / "served.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard", "serve", "--port", str(port)],
            env=environment,
            cwd=home,
            stdout=log,
            stderr=log,
        )
        try:
            url = f"http://localhost:{port}"
            deadline = time.monotonic() + WAIT_SECONDS
            while True:
                try:
                    urllib.request.urlopen(f"{url}/healthz", timeout=2)
                    break
                except (URLError, ConnectionError, TimeoutError):
                    assert process.poll() is None, (home / "served.log").read_text("utf-8", "replace")
                    assert time.monotonic() < deadline, "the server did not come up"
                    time.sleep(0.2)
            yield url
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One Chromium for all."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo practice, served from a folder that is not the project's."""
    home = tmp_path_factory.mktemp("demo")
    db = f"sqlite:///{home / 'demo.sqlite'}"
    lines = supervision("demo", "--no-serve", "--episodes", "200", "--clinicians", "8", db=db, home=home).splitlines()
    people = [line.split() for line in lines[1:]]
    with serving(db, home) as url:
        yield Served(url, {name: word for _, name, word in people}, {name: role for role, name, _ in people}, home)


def open_page(
    browser: Browser, served: Served, username: str | None, *, scheme: str = "light", width: int = 1280
) -> Page:
    """A fresh browser window, signed in, that fails the test on any console error or request to the outside."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    trouble: list[str] = []
    page.on(
        "console",
        lambda m: trouble.append(m.text) if m.type == "error" and not any(h in m.text for h in HARMLESS) else None,
    )
    page.on("pageerror", lambda error: trouble.append(str(error)))
    host = served.url.split("//")[1]
    page.on(
        "request",
        lambda r: (
            None
            if r.url.startswith(("data:", "blob:")) or host == r.url.split("/")[2]
            else trouble.append(f"outside: {r.url}")
        ),
    )
    page.on("websocket", lambda one: None if one.url.split("/")[2] == host else trouble.append(f"outside: {one.url}"))
    page.trouble = trouble  # type: ignore[attr-defined]
    page.goto(served.url)
    if username:
        sign_in(page, username, served.passwords[username])
        settled(page)
    return page


def sign_in(page: Page, username: str, password: str) -> None:
    """Fills the form as soon as it is there, and sends it once."""
    page.get_by_label("User name").fill(username)
    page.locator("input[type=password]").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for(timeout=30_000)


def settled(page: Page) -> None:
    """Waits until the page has drawn what this run gives: the footer is its last part."""
    page.get_by_text("Do not wait for supervision if someone may be at risk: follow").wait_for(timeout=30_000)
    # no wait_for_function: it evaluates text inside the page, which the content policy forbids
    expect(page.locator("[data-test-script-state=running]")).to_have_count(0, timeout=30_000)
    page.wait_for_timeout(400)


def go(page: Page, served: Served, path: str) -> None:
    """Opens an address by hand, as a reload would."""
    page.goto(f"{served.url}/{path}")
    settled(page)
