"""What the gate needs outside a page: the route that hands the cookies over, and words for a provider that does not answer.

That a request comes from our own site is the guard's to see (``dashboard.web.guard``), before any of this.
"""

from __future__ import annotations

import secrets

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import runtime
from dashboard.sign_in_rules import CALLBACK
from dashboard.signin.cookie import cookie_name, device_cookie_name
from queries import devices, sessions
from queries.engine import writing

MOST_CODE = 200  # bytes of a one-time code
STREAMLIT_COOKIES = "_streamlit_user"  # its identity, its tokens, and the parts they are cut into, all begin so
LOGIN = "/auth/login"
AWAY, UNFINISHED = "/?provider=away", "/?provider=unfinished"


def _keep(answer: Response, name: str, value: str, seconds: int) -> None:
    answer.set_cookie(
        name, value, max_age=seconds, httponly=True, secure=runtime.settings().tls, samesite="strict", path="/"
    )


def _drop_provider(request: Request, answer: Response) -> None:
    for name in request.cookies:
        if name.startswith(STREAMLIT_COOKIES):
            answer.delete_cookie(name, path="/", httponly=True, samesite="lax")


async def bind(request: Request) -> Response:
    """Spends the one-time code of a fresh sign-in and answers with the HttpOnly cookies; drops those of a provider."""
    code = (await request.body()).decode("ascii", "replace")
    return await run_in_threadpool(_bound, request, code)


def _bound(request: Request, code: str) -> Response:
    settings = runtime.settings()
    now = settings.now()
    session_id = secrets.token_urlsafe(32)
    with writing(runtime.engine()) as connection:
        bound = sessions.redeem(connection, code, session_id, now)
        if bound is None:
            return JSONResponse({"ok": False}, 403)
        device = device_cookie_name(bound.username)
        word = devices.remember(connection, bound.user_id, bound.username, request.cookies.get(device), now)
    answer = JSONResponse({"ok": True})
    _keep(answer, cookie_name(), session_id, settings.session_absolute_hours * 3600)
    _keep(answer, device, word, devices.DAYS * 86_400)
    _drop_provider(request, answer)
    return answer


def drop_provider(request: Request) -> Response:
    """Drops the provider's cookies of a browser whose answer was refused; opens and ends nothing."""
    answer = JSONResponse({"ok": True})
    _drop_provider(request, answer)
    return answer


class ProviderWords:
    """Leads somebody back to the sign-in page, which says so in words, where Streamlit's own routes end in an error."""

    def __init__(self, app: ASGIApp) -> None:
        """Wraps the app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        path = scope.get("path", "")
        if scope["type"] != "http" or path not in (LOGIN, CALLBACK):
            await self.app(scope, receive, send)
            return
        led_back = False

        async def with_words(message: Message) -> None:
            nonlocal led_back
            if message["type"] == "http.response.start":
                kept = [v for k, v in message["headers"] if k == b"set-cookie" and v.startswith(b"_streamlit_user=")]
                signed_in = any(b"Max-Age=0" not in one and not one.startswith(b'_streamlit_user=""') for one in kept)
                target = AWAY if path == LOGIN and message["status"] >= 400 else ""
                if path == CALLBACK and not signed_in:
                    target = UNFINISHED
                if target:
                    led_back = True
                    message["status"] = 302
                    headers = MutableHeaders(scope=message)
                    headers["location"] = target
                    headers["content-length"] = "0"
            elif led_back:
                message["body"] = b""
            await send(message)

        await self.app(scope, receive, with_words)
