"""What pages, meetings and snapshots read of patterns across caseloads, within the viewer's scope and the minimum numbers."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from sqlalchemy import Connection

from dashboard.access import Scope
from dashboard.estimate_view import EstimateView
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.ui.reading import Standing, standing
from queries import caseload, load
from queries import patterns as reads
from queries.frames import read_frame


@dataclass(frozen=True)
class Patterns:
    """``rows``: an estimate per clinician in scope and measure, null where it may not be shown, with the reason.

    ``practice``: a row per measure. ``ended``: ended episodes in scope, what became of each and what was expected.
    ``chosen``: who has said whether their endings are followed one by one.
    """

    now: Standing
    people: pl.DataFrame
    rows: pl.DataFrame
    practice: pl.DataFrame
    ended: pl.DataFrame
    chosen: pl.DataFrame
    instruments: dict[str, Instrument]

    def follows(self, clinician_id: int) -> bool:
        """Whether that clinician chose to have their endings followed over time."""
        own = self.chosen.filter(pl.col("clinician_id") == clinician_id)
        return own.height > 0 and bool(own["wanted"][0])


def patterns(
    connection: Connection, scope: Scope, look: EstimateView, evaluation_id: int | None = None
) -> Patterns:  # fmt: skip
    """Reads patterns of the current evaluation, or of one of the past, for a scope and what may be seen in it."""
    return Patterns(
        now=standing(connection, scope, evaluation_id),
        people=read_frame(connection, caseload.clinicians(scope)),
        rows=reads.with_reasons(read_frame(connection, reads.estimates(scope, look, evaluation_id))),
        practice=read_frame(connection, reads.practice(scope, look, evaluation_id)),
        ended=read_frame(connection, reads.expectations(scope, evaluation_id)),
        chosen=read_frame(connection, reads.monitoring(scope)),
        instruments=registry(load.own_instruments(connection, scope)),
    )
