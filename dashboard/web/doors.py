"""Every address that this program or Streamlit answers, and who may come in by it. What is not listed here is closed.

| address | door | why |
| --- | --- | --- |
| ``/``, ``/home`` and the pages' own | program | the same empty page for everyone; what it shows comes over the stream |
| ``/static/…``, ``/favicon.png``, ``/manifest.json`` | program | Streamlit's own files, the same everywhere |
| ``/healthz`` | open | says that the process is up, to whoever watches it, by any name |
| ``/_stcore/health`` | open | the page asks it before it connects |
| ``/_stcore/host-config`` | open | the page asks it before it connects; says that no site may embed us |
| ``/_stcore/stream`` | stream | the sign-in form comes over it; from our own site only, counted per address |
| ``/_stcore/upload_file/…`` | importers | files of an import; a live session whose role may; bytes counted as they come |
| ``/media/…`` | closed | images and Streamlit's download button, for whoever knows the address; not used |
| ``/component/…``, ``/_stcore/bidi-components/…`` | closed | files of components; ours are handed over on the stream |
| ``/_stcore/metrics`` | closed | counts of sessions and caches |
| ``/_stcore/script-health-check`` | closed | runs the app |
| ``/_stcore/agent/…`` | closed | the app for programs, without our sign-in |
| ``/app/static/…`` | closed | files beside the app |
| ``/auth/login``, ``/oauth2callback`` | provider | the way to a provider of single sign-on and back, where one is set up |
| ``/auth/logout`` | closed | Streamlit's own; ours ends the session |
| our routes | theirs | see ``dashboard.web.routes`` |

A test compares this table with the routes of the Streamlit that is installed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import pages
from dashboard.logs import Template

READ = frozenset({"GET", "HEAD"})


class Door(StrEnum):
    """Who may come in: everyone for program files and health, a stream of our own site, people who may import, whoever
    comes by way of single sign-on, nobody."""

    PROGRAM = "program"
    OPEN = "open"
    STREAM = "stream"
    IMPORTERS = "importers"
    PROVIDER = "provider"
    OWN = "own"  # the route itself checks
    CLOSED = "closed"


@dataclass(frozen=True)
class Address:
    """A way in. ``template``: with {name} for one part of a path and {name:path} for all the rest."""

    template: str
    door: Door
    methods: frozenset[str] = READ
    most_bytes: int = 0  # of what is sent along; an upload's limit is a setting
    any_host: bool = False

    @property
    def named(self) -> Template:
        """The template, as it may stand in a log."""
        return Template(self.template)


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", template)
    return re.compile(
        "".join(
            ("(?s:.*)" if one.endswith(":path}") else "[^/]+") if one.startswith("{") else re.escape(one)
            for one in parts
        )
    )


STREAMLIT = (
    Address("/static/{path:path}", Door.PROGRAM),
    Address("/favicon.png", Door.PROGRAM),
    Address("/manifest.json", Door.PROGRAM),
    Address("/_stcore/health", Door.OPEN),
    Address("/_stcore/host-config", Door.OPEN),
    Address("/_stcore/stream", Door.STREAM),
    Address("/_stcore/upload_file/{session_id}/{file_id}", Door.IMPORTERS, frozenset({"PUT", "DELETE", "OPTIONS"})),
    Address("/media/{file_id:path}", Door.CLOSED),
    Address("/component/{path:path}", Door.CLOSED),
    Address("/_stcore/bidi-components/{path:path}", Door.CLOSED),
    Address("/_stcore/metrics", Door.CLOSED),
    Address("/_stcore/script-health-check", Door.CLOSED),
    Address("/_stcore/agent/interact", Door.CLOSED),
    Address("/_stcore/agent/openapi.json", Door.CLOSED),
    Address("/_stcore/agent/mcp", Door.CLOSED),
    Address("/app/static/{path:path}", Door.CLOSED),
    Address("/auth/login", Door.PROVIDER),
    Address("/auth/logout", Door.CLOSED),
    Address("/oauth2callback", Door.PROVIDER),
)
PAGES = tuple(Address(path, Door.PROGRAM) for path in ("/", "/home", *(f"/{page.url}" for page in pages.PAGES)))


class Doors:
    """The table with our own routes in it."""

    def __init__(self, own: tuple[Address, ...]) -> None:
        """``own``: the addresses of our routes."""
        self._exact = {one.template: one for one in (*own, *STREAMLIT, *PAGES) if "{" not in one.template}
        self._patterns = [(_pattern(one.template), one) for one in (*own, *STREAMLIT) if "{" in one.template]

    def of(self, path: str) -> Address | None:
        """The way in of a decoded path; null where there is none. A slash at the end of a page's address does not matter."""
        exact = self._exact.get(path) or (self._exact.get(path.rstrip("/")) if path != "/" else None)
        if exact is not None:
            return exact
        return next((one for form, one in self._patterns if form.fullmatch(path)), None)
