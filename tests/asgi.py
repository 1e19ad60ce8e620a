"""Asking an ASGI app in a test, without a server: one request or one connection, and what it answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp


@dataclass
class Answer:
    """Status (0 where nothing was answered), headers with small names, and the body."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def _scope(kind: str, path: str, headers: dict[str, str], **more: Any) -> dict[str, Any]:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {
        "type": kind, "asgi": {"version": "3.0"}, "http_version": "1.1", "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "headers": raw, "client": ("127.0.0.1", 4321), "server": ("localhost", 80),
        "scheme": "http" if kind == "http" else "ws",
    } | more  # fmt: skip


def ask(app: ASGIApp, path: str, *, method: str = "GET", chunks: Iterable[bytes] = (b"",), **headers: str) -> Answer:
    """One request; ``chunks`` arrive one after another. Header names with ``_`` for ``-``; localhost unless ``host`` is given."""
    given = {"host": "localhost"} | {name.replace("_", "-"): value for name, value in headers.items() if value}
    parts, answer = list(chunks), Answer()

    async def receive() -> dict[str, Any]:
        body = parts.pop(0) if parts else b""
        return {"type": "http.request", "body": body, "more_body": bool(parts)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    asyncio.run(app(_scope("http", path, given, method=method), receive, send))  # type: ignore[arg-type]
    return answer


async def connect(app: ASGIApp, path: str, ends: asyncio.Event, **headers: str) -> int | None:
    """One WebSocket that stays open until ``ends``; null where it was accepted, else the code it was closed with."""
    given = {"host": "localhost"} | {name.replace("_", "-"): value for name, value in headers.items() if value}
    first, closed = True, None

    async def receive() -> dict[str, Any]:
        nonlocal first
        if first:
            first = False
            return {"type": "websocket.connect"}
        await ends.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(message: Any) -> None:
        nonlocal closed
        if message["type"] == "websocket.close":
            closed = message["code"]

    await app(_scope("websocket", path, given), receive, send)  # type: ignore[arg-type]
    return closed
