"""ASGI entry of the pages: security headers, the session cookie, checked downloads, health.

Everything heavy is imported before the first request and frozen: Streamlit collects garbage after every rerun, which costs
a tenth of a second with these libraries loaded unless they are out of the collector's sight.
"""

from __future__ import annotations

import gc
import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import numpy  # noqa: F401
import pandas  # noqa: F401
import plotly
import plotly.graph_objects
import polars  # noqa: F401
import streamlit as st
import streamlit.delta_generator
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.web import bootstrap

from dashboard import configuration, downloads, runtime
from dashboard.access import Viewer
from dashboard.errors import DatabaseUnavailable, SupervisionError
from dashboard.harmless import disposition
from dashboard.signin.cookie import cookie_name
from dashboard.ui.say import refused, waits
from queries import people, sessions
from queries.engine import reading, writing

if st.get_option("browser.gatherUsageStats"):  # our config.toml was not read: started from another folder
    bootstrap.load_config_options(configuration.options())

Route_ = Callable[[Request], Awaitable[Response]]
LOG = logging.getLogger("supervision")
MOST_CODE = 200  # bytes of a one-time code
PLOTLY = Path(plotly.__file__).with_name("package_data") / "plotly.min.js"
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",  # blob: a v2 component's module
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' ws: wss:",
        "worker-src 'self' blob:",
        "frame-ancestors 'self'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "SAMEORIGIN",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class SecurityHeaders:
    """Adds the headers to every answer; pages and data are never kept by a cache unless Streamlit says so itself."""

    def __init__(self, app: ASGIApp) -> None:
        """Wraps the app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if runtime.settings().tls:
                    headers["strict-transport-security"] = "max-age=31536000"
                headers["cache-control"] = headers.get("cache-control", "no-store")
            await send(message)

        await self.app(scope, receive, with_headers)


async def healthz(_request: Request) -> Response:
    """Answers without sign-in that the process is up."""
    return JSONResponse({"ok": True})


def _calmly(route: Route_) -> Route_:
    """A route that says in words, with 503, that the database cannot be reached or written."""

    async def answered(request: Request) -> Response:
        try:
            return await route(request)
        except DatabaseUnavailable as error:
            LOG.warning("%s", error)
            return PlainTextResponse(error.calm, 503, headers={"retry-after": "60"})

    return answered


@_calmly
async def bind(request: Request) -> Response:
    """Spends the one-time code of a fresh sign-in and answers with the HttpOnly cookie."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return JSONResponse({"ok": False}, 403)
    body = await request.body()
    if len(body) > MOST_CODE:
        return JSONResponse({"ok": False}, 403)
    settings = runtime.settings()
    session_id = secrets.token_urlsafe(32)
    with writing(runtime.engine()) as connection:
        spent = sessions.redeem(connection, body.decode("ascii", "replace"), session_id, settings.now())
    if not spent:
        return JSONResponse({"ok": False}, 403)
    answer = JSONResponse({"ok": True})
    answer.set_cookie(
        cookie_name(),
        session_id,
        max_age=settings.session_absolute_hours * 3600,
        httponly=True,
        secure=settings.tls,
        samesite="strict",
        path="/",
    )
    return answer


def _signed_in(request: Request, now: datetime) -> Viewer | None:
    """Whose cookie it is, with a session that is alive and a password of their own; null for anybody else."""
    settings = runtime.settings()
    session_id = request.cookies.get(cookie_name(), "")
    with reading(runtime.engine()) as connection:
        live = sessions.username_of(
            connection,
            session_id,
            now,
            idle_minutes=settings.session_idle_minutes,
            absolute_hours=settings.session_absolute_hours,
        )
        viewer = None if live is None else people.viewer(connection, live[0], now.date())
    return None if viewer is None or viewer.must_change else viewer


@_calmly
async def plotly_program(request: Request) -> Response:
    """Plotly's own program, with which a browser draws the figures of a snapshot; for signed-in people."""
    if _signed_in(request, runtime.settings().now()) is None:
        return PlainTextResponse("Sign in first.", 403)
    return FileResponse(PLOTLY, media_type="text/javascript", headers={"cache-control": "private, max-age=86400"})


@_calmly
async def download(request: Request) -> Response:
    """A file for a signed-in person, checked again: session, link, permission; with an audit row."""
    now = runtime.settings().now()
    viewer = _signed_in(request, now)
    if viewer is None:
        return PlainTextResponse("Sign in first, then use the link on the page again.", 403)
    try:
        file = downloads.open_link(runtime.engine(), viewer, request.path_params["token"], now)
    except DatabaseUnavailable:
        raise
    except SupervisionError as error:
        return PlainTextResponse(str(error), 403)
    return Response(file.data, media_type=file.media_type, headers={"content-disposition": disposition(file.name)})


def on_script_error(error: Exception) -> bool:
    """A reference for the person and for the log; neither holds a client's data."""
    if isinstance(error, DatabaseUnavailable):  # in a button's own function, before any page is drawn
        LOG.warning("%s", error)
        waits(error.calm)
        return True
    reference = secrets.token_hex(2).upper()
    trace = error.__traceback__
    where = ""
    while trace is not None:
        where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    LOG.error("reference %s: %s at %s", reference, type(error).__name__, where)
    refused(f"Something went wrong on our side; nothing you did. Reference {reference}.")
    return True


gc.collect()
gc.freeze()

app = st.App(
    Path(__file__).with_name("app.py"),
    routes=[
        Route("/healthz", healthz),
        Route("/session/bind", bind, methods=["POST"]),
        Route("/download/{token}", download),
        Route("/assets/plotly.min.js", plotly_program),
    ],
    middleware=[Middleware(SecurityHeaders)],
    on_script_error=on_script_error,
)
