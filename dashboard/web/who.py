"""Who sends a request: the person of its session cookie, as the database knows them at this moment."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.signin.cookie import cookie_name
from dashboard.signin.current import current


def signed_in(request: HTTPConnection) -> Viewer | None:
    """Whose cookie it is, with a session that is alive and nothing left to do first; null for anybody else.

    Raises DatabaseUnavailable.
    """
    session_id = request.cookies.get(cookie_name(), "")
    if not session_id:
        return None
    settings = runtime.settings()
    found = current(runtime.engine(), settings, session_id, settings.now())
    return found.viewer if found is not None and found.viewer.is_ready else None
