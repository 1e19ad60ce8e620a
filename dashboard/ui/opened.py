"""Writes down who looked at whose rows: once a session, day and purpose; a rerun or a reload is not another look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st

from dashboard import logs, runtime
from dashboard.access import Viewer
from dashboard.errors import DatabaseUnavailable
from dashboard.logs import Event
from dashboard.looking import looked_at
from dashboard.ui.closed_caseload import opened_words
from dashboard.ui.frame import current_viewer
from queries import audit, sessions
from queries.engine import writing

Object = tuple[int | None, int | None, str | None]  # clinician, episode, and what else tells it from others
SEEN, WAITING = "_opened", "_looks_waiting"  # in the session: looks written down, and those that could not be yet


@dataclass(frozen=True)
class Look:
    """A look to be written down."""

    action: str
    clinician_id: int | None
    episode_id: int | None
    detail: str | None
    purpose: str | None
    at: datetime

    @property
    def same(self) -> tuple[object, ...]:
        """What makes two looks the same one: what, whose, what for, and the day."""
        return (self.action, self.clinician_id, self.episode_id, self.detail, self.purpose, self.at.date())


def _fresh(viewer: Viewer, action: str, objects: Iterable[Object], now: datetime) -> list[Look]:
    seen: set[Any] = st.session_state.setdefault(SEEN, set())
    looks = [Look(action, *one, viewer.purpose, now) for one in objects]
    return [one for one in looks if one.same not in seen]


def _write(viewer: Viewer, looks: Sequence[Look], now: datetime) -> None:
    session_id = st.session_state.get("_session_id", "")
    with writing(runtime.engine()) as connection:
        session = sessions.signed_in(connection, session_id)
        midnight = datetime(now.year, now.month, now.day)
        since = midnight if session is None else max(midnight, session.since)
        for one in looks:
            known = audit.noted_since(connection, viewer.practice_id, viewer.username, one.action, one.purpose, since)
            if (one.clinician_id, one.episode_id, one.detail) not in known:
                audit.record(
                    connection, at=one.at, practice_id=viewer.practice_id, username=viewer.username, purpose=one.purpose,
                    action=one.action, clinician_id=one.clinician_id, episode_id=one.episode_id, detail=one.detail,
                )  # fmt: skip
    st.session_state[SEEN].update(one.same for one in looks)


def _note(viewer: Viewer, action: str, objects: Iterable[Object]) -> None:
    now = runtime.settings().now()
    looks = [*st.session_state.get(WAITING, []), *_fresh(viewer, action, objects, now)]
    if looks:
        _write(viewer, looks, now)
        st.session_state.pop(WAITING, None)


def _why(viewer: Viewer, clinician_id: int | None) -> str | None:
    """What opened a caseload that is not in the viewer's scope by itself: cover of a leave, or a reason given."""
    return None if clinician_id is None else opened_words(viewer, clinician_id) or None


def note_opening(row: Mapping[str, Any]) -> None:
    """``row``: episode_id and clinician_id of the episode on screen.

    One's own are written down too: the caseload says when an episode was last opened.
    """
    viewer = current_viewer()
    _note(viewer, "view episode", [(row["clinician_id"], row["episode_id"], _why(viewer, row["clinician_id"]))])


def note_page(what: str, chosen: int | None) -> None:
    """A page that shows rows of others: one row for each clinician in it, or one for the whole practice; none for one's own.

    ``chosen``: the clinician that the page is narrowed to; null for the viewer's whole scope. Where nothing can be saved (a full
    disk) the page is still read; the look is kept in the session and written down, with its time, as soon as something can be.
    """
    viewer = current_viewer()
    action, objects = f"view {what}", [(one, None, _why(viewer, one)) for one in looked_at(viewer, chosen)]
    try:
        _note(viewer, action, objects)
    except DatabaseUnavailable as error:
        waiting: list[Look] = st.session_state.setdefault(WAITING, [])
        held = {one.same for one in waiting}
        waiting += [one for one in _fresh(viewer, action, objects, runtime.settings().now()) if one.same not in held]
        logs.warn(Event.LOOKS_WAIT, count=len(waiting), **logs.trouble(error))


def note_meeting(public_id: str, clinicians: Iterable[int]) -> None:
    """A meeting on screen, for everyone it is about."""
    _note(current_viewer(), "view meeting", [(one, None, public_id) for one in sorted(clinicians)])


def note_snapshot(public_id: str, clinicians: Iterable[int]) -> None:
    """The content of a stored snapshot on screen, for everyone in it."""
    _note(current_viewer(), "view snapshot", [(one, None, public_id) for one in sorted(clinicians)])
