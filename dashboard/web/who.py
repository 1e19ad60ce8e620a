"""Who sends a request: the person of its session cookie, as the database knows them at this moment."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.signin.cookie import cookie_name
from queries import people, sessions
from queries.engine import reading


def signed_in(request: HTTPConnection) -> Viewer | None:
    """Whose cookie it is, with a session that is alive and a password of their own; null for anybody else.

    Raises DatabaseUnavailable.
    """
    session_id = request.cookies.get(cookie_name(), "")
    if not session_id:
        return None
    settings = runtime.settings()
    now = settings.now()
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
