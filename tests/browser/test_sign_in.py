"""Signing in end to end in a real browser: single sign-on against a real provider, the second factor, known browsers."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.error import URLError

import pyotp
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import Engine

from dashboard.access import Role
from dashboard.signin.passwords import hashed
from queries import people, practices
from queries.engine import open_engine, reading, writing
from queries.schema import migrate
from queries.tables import Audit, UserSession
from tests.browser.conftest import ROOT, serving

pytestmark = pytest.mark.browser
PASSWORD = "seven grey herons"
DOMAIN = "practice.example"
WAIT = 30_000
PEOPLE = {"ruth": Role.DIRECTOR, "sam": Role.ADMIN, "gone": Role.ADMIN}
LEFT_BY_STREAMLIT = re.compile("^_streamlit_user")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_provider(port: int) -> subprocess.Popen[bytes]:
    """An OpenID provider in a process of its own: discovery, code flow, signed tokens."""
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    until = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"http://localhost:{port}/.well-known/openid-configuration", timeout=2)
            return process
        except (URLError, ConnectionError, TimeoutError):
            assert process.poll() is None
            assert time.monotonic() < until, "the provider did not come up"
            time.sleep(0.2)


def settings_for(providers_port: int, port: int) -> dict[str, str]:
    """What a practice sets for single sign-on, but for the client secret."""
    return {
        "SUPERVISION_TIMEZONE": "UTC",
        "SUPERVISION_OIDC_DISCOVERY_URL": f"http://localhost:{providers_port}/.well-known/openid-configuration",
        "SUPERVISION_OIDC_CLIENT_ID": "supervision",
        "SUPERVISION_OIDC_REDIRECT_URI": f"http://localhost:{port}/oauth2callback",
        "SUPERVISION_OIDC_LABEL": "Heron House",
    }


@dataclass
class Site:
    """The served practice, its database, and the provider's address."""

    url: str
    engine: Engine
    port: int
    process: subprocess.Popen[bytes]

    @property
    def provider(self) -> str:
        return f"http://localhost:{self.port}"

    def stop_provider(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def knows(self, sub: str, **claims: Any) -> None:
        """Tells the provider about somebody."""
        request = urllib.request.Request(
            f"{self.provider}/users/{sub}",
            json.dumps(claims).encode(),
            {"content-type": "application/json"},
            method="PUT",
        )
        urllib.request.urlopen(request, timeout=10)

    def sessions(self) -> int:
        with reading(self.engine) as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(UserSession)).scalar_one())

    def allow(self, username: str, allowed: bool) -> None:
        now = datetime.now(UTC).replace(tzinfo=None)
        with writing(self.engine) as connection:
            people.set_active(connection, practice_id=1, username=username, active=allowed, now=now, actor="test")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A practice whose directors need a second factor unless the provider saw to it."""
    home = tmp_path_factory.mktemp("sign-in")
    db = f"sqlite:///{home / 'p.sqlite'}"
    engine = open_engine(db)
    migrate(engine)
    now = datetime.now(UTC).replace(tzinfo=None)
    secret = hashed(PASSWORD)
    with writing(engine) as connection:
        practice_id = practices.ensure_practice(connection, "Heron House", now)
        for name, role in PEOPLE.items():
            people.add_user(
                connection, practice_id=practice_id, username=name, role=role, clinician_id=None, password_hash=secret,
                must_change=name == "sam", now=now, actor="test", email=f"{name}@{DOMAIN}",
            )  # fmt: skip
        people.set_active(connection, practice_id=practice_id, username="gone", active=False, now=now, actor="test")
    providers_port, port = free_port(), free_port()
    client_secret = home / "client-secret"
    client_secret.write_text("known to both\n")
    client_secret.chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings_for(providers_port, port).items():
            patch.setenv(name, value)
        patch.setenv("SUPERVISION_OIDC_CLIENT_SECRET_FILE", str(client_secret))
        patch.setenv("SUPERVISION_SECOND_FACTOR_ROLES", "director")
        with serving(db, home, port) as url:
            found = Site(url, engine, providers_port, start_provider(providers_port))
            yield found
            found.stop_provider()
    engine.dispose()


@pytest.fixture
def window(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


def form(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.get_by_label("User name").wait_for(timeout=WAIT)


def by_provider(page: Page, site: Site, sub: str) -> None:
    form(page, site)
    page.get_by_role("button", name="Sign in with Heron House").click()
    page.locator("input[name=sub]").fill(sub, timeout=WAIT)
    page.get_by_role("button", name="Authorize").click()


def by_password(page: Page, site: Site, username: str) -> None:
    form(page, site)
    page.get_by_label("User name").fill(username)
    page.locator("input[type=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def signed_in(page: Page) -> None:
    page.get_by_role("button", name="Sign out").wait_for(timeout=WAIT)


def cookies(window: BrowserContext) -> dict[str, Any]:
    return {str(one["name"]): one for one in window.cookies()}


def until(what: Any) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_verified_address_opens_the_session_of_its_person_and_leaves_nothing_of_streamlits(
    window: BrowserContext, site: Site
) -> None:
    site.knows("r1", email=f"Ruth@{DOMAIN}".upper(), email_verified=True)
    page = window.new_page()
    by_provider(page, site, "r1")
    signed_in(page)
    until(lambda: "supervision_session" in cookies(window))
    held = cookies(window)
    assert not [name for name in held if LEFT_BY_STREAMLIT.match(name)]
    assert held["supervision_session"]["httpOnly"]
    assert held["supervision_session"]["sameSite"] == "Strict"
    page.reload()
    signed_in(page)
    with reading(site.engine) as connection:
        last = connection.execute(
            sa.select(Audit.username, Audit.action, Audit.detail)
            .where(Audit.action == "sign_in")
            .order_by(Audit.id.desc())
        ).first()
    assert last is not None
    assert tuple(last) == ("ruth", "sign_in", "provider")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("User name").wait_for(timeout=WAIT)
    page.reload()
    page.get_by_label("User name").wait_for(timeout=WAIT)
    page.wait_for_timeout(500)
    assert page.get_by_role("button", name="Sign out").count() == 0, "nothing signs in again by itself"
    by_provider(page, site, "r1")
    signed_in(page)


def test_streamlits_own_cookie_opens_nothing_a_second_time(
    browser: Browser, window: BrowserContext, site: Site
) -> None:
    site.knows("r2", email=f"ruth@{DOMAIN}", email_verified=True)
    page = window.new_page()
    stolen: list[Any] = []

    def keep(response: Any) -> None:
        if "/oauth2callback" in response.url:
            stolen.extend(one for one in response.headers_array() if one["name"].lower() == "set-cookie")

    page.on("response", keep)
    by_provider(page, site, "r2")
    signed_in(page)
    until(lambda: "supervision_session" in cookies(window))
    before = site.sessions()
    thief = browser.new_context()
    for one in stolen:
        name, value = one["value"].split(";")[0].split("=", 1)
        if value.strip('"'):
            thief.add_cookies([{"name": name, "value": value, "url": site.url}])
    assert [one for one in thief.cookies() if LEFT_BY_STREAMLIT.match(str(one["name"]))]
    other = thief.new_page()
    form(other, site)
    other.wait_for_timeout(1_000)
    assert other.get_by_role("button", name="Sign out").count() == 0
    assert site.sessions() == before
    until(lambda: not [one for one in thief.cookies() if LEFT_BY_STREAMLIT.match(str(one["name"]))])
    thief.close()


def test_anybody_else_is_refused_in_words(window: BrowserContext, site: Site) -> None:
    verified = "does not say that your e-mail address is verified"
    nobody = "nobody who may sign in here has that address"
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("u1", {"email": f"ruth@{DOMAIN}", "email_verified": False}, verified),
        ("u2", {"email": f"ruth@{DOMAIN}"}, verified),
        ("u3", {"email": "stranger@elsewhere.example", "email_verified": True}, nobody),
        ("u4", {"email": f"gone@{DOMAIN}", "email_verified": True}, nobody),
    ]
    before = site.sessions()
    page = window.new_page()
    for sub, claims, said in cases:
        site.knows(sub, **claims)
        by_provider(page, site, sub)
        expect(page.get_by_text(said)).to_be_visible(timeout=WAIT)
        assert page.get_by_role("button", name="Sign out").count() == 0
        assert site.sessions() == before
        until(lambda: not [name for name in cookies(window) if LEFT_BY_STREAMLIT.match(name)])
    with reading(site.engine) as connection:
        assert {one[0] for one in people.list_users(connection, 1)} == set(PEOPLE)


def test_what_goes_wrong_at_the_provider_is_told_in_words(window: BrowserContext, site: Site) -> None:
    page = window.new_page()
    form(page, site)
    page.get_by_role("button", name="Sign in with Heron House").click()
    page.get_by_role("button", name="Deny").click(timeout=WAIT)
    expect(page.get_by_text("did not finish")).to_be_visible(timeout=WAIT)
    site.stop_provider()
    page.get_by_role("button", name="Sign in with Heron House").click()
    expect(page.get_by_text("Heron House cannot be reached")).to_be_visible(timeout=WAIT)
    assert "provider=" not in page.url
    site.process = start_provider(site.port)


def test_disabling_somebody_ends_what_the_provider_opened(window: BrowserContext, site: Site) -> None:
    site.knows("s1", email=f"sam@{DOMAIN}", email_verified=True)
    page = window.new_page()
    by_provider(page, site, "s1")
    signed_in(page)
    until(lambda: "supervision_session" in cookies(window))
    site.allow("sam", False)
    page.goto(f"{site.url}/data-quality")
    page.get_by_label("User name").wait_for(timeout=WAIT)
    by_provider(page, site, "s1")
    expect(page.get_by_text("nobody who may sign in here has that address")).to_be_visible(timeout=WAIT)
    site.allow("sam", True)


def test_a_password_alone_opens_nothing_where_a_second_factor_is_asked_for(window: BrowserContext, site: Site) -> None:
    page = window.new_page()
    by_password(page, site, "ruth")
    page.get_by_text("Set up your second factor").wait_for(timeout=WAIT)
    until(lambda: "supervision_session" in cookies(window))
    for path in ("download/anything", "assets/plotly.min.js"):
        assert page.request.get(f"{site.url}/{path}").status == 403
    page.goto(f"{site.url}/outcomes")
    page.get_by_text("Set up your second factor").wait_for(timeout=WAIT)
    secret = re.sub(r"\s", "", page.locator("code").first.inner_text())
    assert page.locator("img.qr").evaluate("one => one.naturalWidth") > 100
    page.get_by_label("Code that the app shows now").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("button", name="I have kept them").wait_for(timeout=WAIT)
    codes = page.locator("[data-testid=stCode]").inner_text().split()
    page.get_by_role("button", name="I have kept them").click()
    signed_in(page)
    assert page.request.get(f"{site.url}/assets/plotly.min.js").status == 200
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("User name").wait_for(timeout=WAIT)
    before = site.sessions()
    window.clear_cookies(name="supervision_session")
    by_password(page, site, "ruth")
    page.get_by_label("Code").wait_for(timeout=WAIT)
    page.wait_for_timeout(300)
    assert "supervision_session" not in cookies(window)
    assert site.sessions() == before
    page.goto(f"{site.url}/outcomes")
    page.get_by_label("User name").wait_for(timeout=WAIT)
    by_password(page, site, "ruth")
    page.get_by_label("Code").fill(codes[0], timeout=WAIT)
    page.get_by_role("button", name="Sign in", exact=True).click()
    signed_in(page)
    until(lambda: "supervision_session" in cookies(window))
    device = [one for name, one in cookies(window).items() if name.startswith("supervision_device_")]
    assert len(device) == 1
    assert device[0]["httpOnly"]
    assert device[0]["sameSite"] == "Strict"
    assert "supervision_" not in page.evaluate("document.cookie")
    page.get_by_role("link", name="ruth, your sign-in").click()
    expect(page.get_by_text("You have 9 recovery codes")).to_have_count(0)
    page.get_by_role("heading", name="Where you are signed in").wait_for(timeout=WAIT)
    expect(page.get_by_text("Chrome on Linux (this one)")).to_be_visible()
