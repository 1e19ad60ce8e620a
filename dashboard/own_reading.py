"""What one clinician's own part reads beside their patterns: endings among colleagues, quadrants, the growth goal.

Of colleagues only sums leave this module: shares of a group large enough to be one, and one number about the whole practice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import Connection

from dashboard.access import Scope, Viewer, counting_scope, narrowed
from dashboard.analytics.growth_signs import SIGNS, Part
from dashboard.analytics.own_endings import own_endings
from dashboard.analytics.own_growth import upper_edge
from dashboard.analytics.own_quadrants import own_quadrants
from dashboard.analytics.scoring import totals
from dashboard.growth_goals import value_now
from dashboard.instruments import registry
from dashboard.ui.growth_blocks import standing_goal
from queries import caseload, endings, growth, load, patterns, quadrants
from queries.acting import within
from queries.frames import read_frame


@dataclass(frozen=True)
class Own:
    """``endings``: ways of ending with the colleagues' share where they are a group. ``edge``: of gains, practice-wide.

    ``points``: alliance change beside outcome change. ``goals``: those the viewer may read, with the sign of the standing one.
    """

    endings: pl.DataFrame
    edge: float | None
    points: pl.DataFrame
    goals: pl.DataFrame
    sign_now: Part | None


def own_reading(
    connection: Connection, scope: Scope, viewer: Viewer, clinician_id: int, evaluation_id: int | None = None
) -> Own:  # fmt: skip
    """Reads everything for a clinician in scope; nothing for a scope that holds nobody. NotAllowed outside the scope."""
    one = scope if scope.is_empty else narrowed(scope, clinician_id)
    whole = scope if scope.is_empty else counting_scope(scope)
    with within(connection, whole):
        counts = read_frame(connection, endings.ending_counts(whole, evaluation_id=evaluation_id))
        everybody = read_frame(connection, patterns.expectations(whole, evaluation_id))
    goals = read_frame(connection, growth.goals(one, viewer))
    goal = standing_goal(goals, clinician_id)
    counted = goal is not None and goal["sign"] in SIGNS
    return Own(
        own_endings(counts, clinician_id),
        upper_edge(everybody),
        _points(connection, one, evaluation_id),
        goals,
        value_now(connection, one, goal["sign"], goal["set_on"], evaluation_id)
        if goal is not None and counted
        else None,
    )


def _points(connection: Connection, scope: Scope, evaluation_id: int | None) -> pl.DataFrame:
    instruments = registry(load.own_instruments(connection, scope))
    states = read_frame(connection, quadrants.states(scope, evaluation_id=evaluation_id))
    found = read_frame(connection, caseload.evaluation(scope, evaluation_id=evaluation_id))
    as_of = found["as_of"][0] if found.height else date.min
    keys = [key for key, one in instruments.items() if one.kind == "alliance"]
    scores = read_frame(connection, quadrants.alliance_scores(scope, keys, as_of))
    return own_quadrants(states, totals(scores, instruments), instruments)
