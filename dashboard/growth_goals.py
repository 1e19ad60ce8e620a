"""A clinician's growth goal: checked, written down with the value of its sign on that day, shared or kept, closed."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl
from sqlalchemy import Connection, Engine

from dashboard.access import Role, Scope, Viewer
from dashboard.analytics.growth_signs import SIGNS, Part, value_before, value_since
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.typed import typed
from queries import caseload, growth, store_growth
from queries.engine import writing
from queries.frames import read_frame

LONGEST = 200
SOONEST_DAYS, LATEST_DAYS = 14, 365  # project default: sooner nothing has changed, later it is forgotten
NONE_STANDS = "There is no goal to change. Reload the page."


def _own_scope(viewer: Viewer) -> Scope:
    if viewer.clinician_id is None or viewer.role is Role.ADMIN:
        raise NotAllowed("A growth goal needs a clinician record of your own. Ask an administrator.")
    return Scope(viewer.practice_id, frozenset({viewer.clinician_id}), "your own episodes")


def set_goal(
    engine: Engine, viewer: Viewer, *, text: str, sign: str, look_again_on: date | None, shared: bool, now: datetime
) -> None:
    """Sets the viewer's own goal; one that stands is closed and kept.

    Raises UnusableInput for an empty or long text, an unknown sign, or a day too soon or too far; NotAllowed without an own
    clinician record.
    """
    scope = _own_scope(viewer)
    said = typed(text, LONGEST)
    if not said:
        raise UnusableInput("Say in a few words what you would like to do differently.")
    if sign not in SIGNS:
        raise UnusableInput("Choose the sign by which you will look at it.")
    if look_again_on is None or not SOONEST_DAYS <= (look_again_on - now.date()).days <= LATEST_DAYS:
        raise UnusableInput(f"Choose a day to look again, {SOONEST_DAYS} days to a year ahead.")
    with writing(engine) as connection:
        before = value_at_start(connection, scope, sign, now.date())
        store_growth.set_goal(
            connection, viewer, text=said, sign=sign, value_at_start=before.value, n_at_start=before.n,
            look_again_on=look_again_on, shared=shared, now=now,
        )  # fmt: skip


def close_goal(engine: Engine, viewer: Viewer, *, note: str, now: datetime) -> None:
    """Closes the viewer's own standing goal. Raises UnusableInput for a long note or where none stands."""
    _own_scope(viewer)
    said = typed(note, LONGEST)
    with writing(engine) as connection:
        done = store_growth.close_goal(connection, viewer, note=said, now=now)
    if not done:
        raise UnusableInput(NONE_STANDS)


def share_goal(engine: Engine, viewer: Viewer, *, shared: bool, now: datetime) -> None:
    """Shares the viewer's own standing goal, or no longer. Raises UnusableInput where none stands."""
    _own_scope(viewer)
    with writing(engine) as connection:
        done = store_growth.share_goal(connection, viewer, shared=shared, now=now)
    if not done:
        raise UnusableInput(NONE_STANDS)


def _read(connection: Connection, scope: Scope, evaluation_id: int | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    return (
        read_frame(connection, growth.sign_sessions(scope, evaluation_id=evaluation_id)),
        read_frame(connection, growth.sign_states(scope, evaluation_id=evaluation_id)),
    )


def value_at_start(connection: Connection, scope: Scope, sign: str, day: date) -> Part:
    """The value of a sign over the time before a day, in the current evaluation of one clinician's scope."""
    return value_before(sign, *_read(connection, scope), day)


def value_now(
    connection: Connection, scope: Scope, sign: str, set_on: date, evaluation_id: int | None = None
) -> Part:  # fmt: skip
    """The value of a sign since a goal was set, up to the current evaluation (or one of the past) of one clinician's scope."""
    found = read_frame(connection, caseload.evaluation(scope, evaluation_id=evaluation_id))
    as_of = found["as_of"][0] if found.height else set_on
    return value_since(sign, *_read(connection, scope, evaluation_id), set_on, as_of)
