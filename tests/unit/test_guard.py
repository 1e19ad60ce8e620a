"""Who may come in by which address, and what every answer carries."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from dashboard import runtime
from dashboard.access import Role, Viewer
from dashboard.errors import DatabaseUnavailable
from dashboard.settings import Settings
from dashboard.web import guard as guarding
from dashboard.web import policy
from dashboard.web.body import TooSlow, counted
from dashboard.web.doors import Doors
from dashboard.web.guard import MB, Guard, Refusal
from dashboard.web.headers import SecurityHeaders
from dashboard.web.hosts import host_allowed, origin_allowed
from dashboard.web.routes import WAYS
from dashboard.web.seldom import Seldom
from tests.asgi import Answer, ask, connect

LOCAL = Settings(db="sqlite://", max_upload_mb=1, max_connections_per_address=3)
BEHIND_TLS = replace(LOCAL, tls=True, allowed_hosts="care.example.org, *.branch.example.org")
UPLOAD = "/_stcore/upload_file/session/file"


class Inner:
    """What stands for Streamlit: reads all that is sent, answers 200, or raises."""

    def __init__(self) -> None:
        self.reached = 0
        self.error: Exception | None = None
        self.cookie = "_streamlit_xsrf=1; Path=/"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached += 1
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await receive()
            return
        while (await receive()).get("more_body"):
            pass
        if self.error is not None:
            raise self.error
        headers = [(b"cache-control", b"public, immutable"), (b"set-cookie", self.cookie.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"well"})


@pytest.fixture
def inner() -> Inner:
    return Inner()


@pytest.fixture
def app(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(runtime, "settings", lambda: LOCAL)
    return SecurityHeaders(Guard(inner, Doors(tuple(way.address for way in WAYS))))


@pytest.mark.parametrize(
    ("path", "method", "headers", "status"),
    [
        ("/", "GET", {}, 200),
        ("/caseload", "HEAD", {}, 200),
        ("/caseload", "POST", {}, 405),
        ("/static/js/index.js", "GET", {}, 200),
        ("/_stcore/health", "GET", {}, 200),
        ("/_stcore/health", "OPTIONS", {}, 405),
        ("/_stcore/stream", "GET", {}, 404),
        ("/_stcore/metrics", "GET", {}, 404),
        ("/_stcore/agent/interact", "POST", {}, 404),
        ("/media/anything.pdf", "GET", {}, 404),
        ("/component/x/y.js", "GET", {}, 404),
        ("/auth/login", "GET", {}, 404),
        ("/nowhere", "GET", {}, 404),
        ("/", "GET", {"host": "evil.example"}, 421),
        ("/", "GET", {"host": "localhost.evil.example"}, 421),
        ("/", "GET", {"host": "127.0.0.1:8501"}, 200),
        ("/", "GET", {"host": "[::1]:8501"}, 200),
        ("/", "GET", {"host": "localhost:8501; script-src *"}, 421),
        ("/healthz", "GET", {"host": "10.1.2.3"}, 200),
        ("/session/bind", "POST", {"origin": "http://localhost", "sec_fetch_site": "same-origin"}, 200),
        ("/session/bind", "POST", {"origin": "http://evil.example"}, 403),
        ("/session/bind", "POST", {"sec_fetch_site": "cross-site"}, 403),
        ("/session/bind", "GET", {}, 405),
        (UPLOAD, "GET", {}, 405),
        (UPLOAD, "PUT", {}, 403),
    ],
)
def test_a_request_comes_in_or_is_sent_away(
    app: Any, inner: Inner, path: str, method: str, headers: dict[str, str], status: int
) -> None:
    answer = ask(app, path, method=method, **headers)
    assert answer.status == status
    assert inner.reached == (status == 200)
    _carries_the_headers(answer, path)


def _carries_the_headers(answer: Answer, path: str) -> None:
    said = answer.headers
    assert {name: said.get(name) for name in policy.ALWAYS} == policy.ALWAYS
    assert "frame-ancestors 'none'" in said["content-security-policy"]
    program = path.startswith("/static/") and answer.status == 200
    assert said["cache-control"] == ("public, immutable" if program else "no-store")
    assert "strict-transport-security" not in said


def test_the_content_policy_lets_no_inline_script_no_evaluation_and_no_other_host_in(app: Any) -> None:
    said = ask(app, "/", host="localhost:8501").headers["content-security-policy"]
    parts = {one.split()[0]: one.split()[1:] for one in said.split("; ")}
    assert parts["default-src"] == ["'none'"]
    assert parts["connect-src"] == ["'self'", "ws://localhost:8501"]
    assert parts["style-src"] == ["'self'", "'unsafe-inline'"]
    assert {"'unsafe-inline'", "'unsafe-eval'", "'wasm-unsafe-eval'"}.isdisjoint(parts["script-src"])
    assert all(one in ("'self'", "blob:") or one.startswith("'sha256-") for one in parts["script-src"])
    assert "*" not in said


def test_behind_tls_pages_are_for_the_named_hosts_only_and_cookies_are_secure(
    app: Any, inner: Inner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "settings", lambda: BEHIND_TLS)
    answer = ask(app, "/", host="care.example.org")
    assert answer.status == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers["set-cookie"].endswith("; Secure")
    assert "wss://care.example.org" in answer.headers["content-security-policy"]
    inner.cookie = "a=b; secure; Path=/"
    assert ask(app, "/", host="care.example.org").headers["set-cookie"] == inner.cookie
    assert ask(app, "/", host="localhost").status == 421


@pytest.mark.parametrize(
    ("host", "settings", "allowed"),
    [
        ("localhost", LOCAL, True), ("LOCALHOST:1", LOCAL, True), ("127.9.9.9", LOCAL, True), ("10.0.0.1", LOCAL, False),
        ("care.example.org", LOCAL, False), (None, LOCAL, False), ("", LOCAL, False), ("a b", LOCAL, False),
        ("user@localhost", LOCAL, False), ("localhost/", LOCAL, False),
        ("care.example.org:443", BEHIND_TLS, True), ("care.example.org.", BEHIND_TLS, True),
        ("x.branch.example.org", BEHIND_TLS, True), ("branch.example.org", BEHIND_TLS, False),
        ("evilbranch.example.org", BEHIND_TLS, False),
        ("any.example", replace(LOCAL, host="0.0.0.0"), True), ("any.example", replace(LOCAL, tls=True), True),
    ],
)  # fmt: skip
def test_a_host_name_is_ours_or_not(host: str | None, settings: Settings, allowed: bool) -> None:
    assert host_allowed(host, settings) is allowed


@pytest.mark.parametrize(
    ("origin", "host", "settings", "allowed"),
    [
        ("http://localhost:8501", "localhost:8501", LOCAL, True),
        ("http://localhost:8502", "localhost:8501", LOCAL, False),
        ("http://127.0.0.1:8501", "localhost:8501", LOCAL, False),
        ("https://localhost:8501", "localhost:8501", LOCAL, False),
        ("http://evil.example", "localhost", LOCAL, False),
        ("null", "localhost", LOCAL, False),
        (None, "localhost", LOCAL, False),
        (None, "localhost", replace(LOCAL, require_origin=False), True),
        ("https://care.example.org", "care.example.org", BEHIND_TLS, True),
        ("http://care.example.org", "care.example.org", BEHIND_TLS, False),
    ],
)
def test_a_page_connects_from_our_own_site_only(
    origin: str | None, host: str, settings: Settings, allowed: bool
) -> None:
    assert origin_allowed(origin, host, settings) is allowed


def test_a_connection_from_elsewhere_without_origin_or_one_too_many_is_closed_before_it_opens(
    app: Any, inner: Inner
) -> None:
    async def story() -> tuple[list[int | None], list[int | None], int]:
        ends = asyncio.Event()
        ends.set()
        one = [
            await connect(app, path, ends, **headers)
            for path, headers in (
                ("/_stcore/stream", {"origin": "http://localhost"}),
                ("/_stcore/stream", {"origin": "http://evil.example"}),
                ("/_stcore/stream", {}),
                ("/_stcore/stream", {"origin": "http://evil.example", "host": "evil.example"}),
                ("/elsewhere", {"origin": "http://localhost"}),
                ("/caseload", {"origin": "http://localhost"}),
            )
        ]
        ends = asyncio.Event()
        many = [asyncio.create_task(connect(app, "/_stcore/stream", ends, origin="http://localhost")) for _ in range(5)]
        await asyncio.sleep(0)
        ends.set()
        crowd = [await task for task in many]
        after = await connect(app, "/_stcore/stream", ends, origin="http://localhost")
        return one, crowd, 0 if after is None else after

    alone, crowd, after = asyncio.run(story())
    assert alone == [None, 1008, 1008, 1008, 1008, 1008]
    assert crowd == [None, None, None, 1013, 1013]
    assert after == 0


def _person(role: Role) -> Viewer:
    return Viewer("p", role, 1)


@pytest.mark.parametrize(
    ("role", "status"),
    [(None, 403), (Role.CLINICIAN, 403), (Role.SUPERVISOR, 403), (Role.DIRECTOR, 200), (Role.ADMIN, 200)],
)
def test_files_are_taken_from_people_who_may_import(
    app: Any, inner: Inner, monkeypatch: pytest.MonkeyPatch, role: Role | None, status: int
) -> None:
    monkeypatch.setattr(guarding, "signed_in", lambda _request: None if role is None else _person(role))
    assert ask(app, UPLOAD, method="PUT", chunks=[b"a" * 100]).status == status
    assert inner.reached == (status == 200)


@pytest.mark.parametrize(
    ("chunks", "length", "status"),
    [
        ([b"x" * MB, b"x" * (MB - 10)], "", 200),  # the file's own limit and the form around it
        ([b"x" * MB, b"x" * MB, b"x"], "", 413),
        ([b"x" * MB] * 4, "10", 413),  # announced as less than it is
        ([b"x"], str(50 * MB), 413),
        ([b"x"], "abc", 200),
    ],
)
def test_an_upload_is_counted_as_it_comes(
    app: Any, monkeypatch: pytest.MonkeyPatch, chunks: list[bytes], length: str, status: int
) -> None:
    monkeypatch.setattr(guarding, "signed_in", lambda _request: _person(Role.DIRECTOR))
    assert ask(app, UPLOAD, method="PUT", chunks=chunks, content_length=length).status == status


def test_our_own_routes_take_little(app: Any, inner: Inner) -> None:
    assert ask(app, "/session/bind", method="POST", chunks=[b"x" * 150, b"x" * 150]).status == 413
    assert ask(app, "/caseload", chunks=[b"x"]).status == 413


def test_who_pauses_for_too_long_is_not_waited_for(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.web.body.WAIT_SECONDS", 0)

    async def silent() -> Any:
        await asyncio.Event().wait()

    async def read() -> None:
        await counted(silent, 10)()

    with pytest.raises(TooSlow):
        asyncio.run(read())


def test_an_error_of_ours_is_a_reference_and_one_of_the_database_is_calm(
    app: Any, inner: Inner, caplog: pytest.LogCaptureFixture
) -> None:
    inner.error = RuntimeError("client QX-77 broke it")
    answer = ask(app, "/caseload")
    assert answer.status == 500
    assert b"Reference" in answer.body
    assert b"QX-77" not in answer.body
    inner.error = DatabaseUnavailable("the file of QX-77 is away")
    answer = ask(app, "/caseload")
    assert (answer.status, b"Try again" in answer.body, b"QX-77" in answer.body) == (503, True, False)
    assert "QX-77" not in json.dumps([record.__dict__ for record in caplog.records], default=str)
    _carries_the_headers(answer, "/caseload")


def test_whoever_is_refused_again_and_again_does_not_fill_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 9.0, 11.0, 12.0])
    monkeypatch.setattr("dashboard.web.seldom.time.monotonic", lambda: next(clock))
    seldom = Seldom()
    assert [seldom.due(Refusal.HOST) for _ in range(4)] == [1, None, None, 3]
    assert seldom.due(Refusal.SITE) == 1
