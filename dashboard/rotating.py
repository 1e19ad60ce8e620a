"""Rotating secrets: new ones in the file, an audit row for each practice, and on request the end of every session."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from dashboard import secrets_store
from dashboard.settings import Settings
from queries import audit, practices, sessions
from queries.engine import writing

TOLD = {
    "links": "Links of downloads: new. Links on pages that are open ask for a reload.",
    "cookie": "The app's own cookies: new. Restart the app (every replica) so that it uses them.",
}


def rotate_secrets(engine: Engine, settings: Settings, *, what: str, end_sessions: bool, now: datetime) -> list[str]:
    """Rotates ``what`` (links, cookie or all) and tells in words what ended.

    The file is written last, inside the transaction of the audit rows: where it cannot be, nothing is changed. Raises as
    ``secrets_store.put_new``.
    """
    names = secrets_store.NAMES if what == "all" else (what,)
    with writing(engine) as connection:
        ended = sessions.end_all(connection) if end_sessions else None
        for practice_id in practices.all_practices(connection):
            audit.record(
                connection, at=now, practice_id=practice_id, username="operator", action="change secrets",
                detail=", ".join([*names, *(["all sessions ended"] if end_sessions else [])]),
            )  # fmt: skip
        secrets_store.put_new(settings, names)
    told = [TOLD[name] for name in names]
    told.append("Ids in addresses are unchanged: bookmarks stay good, and who was erased stays erased.")
    if ended is not None:
        told.append(f"Sessions: {ended} ended. Everybody signs in again.")
    if settings.secrets_file or not settings.db_url.startswith("sqlite"):
        told.append(
            "Where machines hold copies of the secrets file, copy the new one to each; `doctor` shows its mark."
        )
    return told
