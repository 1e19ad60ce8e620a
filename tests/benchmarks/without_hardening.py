"""``python -m tests.benchmarks.without_hardening PORT``: the same pages served without what was hardened, to measure beside.

No guard and no headers, no counted tries, one plain bcrypt comparison, no look written down. Never for anything but a benchmark.
"""

from __future__ import annotations

import sys
from datetime import datetime

from sqlalchemy import Engine

from dashboard import settings as configuration
from dashboard.serving import serve
from dashboard.settings import Settings
from dashboard.signin import gate
from dashboard.signin.accepted import Accepted, Caller
from dashboard.signin.passwords import comparable
from dashboard.ui import opened
from dashboard.web import guard, headers
from queries import credentials
from queries.engine import reading


def _try(
    engine: Engine, _settings: Settings, *, username: str, password: str, caller: Caller, now: datetime
) -> Accepted | None:
    import bcrypt

    del caller, now
    with reading(engine) as connection:
        person = credentials.by_name(connection, username)
    if person is None:
        return None
    word, stored = comparable(password, person.password_hash)
    return Accepted(person, False) if bcrypt.checkpw(word.encode(), stored.encode()) else None


async def _through(self, scope, receive, send):  # type: ignore[no-untyped-def]
    await self.app(scope, receive, send)


def main() -> None:
    """Serves until stopped."""
    gate.try_password = _try
    opened.note_page = lambda _what, _chosen: None  # type: ignore[assignment]
    guard.Guard.__call__ = _through  # type: ignore[method-assign]
    headers.SecurityHeaders.__call__ = _through  # type: ignore[method-assign]
    serve(configuration.load(), int(sys.argv[1]))


if __name__ == "__main__":
    main()
