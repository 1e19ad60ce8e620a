"""What only the whole practice has: groups of clients, and whether its scores can be trusted. Rows are reduced here to counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl
from sqlalchemy import Connection

from dashboard.access import Scope
from dashboard.analytics.equity import AUDIT, GROUPS, audit, by_group
from dashboard.analytics.score_integrity import RELABELLED, Cliff, Compared, cliffs, relabelled, skipped
from dashboard.analytics.validation import EPISODES_JUDGED, SESSIONS_JUDGED
from dashboard.instruments import registry
from queries import caseload, equity, integrity, load, validation
from queries.frames import read_frame

GROUPS_PART, INTEGRITY_PART = "groups", "integrity"


@dataclass(frozen=True)
class PracticePatterns:
    """``groups``: GROUPS, ``fit``: AUDIT of the dropout estimate; the rest are the three looks at the scores."""

    groups: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=GROUPS))
    fit: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=AUDIT))
    cliffs: Sequence[Cliff] = ()
    skips: Mapping[str, Compared] = field(default_factory=dict)
    relabelled: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=RELABELLED))


def practice_patterns(
    connection: Connection, scope: Scope, part: str, dropout_days: int, evaluation_id: int | None = None
) -> PracticePatterns:
    """Reads one part for a scope of the whole practice; a narrower scope gives nothing.

    ``dropout_days``: the practice's limit for no return, after which a session's sequel is known.
    """
    now = read_frame(connection, caseload.evaluation(scope, evaluation_id=evaluation_id)).to_dicts()
    if scope.clinician_ids is not None or not now:
        return PracticePatterns()
    evaluated, as_of = int(now[0]["id"]), now[0]["as_of"]
    if part == GROUPS_PART:
        return _groups(connection, scope, evaluated, as_of - timedelta(days=dropout_days))
    instruments = registry(load.own_instruments(connection, scope))
    sessions = read_frame(connection, integrity.sessions(scope, evaluation_id=evaluated))
    return PracticePatterns(
        cliffs=cliffs(sessions, instruments),
        skips=skipped(sessions, instruments),
        relabelled=relabelled(read_frame(connection, integrity.statuses_held(scope)), as_of),
    )


def _groups(connection: Connection, scope: Scope, evaluation_id: int, until: date) -> PracticePatterns:
    found = read_frame(connection, equity.episodes(scope, evaluation_id=evaluation_id))
    judged = EPISODES_JUDGED.check(read_frame(connection, validation.episodes(scope, evaluation_id)))
    sessions = read_frame(connection, validation.sessions(scope, evaluation_id, date.min)).select(
        pl.col("starts_at").dt.date().alias(name) if name == "day" else pl.col(name) for name in SESSIONS_JUDGED.schema
    )
    return PracticePatterns(groups=by_group(found), fit=audit(found, judged, sessions, until))
