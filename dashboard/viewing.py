"""Who is looking: a person of the database under the practice's own rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection

from dashboard.access import Scope, Viewer
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.settings import Settings
from queries import people
from queries.acting import acting

OVERTAKEN = (
    "What you may see has changed since this page was opened: a new day has begun, or an opened caseload has closed again. "
    "Nothing was saved. Reload the page."
)


def viewer_now(connection: Connection, settings: Settings, username: str, now: datetime) -> Viewer | None:
    """The active person of that name at this moment; null for anyone else."""
    asking = now if settings.director_opens_with_reason else None
    return people.viewer(connection, username, now.date(), asking=asking)


def person_of(connection: Connection, settings: Settings, username: str, practice_id: int, now: datetime) -> Viewer:
    """As whom a command acts (``--as``). Raises UnusableInput for nobody active of the practice."""
    viewer = viewer_now(connection, settings, username, now)
    if viewer is None or viewer.practice_id != practice_id:
        raise UnusableInput(f"There is no active user '{username}' here. See: supervision user list.")
    return viewer


@contextmanager
def as_person(viewer: Viewer | None, scope: Scope) -> Iterator[None]:
    """What a command does for somebody (``--as``) is done in their scope; else for whoever holds the database."""
    if viewer is None:
        yield
        return
    with acting(scope, viewer.username):
        yield


def check_still_so(viewer: Viewer, now: datetime) -> None:
    """Raises NotAllowed where links, cover or opened caseloads may have changed since the viewer was read."""
    if viewer.until is not None and now >= viewer.until:
        raise NotAllowed(OVERTAKEN)
