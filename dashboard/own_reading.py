"""What one clinician's own part reads beside their patterns: ways of ending among colleagues, and the practice's upper edge.

Of colleagues only sums leave this module: shares of a group large enough to be one, and one number about the whole practice.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from sqlalchemy import Connection

from dashboard.access import Scope, counting_scope
from dashboard.analytics.own_endings import own_endings
from dashboard.analytics.own_growth import upper_edge
from queries import endings, patterns
from queries.frames import read_frame


@dataclass(frozen=True)
class Own:
    """``endings``: ways of ending with the colleagues' share where they are a group. ``edge``: of gains, practice-wide."""

    endings: pl.DataFrame
    edge: float | None


def own_reading(
    connection: Connection, scope: Scope, clinician_id: int, evaluation_id: int | None = None
) -> Own:  # fmt: skip
    """Reads both for a clinician in scope; nothing for a scope that holds nobody."""
    whole = scope if scope.is_empty else counting_scope(scope)
    counts = read_frame(connection, endings.ending_counts(whole, evaluation_id=evaluation_id))
    everybody = read_frame(connection, patterns.expectations(whole, evaluation_id))
    return Own(own_endings(counts, clinician_id), upper_edge(everybody))
