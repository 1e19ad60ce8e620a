"""Counts of a whole practice that anyone in it may see: rows are read, reduced and dropped here, and never leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from sqlalchemy import Connection

from dashboard.access import Scope, counting_scope
from dashboard.analytics.completeness import by_month, waiting
from dashboard.instruments import registry
from queries import load, quality, retention
from queries.acting import within
from queries.frames import read_frame


@dataclass(frozen=True)
class Counts:
    """``months``: completeness by month. ``intake``: referred, seen, never seen, waiting. Counts only."""

    months: pl.DataFrame
    intake: dict[str, int | float | None]


def counts(connection: Connection, scope: Scope, since: date) -> Counts:
    """Completeness and intake in a scope from a day on."""
    instruments = registry(load.own_instruments(connection, scope))
    kinds = {key: one.kind for key, one in instruments.items()}
    day = pl.col("starts_at").dt.date().alias("day")
    sessions = read_frame(
        connection, quality.sessions_since(scope, datetime.combine(since, datetime.min.time()))
    ).select("episode_id", day)
    measured = (
        read_frame(connection, quality.measured_since(scope, since))
        .with_columns(kind=pl.col("instrument").replace_strict(kinds, default=None, return_dtype=pl.String))
        .drop_nulls("kind")
        .select("episode_id", "taken_on", "kind")
    )
    opened = read_frame(connection, quality.opened_since(scope, since))
    first = read_frame(connection, quality.first_sessions(scope, since)).select(
        "episode_id", pl.col("first_at").dt.date().alias("day")
    )
    return Counts(by_month(sessions, measured), waiting(opened, first))


def known_endings(connection: Connection, scope: Scope, evaluation_id: int | None = None) -> int:
    """How many endings the models of a practice may have learned from, by an evaluation, the current one unless named.

    Of the whole practice, as the models are; 0 for a scope that holds nothing.
    """
    whole = scope if scope.is_empty else counting_scope(scope)
    with within(connection, whole):
        return int(read_frame(connection, retention.known_endings(whole, evaluation_id))["endings"][0])
