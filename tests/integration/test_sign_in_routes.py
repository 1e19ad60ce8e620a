"""Outside the pages: the route that hands cookies over, the provider's answers, whose word counts for an address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboard import runtime
from dashboard.access import Role, Viewer
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.secrets_store import cookie_secret
from dashboard.settings import Settings, load
from dashboard.signin import provider
from dashboard.signin.cookie import device_cookie_name
from dashboard.signin.routes import ProviderWords
from dashboard.web.doors import Doors
from dashboard.web.guard import Guard
from dashboard.web.listening import server_config
from dashboard.web.routes import WAYS
from queries import devices, people, practices, second_factors, sessions
from queries.engine import reading, writing
from queries.tables import Audit, User

NOW = datetime(2026, 11, 20, 9)
AT = 1_800_000_000.0
SETTINGS = Settings(timezone="UTC", oidc_label="Heron House")
EMAIL = "ada@practice.example"
CLAIMS = {
    "is_logged_in": True, "provider": provider.NAME, "iss": "https://p.example", "sub": "1", "aud": "us", "iat": AT - 5,
    "nonce": "n", "email": EMAIL.upper(), "email_verified": True,
}  # fmt: skip
ADA = Viewer("ada", Role.DIRECTOR, 1)


@pytest.fixture
def ada(engine: Engine) -> Iterator[Engine]:
    """A practice with one director, in use by the routes."""
    with writing(engine) as connection:
        practice_id = practices.ensure_practice(connection, "P", NOW)
        people.add_user(
            connection, practice_id=practice_id, username="ada", role=Role.DIRECTOR, clinician_id=None, password_hash="x",
            must_change=False, now=NOW, actor="test", email=EMAIL,
        )  # fmt: skip
    runtime.configure(replace(SETTINGS, oidc_discovery_url="https://p.example/known"), engine)
    yield engine
    runtime.forget()


async def _away(_request: Request) -> Response:
    return PlainTextResponse("Authentication error", 400)


async def _called_back(request: Request) -> Response:
    answer = RedirectResponse("/", 302)
    match request.query_params.get("state"):
        case "good":
            answer.set_cookie("_streamlit_user", "signed", max_age=2_592_000)
        case "cleared":
            answer.delete_cookie("_streamlit_user")
    return answer


class Window:
    """A browser of the routes alone: it keeps cookies and follows no redirect."""

    def __init__(self, app: Starlette, base: str) -> None:
        self.app, self.base, self.cookies = app, base, httpx.Cookies()

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=self.base, cookies=self.cookies) as window:
                answer = await window.request(method, path, **more)
                self.cookies = window.cookies
                return answer

        return asyncio.run(asked())

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("POST", path, **more)

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", path)


def client(base: str = "http://localhost") -> Window:
    routes = [
        *(way.route() for way in WAYS),
        Route("/auth/login", _away),
        Route("/oauth2callback", _called_back),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, doors=Doors(tuple(way.address for way in WAYS))), Middleware(ProviderWords)],
    )
    return Window(app, base)


def started(engine: Engine, code: str = "code") -> None:
    with writing(engine) as connection:
        sessions.start(connection, "ada", f"of {code}", code, runtime.settings().now())


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, "code", 200),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, "code", 200),
        ({"sec-fetch-site": "same-site", "origin": "http://localhost"}, "code", 403),
        ({"sec-fetch-site": "cross-site"}, "code", 403),
        ({"origin": "https://elsewhere.example"}, "code", 403),
        ({}, "another", 403),
        ({}, "", 403),
        ({}, "x" * 300, 413),
        ({}, "\xff", 403),
    ],
)
def test_a_code_is_taken_from_our_own_page_only(ada: Engine, headers: dict[str, str], body: str, status: int) -> None:
    started(ada)
    answer = client().post("/session/bind", content=body.encode("latin-1"), headers=headers)
    assert answer.status_code == status
    assert ("set-cookie" in answer.headers) is (status == 200)


def test_a_code_is_taken_once_and_brings_a_session_and_a_known_browser(ada: Engine) -> None:
    started(ada)
    browser = client()
    assert browser.post("/session/bind", content="code").status_code == 200
    session, device = browser.cookies["supervision_session"], browser.cookies[device_cookie_name("ada")]
    now = runtime.settings().now()
    with reading(ada) as connection:
        live = sessions.username_of(connection, session, now, idle_minutes=15, absolute_hours=12)
        assert live is not None
        assert live.username == "ada"
        assert devices.known(connection, "ada", device, now) is not None
    assert browser.post("/session/bind", content="code").status_code == 403
    assert browser.cookies["supervision_session"] == session
    started(ada, "next")
    browser.post("/session/bind", content="next")
    assert browser.cookies["supervision_session"] != session
    assert browser.cookies[device_cookie_name("ada")] == device


def test_cookies_are_out_of_reach_and_over_tls_nobody_elses(ada: Engine) -> None:
    runtime.configure(replace(SETTINGS, tls=True), ada)
    started(ada)
    answer = client("https://testserver").post("/session/bind", content="code")
    for line in answer.headers.get_list("set-cookie"):
        assert line.startswith("__Host-supervision_")
        assert {"HttpOnly", "Path=/", "SameSite=strict", "Secure"} <= set(line.split("; "))


def test_the_providers_cookies_go_with_the_session_and_with_a_refusal(ada: Engine) -> None:
    started(ada)
    held = ("_streamlit_user", "_streamlit_user_1", "_streamlit_user_tokens", "_streamlit_xsrf")
    sent = {"cookie": "; ".join(f"{name}=x" for name in held)}
    for path, body in (("/session/bind", "code"), ("/session/drop-provider", "")):
        answer = client().post(path, content=body, headers=sent)
        gone = {line.split("=")[0] for line in answer.headers.get_list("set-cookie") if "Max-Age=0" in line}
        assert gone == set(held) - {"_streamlit_xsrf"}
    assert client().post("/session/drop-provider", headers={"origin": "https://else.example"}).status_code == 403


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/auth/login", "/?provider=away"),
        ("/oauth2callback?state=good", "/"),
        ("/oauth2callback?state=cleared", "/?provider=unfinished"),
        ("/oauth2callback?error=access_denied", "/?provider=unfinished"),
    ],
)
@pytest.mark.usefixtures("ada")
def test_what_ends_in_an_error_at_the_provider_leads_back_to_words(path: str, leads_to: str) -> None:
    answer = client().get(path)
    assert (answer.status_code, answer.headers["location"], answer.text) == (302, leads_to, "")


@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout", "/oauth2callback?state=good"])
def test_where_there_is_no_provider_its_ways_are_closed(ada: Engine, path: str) -> None:
    runtime.configure(SETTINGS, ada)
    assert client().get(path).status_code == 404


@pytest.mark.parametrize(
    ("change", "fresh"),
    [
        ({}, True),
        ({"email_verified": "true"}, True),
        ({"iat": AT + provider.FRESH_SECONDS}, True),
        ({"iat": AT - provider.FRESH_SECONDS - 1}, False),
        ({"iat": AT + provider.FRESH_SECONDS + 1}, False),
        ({"iat": None}, False),
        ({"is_logged_in": False}, False),
        ({"provider": "another"}, False),
        ({"provider": None}, False),
    ],
)
def test_an_answer_counts_while_it_is_fresh_and_ours(change: dict[str, Any], fresh: bool) -> None:
    assert (provider.answer_in(CLAIMS | change, "X", AT) is not None) is fresh


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"email_verified": False}, "is verified"),
        ({"email_verified": None}, "is verified"),
        ({"email_verified": "false"}, "is verified"),
        ({"email_verified": 1}, "is verified"),
        ({"email": None}, "did not say"),
        ({"email": "nobody"}, "did not say"),
    ],
)
def test_an_answer_without_a_verified_address_is_refused_in_words(change: dict[str, Any], said: str) -> None:
    with pytest.raises(NotAllowed, match=said):
        provider.answer_in(CLAIMS | change, "Heron House", AT)


def test_an_answer_lets_its_person_in_once_however_many_ask_at_once(ada: Engine) -> None:
    answer = provider.answer_in(CLAIMS, "X", AT)
    assert answer is not None
    with ThreadPoolExecutor(5) as pool:
        found = list(pool.map(lambda _: provider.accept(ada, SETTINGS, answer, NOW), range(5)))
    assert [one.person.username for one in found if one is not None] == ["ada"]
    other = provider.answer_in(CLAIMS | {"nonce": "another"}, "X", AT)
    assert other is not None
    assert provider.accept(ada, SETTINGS, other, NOW) is not None


def test_nobody_is_added_and_a_stranger_is_noted_without_a_name(ada: Engine) -> None:
    answer = provider.answer_in(CLAIMS | {"email": "stranger@elsewhere.example"}, "X", AT)
    assert answer is not None
    with pytest.raises(NotAllowed, match=r"You are stranger@elsewhere\.example"):
        provider.accept(ada, SETTINGS, answer, NOW)
    with reading(ada) as connection:
        assert connection.execute(sa.select(User.username)).scalars().all() == ["ada"]
        last = connection.execute(sa.select(Audit.username, Audit.action).order_by(Audit.id.desc())).first()
    assert last is not None
    assert tuple(last) == ("unknown", "refuse sign_in")


def test_missing_libraries_are_told_before_anything_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = replace(SETTINGS, oidc_discovery_url="https://p.example/.well-known/openid-configuration")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    provider.check_installed(SETTINGS)
    with pytest.raises(UnusableInput, match="extra 'sso'"):
        provider.check_installed(wanted)


def test_words_about_the_provider_begin_like_sentences() -> None:
    assert provider.in_words(provider.AWAY, "your organisation").startswith("Your organisation cannot be reached")


@pytest.mark.parametrize(("whose", "asked"), [("provider", False), ("here", True)])
def test_a_second_factor_is_the_providers_matter_unless_the_practice_says_here(
    ada: Engine, whose: str, asked: bool
) -> None:
    with writing(ada) as connection:
        user = connection.execute(sa.select(User.id)).scalar_one()
        second_factors.offer(connection, user, "GEZDGNBVGY3TQOJQ", NOW)
        assert second_factors.confirm(connection, user, "GEZDGNBVGY3TQOJQ", 1, NOW)
    answer = provider.answer_in(CLAIMS, "X", AT)
    assert answer is not None
    accepted = provider.accept(ada, replace(SETTINGS, oidc_second_factor=whose), answer, NOW)
    assert accepted is not None
    assert accepted.needs_code is asked


def test_what_streamlit_is_told_is_alike_in_every_process_and_stays_in_memory(ada: Engine, tmp_path: Path) -> None:
    kept = tmp_path / "client-secret"
    kept.write_text("known to both\n")
    kept.chmod(0o600)
    given = {
        "SUPERVISION_OIDC_DISCOVERY_URL": "https://p.example/.well-known/openid-configuration",
        "SUPERVISION_OIDC_CLIENT_ID": "us",
        "SUPERVISION_OIDC_CLIENT_SECRET_FILE": str(kept),
        "SUPERVISION_OIDC_REDIRECT_URI": "https://us.example/oauth2callback",
    }
    settings = load(given)
    settings = replace(settings, secrets_file=str(tmp_path / "secrets.json"))
    provider.hand_over(settings)
    word = cookie_secret(settings)
    told = provider.handed_over()
    assert told is not None
    assert told["auth"]["cookie_secret"] == word
    assert told["auth"][provider.NAME]["client_secret"] == "known to both"
    assert len(word) == 64
    assert "known to both" not in repr(settings) + repr(
        load(given | {"SUPERVISION_OIDC_CLIENT_SECRET": "known to both"})
    )
    kept.chmod(0o644)
    with pytest.raises(UnusableInput, match="chmod 600"):
        provider.hand_over(settings)
    provider.hand_over(SETTINGS)
    assert provider.handed_over() is None
    for name in (*given,):
        with pytest.raises(UnusableInput, match=r"[Ss]ingle sign-on"):
            load({key: value for key, value in given.items() if key != name})
    for name, wrong in (("DISCOVERY_URL", "http://p.example/x"), ("REDIRECT_URI", "https://us.example/other")):
        with pytest.raises(UnusableInput, match=name.lower()):
            load(given | {f"SUPERVISION_OIDC_{name}": wrong})


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "seen"),
    [
        ("", "127.0.0.1", "203.0.113.9", "127.0.0.1"),
        ("", "198.51.100.9", "203.0.113.9", "198.51.100.9"),
        ("127.0.0.1", "127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1, 10.0.0.0/8", "127.0.0.1", "192.0.2.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.9", "203.0.113.9", "198.51.100.9"),
        ("127.0.0.1", "127.0.0.1", None, "127.0.0.1"),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_an_address_is_the_last_hop_that_is_no_proxy_of_the_practice(
    monkeypatch: pytest.MonkeyPatch, trusted: str, peer: str, forwarded: str | None, seen: str, kind: str
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    found: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        found.append(scope["client"][0])

    config = server_config(app, Settings(trusted_proxies=trusted))
    config.load()
    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
    scope = {"type": kind, "client": (peer, 1), "headers": headers, "scheme": kind}
    asyncio.run(config.loaded_app(scope, None, None))  # type: ignore[arg-type]
    assert found == [seen]
