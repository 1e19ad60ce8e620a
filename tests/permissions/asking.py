"""Requests to the program's own routes, through its middleware, without a server and without Streamlit's runtime."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette

from dashboard import server
from dashboard.signin.cookie import cookie_name


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: dict[str, str]


def routes() -> dict[str, str]:
    """Path of every route of the program's own to its methods."""
    return {one.path: ",".join(sorted(one.methods or ())) for one in server.app._user_routes}  # type: ignore[attr-defined]


def ask(path: str, cookie: str | None = None, *, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
    """One request; ``cookie``: a session id."""
    application = Starlette(routes=server.app._user_routes, middleware=server.app._user_middleware)
    sent: list[dict[str, Any]] = []
    listed = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    listed.append((b"host", b"localhost"))
    if cookie is not None:
        listed.append((b"cookie", f"{cookie_name()}={cookie}".encode()))
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": listed,
        "server": ("localhost", 80), "client": ("127.0.0.1", 1),
    }  # fmt: skip

    given = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not given:
            await asyncio.Event().wait()  # the client stays
        return given.pop()

    async def send(message: Any) -> None:
        sent.append(dict(message))

    asyncio.run(application(scope, receive, send))
    start = next(one for one in sent if one["type"] == "http.response.start")
    content = b"".join(one.get("body", b"") for one in sent if one["type"] == "http.response.body")
    return Answer(start["status"], content, {k.decode(): v.decode() for k, v in start["headers"]})
