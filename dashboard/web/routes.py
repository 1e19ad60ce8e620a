"""Our own routes: health, the session's cookie, checked downloads, Plotly's program for drawing a snapshot.

To add one, add a ``Way`` to ``WAYS``: its address, how it is asked for, how much may be sent along, and the function, which
checks for itself who asks. A function without ``async`` runs in a thread of its own, as everything that asks the database should.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import plotly
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from dashboard import downloads, runtime
from dashboard.errors import DatabaseUnavailable, SupervisionError
from dashboard.harmless import disposition
from dashboard.looking import check_purpose
from dashboard.signin.routes import MOST_CODE, bind, drop_provider
from dashboard.web.doors import READ, Address, Door
from dashboard.web.who import signed_in

Answers = Callable[[Request], Response | Awaitable[Response]]
PLOTLY = Path(plotly.__file__).with_name("package_data") / "plotly.min.js"


@dataclass(frozen=True)
class Way:
    """One of our routes: where it is and what answers."""

    address: Address
    answers: Answers

    def route(self) -> Route:
        """As the server takes it."""
        return Route(self.address.template, self.answers, methods=sorted(self.address.methods))


async def healthz(_request: Request) -> Response:
    """Answers without sign-in that the process is up."""
    return JSONResponse({"ok": True})


def plotly_program(request: Request) -> Response:
    """Plotly's own program, with which a browser draws the figures of a snapshot; for signed-in people."""
    if signed_in(request) is None:
        return PlainTextResponse("Sign in first.", 403)
    return FileResponse(PLOTLY, media_type="text/javascript", headers={"cache-control": "private, max-age=86400"})


def download(request: Request) -> Response:
    """A file for a signed-in person, checked again: session, link, permission; with an audit row."""
    viewer = signed_in(request)
    if viewer is None:
        return PlainTextResponse("Sign in first, then use the link on the page again.", 403)
    now = runtime.settings().now()
    try:
        check_purpose(viewer, runtime.settings().purpose_required)
        file = downloads.open_link(runtime.engine(), viewer, request.path_params["token"], now)
    except DatabaseUnavailable:
        raise
    except SupervisionError as error:
        return PlainTextResponse(str(error), 403)
    return Response(file.data, media_type=file.media_type, headers={"content-disposition": disposition(file.name)})


WAYS = (
    Way(Address("/healthz", Door.OPEN, any_host=True), healthz),
    Way(Address("/session/bind", Door.OWN, frozenset({"POST"}), most_bytes=MOST_CODE), bind),
    Way(Address("/session/drop-provider", Door.OWN, frozenset({"POST"})), drop_provider),
    Way(Address("/download/{token}", Door.OWN), download),
    Way(Address("/assets/plotly.min.js", Door.OWN, READ), plotly_program),
)
