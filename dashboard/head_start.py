"""The clinician's head start: what a supervisor or director sees of an evaluation while they have to wait."""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection

from dashboard.access import FirstLook, Scope
from dashboard.analytics.fit import asked_only, resting_on
from dashboard.replay.priority import worded
from queries import caseload
from queries.frames import read_frame


def as_seen(
    connection: Connection, scope: Scope, states: pl.DataFrame, first: FirstLook | None, *, evaluation_id: int | None = None
) -> pl.DataFrame:  # fmt: skip
    """``states`` of an evaluation, the current one unless named, as somebody with ``first`` to wait for may read them.

    ``states``: episode_id, fit_questions, fit_since and whatever else. Fit questions that rest on a signal held back are left
    out; ``priority``, where there is one (it needs ``missing``), follows the signals that are shown. Unchanged without ``first``.
    """
    if first is None or states.is_empty():
        return states
    held = read_frame(connection, caseload.held_back(scope, first, evaluation_id=evaluation_id))
    seen = asked_only(states, resting_on(held))
    if "priority" not in states.columns:
        return seen
    shown = read_frame(connection, caseload.flags(scope, first=first, evaluation_id=evaluation_id))
    return worded(seen, shown.filter(pl.col("state") != "snoozed")).select(states.columns)
