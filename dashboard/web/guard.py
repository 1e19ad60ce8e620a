"""The guard at the door: which requests reach Streamlit and our routes at all.

In this order: the name we are asked for, the address, the method, the site it comes from, the person where the door asks for
one, what is sent along. A refusal is a plain sentence; an error of ours is a reference and never a traceback.
"""

from __future__ import annotations

from enum import StrEnum

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import logs, runtime
from dashboard.access import can_import
from dashboard.errors import DatabaseUnavailable
from dashboard.logs import Event
from dashboard.sign_in_rules import has_provider
from dashboard.web.body import TooLarge, TooSlow, counted
from dashboard.web.crowd import Crowd
from dashboard.web.doors import READ, Address, Door, Doors
from dashboard.web.hosts import host_allowed, origin_allowed
from dashboard.web.seldom import Seldom
from dashboard.web.who import signed_in

MB = 1024 * 1024
FRAMING = MB  # the form around an uploaded file; the file itself is measured again by Streamlit
POLICY_VIOLATION, TRY_LATER = 1008, 1013  # codes of RFC 6455, section 7.4.1, and of its registry


class Refusal(StrEnum):
    """Why a request was sent away; the status and words of each are in ``SAID``."""

    HOST = "host"
    ADDRESS = "address"
    METHOD = "method"
    SITE = "site"
    NOBODY = "nobody"
    ROLE = "role"
    LARGE = "large"
    SLOW = "slow"
    CROWD = "crowd"
    DATABASE = "database"


SAID = {
    Refusal.HOST: (421, "This program is not served under that name."),
    Refusal.ADDRESS: (404, "There is nothing at this address. The first page is at /"),
    Refusal.METHOD: (405, "This address does not take that."),
    Refusal.SITE: (403, "This came from another site. Open the page itself and try again."),
    Refusal.NOBODY: (403, "Sign in first."),
    Refusal.ROLE: (403, "Only a clinical director or an administrator can import files."),
    Refusal.LARGE: (413, "This is larger than what may be sent here."),
    Refusal.SLOW: (408, "This took too long to arrive. Try again."),
    Refusal.DATABASE: (503, "The data cannot be reached at this moment. Try again in a minute."),
}
QUIET = (Refusal.ADDRESS, Refusal.NOBODY)  # every browser and scanner makes these; a log full of them hides the others


class Guard:
    """Passes on what may come in."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        """Wraps the app."""
        self.app, self.doors, self.crowd, self.seldom = app, doors, Crowd(), Seldom()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._stream(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, address = HTTPConnection(scope), self.doors.of(scope["path"])
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        async def refused(why: Refusal) -> None:
            if why not in QUIET and (count := self.seldom.due(why)):
                logs.warn(
                    Event.REQUEST_REFUSED, why=why, method=scope["method"], status=SAID[why][0], count=count,
                    **({} if address is None else {"route": address.named}),
                )  # fmt: skip
            if not started:
                status, words = SAID[why]
                close = {"connection": "close"} if why in (Refusal.LARGE, Refusal.SLOW) else {}
                await PlainTextResponse(words, status, headers=close)(scope, receive, send)

        try:
            if (why := await self._why_not(request, address, scope["method"])) is not None or address is None:
                await refused(why or Refusal.ADDRESS)
                return
            most = _most_bytes(address)
            if _announced(request) > most:
                await refused(Refusal.LARGE)
                return
            await self.app(scope, counted(receive, most), watched)
        except TooLarge:
            await refused(Refusal.LARGE)
        except TooSlow:
            await refused(Refusal.SLOW)
        except DatabaseUnavailable as error:
            logs.warn(Event.DATABASE_AWAY, **logs.trouble(error))
            await refused(Refusal.DATABASE)
        except Exception as error:
            reference = logs.new_reference()
            route = {} if address is None else {"route": address.named}
            logs.fail(Event.REQUEST_FAILED, reference=reference, **logs.trouble(error), **route)
            if not started:
                words = f"Something went wrong on our side; nothing you did. Reference {reference}."
                await PlainTextResponse(words, 500)(scope, receive, send)

    async def _why_not(self, request: HTTPConnection, address: Address | None, method: str) -> Refusal | None:
        settings, headers = runtime.settings(), request.headers
        if not (address is not None and address.any_host) and not host_allowed(headers.get("host"), settings):
            return Refusal.HOST
        if address is None or address.door in (Door.CLOSED, Door.STREAM):
            return Refusal.ADDRESS
        if address.door is Door.PROVIDER and not has_provider(settings):
            return Refusal.ADDRESS
        if method not in address.methods:
            return Refusal.METHOD
        if method not in READ:
            origin = headers.get("origin")
            foreign = origin not in (None, "null") and not origin_allowed(origin, headers.get("host"), settings)
            if foreign or headers.get("sec-fetch-site", "same-origin") != "same-origin":
                return Refusal.SITE
        if address.door is Door.IMPORTERS:
            viewer = await run_in_threadpool(signed_in, request)
            if viewer is None:
                return Refusal.NOBODY
            if not can_import(viewer.role):
                return Refusal.ROLE
        return None

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, settings = HTTPConnection(scope), runtime.settings()
        address, host = self.doors.of(scope["path"]), request.headers.get("host")
        why = None
        if address is None or address.door is not Door.STREAM:
            why = Refusal.ADDRESS
        elif not host_allowed(host, settings):
            why = Refusal.HOST
        elif not origin_allowed(request.headers.get("origin"), host, settings):
            why = Refusal.SITE
        if why is not None:
            await self._turned_away(receive, send, why, POLICY_VIOLATION)
            return
        whose = request.client.host if request.client else ""
        with self.crowd.one_more(whose, settings.max_connections_per_address) as room:
            if room:
                await self.app(scope, receive, send)
            else:
                await self._turned_away(receive, send, Refusal.CROWD, TRY_LATER)

    async def _turned_away(self, receive: Receive, send: Send, why: Refusal, code: int) -> None:
        if count := self.seldom.due(why):
            logs.warn(Event.REQUEST_REFUSED, why=why, count=count)
        await receive()  # its websocket.connect; closing before accepting answers with 403
        await send({"type": "websocket.close", "code": code})


def _most_bytes(address: Address) -> int:
    if address.door is Door.IMPORTERS:
        return runtime.settings().max_upload_mb * MB + FRAMING
    return address.most_bytes


def _announced(request: HTTPConnection) -> int:
    said = request.headers.get("content-length", "0")
    return int(said) if said.isascii() and said.isdigit() else 0
