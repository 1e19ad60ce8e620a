"""What the alliance page knows of the whole practice: rows are read, reduced to counts and dropped here, and never leave."""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy import Connection

from dashboard.access import Scope
from dashboard.analytics.discrepancy import against_practice, discrepancy
from dashboard.analytics.experience import whom_to_ask
from dashboard.analytics.scoring import totals
from dashboard.analytics.third_session import SESSION, Cloud, cloud, points
from dashboard.instruments.instrument import Instrument
from queries import alliance
from queries.frames import read_frame


def alliance_keys(instruments: dict[str, Instrument]) -> list[str]:
    """The alliance questionnaires, client's and therapist's form."""
    return sorted(key for key, one in instruments.items() if one.kind == "alliance")


def practice_cloud(connection: Connection, scope: Scope, instruments: dict[str, Instrument]) -> Cloud:
    """Alliance at session 3 against change so far, of everyone in a scope, as counts."""
    return cloud(points(read_frame(connection, alliance.at_session(scope, SESSION)), instruments))


def reflections(
    connection: Connection, scope: Scope, own: pl.Series, instruments: dict[str, Instrument], as_of: date
) -> pl.DataFrame:
    """Of the episodes named: how client and therapist differ, where the practice's usual difference says to reflect."""
    rated = read_frame(connection, alliance.both_rated(scope, alliance_keys(instruments), as_of))
    found = against_practice(discrepancy(totals(rated, instruments), instruments))
    return found.filter(pl.col("reflect").fill_null(False) & pl.col("episode_id").is_in(own.implode()))


def experienced(connection: Connection, scope: Scope, areas: list[str]) -> pl.DataFrame:
    """Colleagues with most episodes in each problem area: area, clinician, episodes."""
    return whom_to_ask(read_frame(connection, alliance.experience(scope)), areas)
