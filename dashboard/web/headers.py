"""Adds the headers of ``policy`` to every answer."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import runtime
from dashboard.web import policy
from dashboard.web.hosts import NAME

DOWNLOADS = "/download/"


class SecurityHeaders:
    """The outermost of our layers, so that a refusal carries the headers too."""

    def __init__(self, app: ASGIApp) -> None:
        """Wraps the app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        tls = runtime.settings().tls
        path = scope["path"]
        host = Headers(scope=scope).get("host", "")
        host = host if NAME.fullmatch(host) else "localhost"

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = (
                    policy.FILE if path.startswith(DOWNLOADS) else policy.page_policy(host, tls=tls)
                )
                for name, value in (policy.ALWAYS | (policy.TLS if tls else {})).items():
                    headers[name] = value
                headers["cache-control"] = policy.cache_control(path, headers.get("cache-control"))
                if tls:
                    _secure_cookies(headers)
            await send(message)

        await self.app(scope, receive, with_headers)


def _secure_cookies(headers: MutableHeaders) -> None:
    # Streamlit does not know that a proxy speaks TLS for us, and leaves the word out of its own cookies
    said = headers.getlist("set-cookie")
    if not said:
        return
    del headers["set-cookie"]
    for cookie in said:
        parts = [part.strip().lower() for part in cookie.split(";")]
        headers.append("set-cookie", cookie if "secure" in parts else f"{cookie}; Secure")
