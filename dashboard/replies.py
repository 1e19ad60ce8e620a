"""The clinician answers a signal or puts it off: written down, and the episode looked at again."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Engine

from dashboard.access import Viewer, scope_for
from dashboard.errors import UnusableInput
from dashboard.evaluation import reevaluate
from dashboard.settings import Settings
from dashboard.signals import BY_KEY
from dashboard.typed import typed
from queries.engine import writing
from queries.replies import record_reply

ANSWERED, SNOOZED = "answered", "snoozed"
LONGEST_REASON = 200
LONGEST_SNOOZE_DAYS = 90  # project default


def reply(
    engine: Engine,
    settings: Settings,
    viewer: Viewer,
    public_id: str,
    *,
    signal: str,
    kind: str,
    reason: str,
    until_day: date | None,
    now: datetime,
) -> None:
    """Records a reply of the episode's own clinician.

    Raises UnusableInput for an unknown signal, an empty or long reason, a day that is not ahead, or a safety item (only a
    recorded check clears that); NotAllowed where the viewer is not the episode's clinician.
    """
    if signal not in BY_KEY or kind not in (ANSWERED, SNOOZED):
        raise UnusableInput("Choose a signal and what to do with it.")
    if BY_KEY[signal].family == "safety":
        raise UnusableInput("A risk answer cannot be answered or put off here. Record that it was checked.")
    said = typed(reason, LONGEST_REASON)
    if not said:
        raise UnusableInput("Say in a few words why: it is what your supervisor reads first.")
    if kind == SNOOZED and (until_day is None or not 0 < (until_day - now.date()).days <= LONGEST_SNOOZE_DAYS):
        raise UnusableInput(f"Choose a day ahead, at most {LONGEST_SNOOZE_DAYS} days.")
    with writing(engine) as connection:
        touched = record_reply(
            connection,
            viewer,
            scope_for(viewer),
            public_id,
            signal=signal,
            kind=kind,
            reason=said,
            until_day=until_day if kind == SNOOZED else None,
            now=now,
        )
    if touched is None:
        raise UnusableInput("That signal no longer stands. Reload the page.")
    reevaluate(engine, settings, viewer.practice_id, [touched], now)
