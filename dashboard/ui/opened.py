"""Writes down who looked at whose rows: once a session, day and purpose; a rerun or a reload is not another look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.looking import looked_at
from dashboard.ui.frame import current_viewer
from queries import audit, sessions
from queries.engine import writing

Object = tuple[int | None, int | None, str | None]  # clinician, episode, and what else tells it from others


def _note(viewer: Viewer, action: str, objects: Iterable[Object]) -> None:
    now = runtime.settings().now()
    seen: set[Any] = st.session_state.setdefault("_opened", set())
    fresh = [one for one in objects if (action, one, viewer.purpose, now.date()) not in seen]
    if not fresh:
        return
    session_id = st.session_state.get("_session_id", "")
    with writing(runtime.engine()) as connection:
        session = sessions.signed_in(connection, session_id)
        midnight = datetime(now.year, now.month, now.day)
        since = midnight if session is None else max(midnight, session.since)
        known = audit.noted_since(connection, viewer.practice_id, viewer.username, action, viewer.purpose, since)
        for clinician_id, episode_id, detail in fresh:
            if (clinician_id, episode_id, detail) not in known:
                audit.record(
                    connection, at=now, practice_id=viewer.practice_id, username=viewer.username, purpose=viewer.purpose,
                    action=action, clinician_id=clinician_id, episode_id=episode_id, detail=detail,
                )  # fmt: skip
    seen.update((action, one, viewer.purpose, now.date()) for one in fresh)


def note_opening(row: Mapping[str, Any]) -> None:
    """``row``: episode_id and clinician_id of the episode on screen.

    One's own are written down too: the caseload says when an episode was last opened.
    """
    _note(current_viewer(), "view episode", [(row["clinician_id"], row["episode_id"], None)])


def note_page(what: str, chosen: int | None) -> None:
    """A page that shows rows of others: one row for each clinician in it, or one for the whole practice; none for one's own.

    ``chosen``: the clinician that the page is narrowed to; null for the viewer's whole scope.
    """
    viewer = current_viewer()
    _note(viewer, f"view {what}", [(one, None, None) for one in looked_at(viewer, chosen)])


def note_meeting(public_id: str, clinicians: Iterable[int]) -> None:
    """A meeting on screen, for everyone it is about."""
    _note(current_viewer(), "view meeting", [(one, None, public_id) for one in sorted(clinicians)])


def note_snapshot(public_id: str, clinicians: Iterable[int]) -> None:
    """The content of a stored snapshot on screen, for everyone in it."""
    _note(current_viewer(), "view snapshot", [(one, None, public_id) for one in sorted(clinicians)])
