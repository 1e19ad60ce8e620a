"""Writes down who opened an episode: once a session, a rerun is not another look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import runtime
from dashboard.ui.closed_caseload import opened_words
from dashboard.ui.frame import current_viewer
from queries import audit
from queries.engine import writing


def note_opening(row: Mapping[str, Any]) -> None:
    """``row``: public_id, episode_id, clinician_id of the episode on screen."""
    viewer = current_viewer()
    seen = st.session_state.setdefault("_opened", set())
    if row["public_id"] in seen:
        return
    with writing(runtime.engine()) as connection:
        audit.record(
            connection, at=runtime.settings().now(), practice_id=viewer.practice_id, username=viewer.username,
            action="view episode", clinician_id=row["clinician_id"], episode_id=row["episode_id"],
            detail=opened_words(viewer, row["clinician_id"]) or None,
        )  # fmt: skip
    seen.add(row["public_id"])


def note_covered(clinician_id: int) -> None:
    """Writes down that a colleague's caseload was looked at by who covers for them, with that reason; once a session."""
    viewer = current_viewer()
    seen = st.session_state.setdefault("_covered", set())
    why = opened_words(viewer, clinician_id)
    if not why or (clinician_id, why) in seen:
        return
    with writing(runtime.engine()) as connection:
        audit.record(
            connection, at=runtime.settings().now(), practice_id=viewer.practice_id, username=viewer.username,
            action="view caseload", clinician_id=clinician_id, detail=why,
        )  # fmt: skip
    seen.add((clinician_id, why))
