"""How the server listens: who sends nothing whole is let go, what is too large is refused, nobody is told what we are."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import uvicorn
import websockets.sync.client

from dashboard.errors import SupervisionError
from dashboard.settings import Settings
from dashboard.web import listening, patience
from dashboard.web.listening import MOST_HEADER_BYTES, bound, server_config

SETTINGS = Settings(db="sqlite://", max_message_mb=1)
WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def _app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": str(len(message.get("text") or ""))})
    else:
        client = scope["client"][0].encode()
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(client))]}
        )
        await send({"type": "http.response.body", "body": client})


def _serve(settings: Settings) -> Iterator[int]:
    held = bound("127.0.0.1", 0)
    server = uvicorn.Server(server_config(_app, settings))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[held])))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield held.getsockname()[1]
    server.should_exit = True
    thread.join(20)
    held.close()


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(patience, "HEADER_SECONDS", 0.3)
    yield from _serve(SETTINGS)


@pytest.fixture
def behind_proxy() -> Iterator[int]:
    yield from _serve(replace(SETTINGS, tls=True))


def _sent(port: int, *parts: bytes) -> bytes:
    """All that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as one:
        for part in parts:
            one.sendall(part)
        answer = b""
        while got := one.recv(65536):
            answer += got
    return answer


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: local", WHOLE + b"GET /again HTTP/1.1\r\n"])
def test_who_does_not_finish_a_request_is_let_go(port: int, begun: bytes) -> None:
    answer = _sent(port, begun)
    assert answer.startswith(b"HTTP/1.1 200") is begun.startswith(WHOLE)
    assert b"server:" not in answer.lower()


def test_a_header_without_end_is_refused(port: int) -> None:
    answer = _sent(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * (MOST_HEADER_BYTES + 10))
    assert answer.startswith((b"HTTP/1.1 4", b""))
    assert b"200" not in answer


def test_an_open_page_is_not_let_go_and_a_message_that_is_too_large_ends_it(port: int) -> None:
    with websockets.sync.client.connect(f"ws://127.0.0.1:{port}/_stcore/stream", compression=None) as page:
        time.sleep(0.7)
        page.send("x" * 1000)
        assert page.recv(timeout=20) == "1000"
        page.send("x" * (1024 * 1024 + 1))
        with pytest.raises(websockets.exceptions.ConnectionClosed):
            page.recv(timeout=20)


def test_a_forwarded_address_is_believed_from_our_proxy_only(port: int, behind_proxy: int) -> None:
    asked = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n"
    assert _sent(port, asked).endswith(b"127.0.0.1")
    assert _sent(behind_proxy, asked).endswith(b"203.0.113.9")


def test_a_port_in_use_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(SupervisionError, match=f"Port {number}"):
            listening.bound("127.0.0.1", number)
