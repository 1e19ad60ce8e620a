"""Patterns across caseloads: computed with an evaluation and stored beside it, so that pages only read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl
from sqlalchemy import Connection

from dashboard.access import operator_scope
from dashboard.analytics.case_mix import MEASURES, expectations
from dashboard.analytics.cases import cases
from dashboard.analytics.clinician_estimates import estimates
from dashboard.instruments.instrument import Instrument
from queries import cases as reads
from queries import store_patterns
from queries.frames import read_frame
from queries.worlds import undone_on

OUTCOME = "outcome"


def refresh(
    connection: Connection,
    practice_id: int,
    evaluation_id: int,
    as_of: date,
    instruments: dict[str, Instrument],
    only: Sequence[int] | None = None,
) -> None:
    """Computes the patterns of an evaluation and stores them in the caller's transaction.

    ``only``: episodes computed anew in the current evaluation; where none of them has ended, or had, nothing is different.
    """
    if only is not None and not store_patterns.any_ended(connection, evaluation_id, only):
        return
    found = read_cases(connection, practice_id, evaluation_id, as_of, instruments)
    mix = expectations(found, instruments)
    estimated = estimates(found, mix)
    treating = read_frame(connection, reads.treating(operator_scope(practice_id), evaluation_id))
    store_patterns.store(
        connection,
        practice_id,
        evaluation_id,
        expectations=mix.frame.join(found.select("episode_id", "ended_on"), on="episode_id"),
        clinicians=of_everyone(estimated.clinicians, treating),
        practice=estimated.practice.rename({"of": "judged"}),
    )


def read_cases(
    connection: Connection, practice_id: int, evaluation_id: int, as_of: date, instruments: dict[str, Instrument]
) -> pl.DataFrame:
    """The ended episodes of an evaluation as cases for comparison (CASES)."""
    scope = operator_scope(practice_id)
    outcome = [key for key, one in instruments.items() if one.kind == OUTCOME]
    undone = undone_on(connection, practice_id, as_of)
    return cases(
        read_frame(connection, reads.ended(scope, evaluation_id)),
        reads.read_each(connection, reads.intake_known(scope, as_of, undone)),
        reads.read_each(connection, reads.births_known(scope, as_of, undone)),
        reads.read_each(connection, reads.first_scores(scope, evaluation_id, outcome, as_of, undone)),
        instruments,
    )


def of_everyone(estimated: pl.DataFrame, treating: pl.DataFrame) -> pl.DataFrame:
    """A row for each treating clinician and measure: those without an ended episode stand with n 0."""
    measures = pl.DataFrame({"measure": MEASURES})
    every = treating.select("clinician_id").join(measures, how="cross")
    return every.join(estimated, on=["clinician_id", "measure"], how="left").with_columns(pl.col("n").fill_null(0))
