"""What may be read of patterns across caseloads: the minimum numbers stand in the statement itself (science 6.4).

A value that must not be shown is null in what the database gives back, so that no page, address, export or snapshot can show it.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, and_, case, false, literal, null, or_, select, type_coerce
from sqlalchemy import func as sql

from dashboard.access import Scope
from dashboard.estimate_view import LEAST_IN_PRACTICE, LEAST_IN_RANGE, LEAST_SHOWN, EstimateView
from queries.caseload import evaluated
from queries.pattern_tables import ClinicianEstimate, EpisodeExpectation, MonitoringChoice, PracticeEstimate
from queries.scope import visible_clinicians, visible_episodes
from queries.tables import Episode, EpisodeState, Evaluation, Statement

NUMBERS = (
    "observed",
    "expected",
    "rate",
    "low",
    "high",
    "limit95_low",
    "limit95_high",
    "limit998_low",
    "limit998_high",
    "shrunken",
    "shrunken_low",
    "shrunken_high",
    "reliability",
)
OF_THE_PRACTICE = ("rate", "tau", "range_low", "range_high")
COUNTED = ("not_told_apart", "judged", "beyond998")
EXPECTED = ("ended_on", "dropout_expected", "improved_expected", "worsened_expected", "gain", "gain_expected")
ENDED = ("closed_on", "ending", "dropout", "change_category", "outcome_instrument", "scores", "baseline", "latest")


def may_be_shown(look: EstimateView) -> ColumnElement[bool]:
    """Whether a clinician's estimate may be shown: enough episodes, and for few of them only to those close by."""
    close = ClinicianEstimate.clinician_id.in_(sorted(look.close)) if look.close else false()
    return and_(ClinicianEstimate.n >= LEAST_SHOWN, or_(ClinicianEstimate.n >= LEAST_IN_PRACTICE, close))


def _only(shown: ColumnElement[bool], column: Any) -> Any:
    return type_coerce(case((shown, column), else_=null()), column.type).label(column.key)


def estimates(scope: Scope, look: EstimateView, evaluation_id: int | None = None) -> Statement:
    """A row per clinician in scope and measure with ``n`` and ``shown``; every other number is null where it is not shown.

    ``person`` is the clinician's opaque id.
    """
    people = visible_clinicians(scope, evaluation_id)
    shown = may_be_shown(look)
    return (
        select(
            people.c.clinician_id,
            people.c.public_id.label("person"),
            people.c.source_id,
            people.c.display_name,
            ClinicianEstimate.measure,
            ClinicianEstimate.n,
            *(_only(shown, getattr(ClinicianEstimate, name)) for name in NUMBERS),
            case((shown, literal(True)), else_=literal(False)).label("shown"),
        )
        .select_from(people)
        .join(ClinicianEstimate, ClinicianEstimate.clinician_id == people.c.clinician_id)
        .join(Evaluation, Evaluation.id == ClinicianEstimate.evaluation_id)
        .where(evaluated(evaluation_id))
    )


def practice(scope: Scope, look: EstimateView, evaluation_id: int | None = None) -> Statement:
    """A row per measure of the whole practice: its rate and the range of 8 in 10 clinicians; no clinician is named.

    Null for those who do not see the whole practice where it has so few clinicians that a range would describe colleagues.
    How many clinicians cannot be told from average is for those who see the whole practice.
    """
    enough = literal(True) if look.whole_practice else PracticeEstimate.clinicians >= LEAST_IN_RANGE
    whole = literal(look.whole_practice)
    people = visible_clinicians(scope, evaluation_id)
    anybody = select(sql.count()).select_from(people).scalar_subquery()
    return (
        select(
            PracticeEstimate.measure,
            _only(enough, PracticeEstimate.n),
            PracticeEstimate.clinicians,
            *(_only(enough, getattr(PracticeEstimate, name)) for name in OF_THE_PRACTICE),
            PracticeEstimate.tau_source,
            PracticeEstimate.adjusted_for,
            *(_only(whole, getattr(PracticeEstimate, name)) for name in COUNTED),
        )
        .join(Evaluation, Evaluation.id == PracticeEstimate.evaluation_id)
        .where(PracticeEstimate.practice_id == scope.practice_id, evaluated(evaluation_id), anybody > 0)
    )


def expectations(scope: Scope, evaluation_id: int | None = None) -> Statement:
    """Ended episodes in scope: what became of each, and what was to be expected of it."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(
            visible.c.episode_id,
            visible.c.public_id,
            visible.c.client_code,
            EpisodeExpectation.clinician_id,
            Episode.problem_area,
            *(getattr(EpisodeExpectation, name) for name in EXPECTED),
            *(getattr(EpisodeState, name) for name in ENDED),
        )
        .select_from(visible)
        .join(EpisodeExpectation, EpisodeExpectation.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == EpisodeExpectation.evaluation_id)
        .join(
            EpisodeState,
            and_(
                EpisodeState.evaluation_id == EpisodeExpectation.evaluation_id,
                EpisodeState.episode_id == EpisodeExpectation.episode_id,
            ),
        )
        .join(Episode, Episode.id == visible.c.episode_id)
        .where(evaluated(evaluation_id))
    )


def monitoring(scope: Scope) -> Statement:
    """Clinicians in scope who have chosen, with their newest choice: whether their endings are followed over time."""
    people = visible_clinicians(scope)
    newest = (
        select(sql.max(MonitoringChoice.id).label("id"))
        .where(MonitoringChoice.practice_id == scope.practice_id)
        .group_by(MonitoringChoice.clinician_id)
        .subquery()
    )
    return (
        select(people.c.clinician_id, MonitoringChoice.wanted, MonitoringChoice.chosen_at)
        .select_from(people)
        .join(MonitoringChoice, MonitoringChoice.clinician_id == people.c.clinician_id)
        .join(newest, newest.c.id == MonitoringChoice.id)
    )


EXPORTED = ("clinician_id", "measure", "n", *NUMBERS, "shown", "reason")


def exported(rows: pl.DataFrame) -> pl.DataFrame:
    """``estimates`` as the columns of ``export clinicians``: the practice's own ids, in order of them."""
    named = with_reasons(rows).drop("clinician_id").rename({"source_id": "clinician_id"})
    return named.select(EXPORTED).sort("clinician_id", "measure")


def with_reasons(rows: pl.DataFrame) -> pl.DataFrame:
    """``estimates`` with ``reason``: in words why a row is not shown; null where it is."""
    count = pl.col("n").cast(pl.String)
    return rows.with_columns(
        reason=pl.when(pl.col("shown"))
        .then(pl.lit(None, dtype=pl.String))
        .when(pl.col("n") < LEAST_SHOWN)
        .then(pl.lit("Not enough closed episodes yet (") + count + pl.lit(f" of {LEAST_SHOWN})"))
        .otherwise(
            pl.lit("Under ") + pl.lit(str(LEAST_IN_PRACTICE)) + pl.lit(" closed episodes (") + count
            + pl.lit("): shown to the clinician and their supervisor only")
        )
    )  # fmt: skip
