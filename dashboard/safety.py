"""Somebody checked a risk answer: write it down and bring the signals of that episode up to date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Engine

from dashboard.access import Viewer, screen_scope
from dashboard.errors import UnusableInput
from dashboard.evaluation import reevaluate
from dashboard.settings import Settings
from dashboard.typed import typed
from queries.engine import writing
from queries.safety import record_checks

LONGEST_NOTE = 200


def record_check(
    engine: Engine,
    settings: Settings,
    viewer: Viewer,
    public_ids: Sequence[str],
    *,
    checked_on: date,
    note: str,
    now: datetime,
) -> int:
    """Records who checked and when; returns how many episodes that concerned.

    Raises UnusableInput for a day after today, a note that is too long, or where nothing waits; NotAllowed outside scope.
    """
    if checked_on > now.date():
        raise UnusableInput("The day of the check lies ahead. Choose today or an earlier day.")
    said = typed(note, LONGEST_NOTE, f"Keep the note to {LONGEST_NOTE} characters.")
    with writing(engine) as connection:
        touched = record_checks(
            connection,
            viewer,
            screen_scope(viewer),
            public_ids,
            checked_on=checked_on,
            note=said or None,
            now=now,
        )
    if not touched:
        raise UnusableInput("Nothing waits for a check there up to that day. Choose an episode, or a later day.")
    reevaluate(engine, settings, viewer.practice_id, touched, now)
    return len(touched)
