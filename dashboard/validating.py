"""How the models did in a scope, as the evaluation of a day knows it: rows are read, reduced to figures and dropped here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
from sqlalchemy import Connection

from dashboard.access import Scope
from dashboard.analytics.alert_burden import Burden, InTime, Ruptures, burden, in_time, ruptures
from dashboard.analytics.range_record import RangeRecord, range_record
from dashboard.analytics.validation import (
    EPISODES_JUDGED,
    LANDMARKS,
    SESSIONS_JUDGED,
    DropoutRecord,
    dropout_record,
    first_test_day,
    later_episodes,
)
from dashboard.counting import known_endings
from dashboard.instruments import registry
from dashboard.instruments.instrument import Instrument
from dashboard.replay.learning import FIRST_DAY, Models, unlearned
from dashboard.settings import Rules
from queries import load, models, validation
from queries.frames import read_frame

DIGITS = 10  # exported: the last bits of a sum depend on the order of its rows
NOT_FITTED = "published priors, nothing learned in this practice yet"
ONLY_RANGE = "the coverage belongs to the expected range, which has rows of its own"
ONLY_DROPOUT = "events, AUC, Brier score and calibration belong to the dropout model"
NO_SCORES = "no episode has an outcome score"

TABLE = {
    "model_version": pl.String(),
    "fitted_on": pl.Date(),
    "episodes": pl.Int64(),
    "events": pl.Int64(),
    "test_episodes": pl.Int64(),
    "test_events": pl.Int64(),
    "auc": pl.Float64(),
    "brier": pl.Float64(),
    "brier_null": pl.Float64(),
    "calibration_intercept": pl.Float64(),
    "calibration_slope": pl.Float64(),
    "expected_range_coverage": pl.Float64(),
    "why": pl.String(),
    "model": pl.String(),
    "instrument": pl.String(),
    "test_from": pl.Date(),
    "test_sessions": pl.Int64(),
    "test_events_expected": pl.Float64(),
    **{f"{what}_session_{at}": pl.Float64() for at in LANDMARKS for what in ("auc", "brier", "brier_null")},
    "expected_range_beyond": pl.Float64(),
    "warning": pl.String(),
}


@dataclass(frozen=True)
class Validation:
    """Figures of one evaluation in one scope; the models, and ``endings`` known, are the whole practice's."""

    as_of: date
    models: Models
    instruments: dict[str, Instrument]
    endings: int
    dropout: DropoutRecord
    ranges: Sequence[RangeRecord]
    burden: Burden
    in_time: InTime
    ruptures: Ruptures


def validate(
    connection: Connection, scope: Scope, rules: Rules, evaluation_id: int, as_of: date, fitted: Models | None = None
) -> Validation:
    """Reads the evaluation of a day in a scope. ``fitted``: the models in force that day, read where they are not at hand."""
    instruments = registry(load.own_instruments(connection, scope))
    stored = fitted or models.in_force(connection, scope.practice_id, as_of) or unlearned(instruments)
    episodes = EPISODES_JUDGED.check(read_frame(connection, validation.episodes(scope, evaluation_id)))
    since = first_test_day(episodes)
    first = since or as_of
    test = later_episodes(episodes)
    alerts = read_frame(connection, validation.alerts(scope, evaluation_id, first))
    sessions = read_frame(connection, validation.sessions(scope, evaluation_id, first)).select(
        pl.col("starts_at").dt.date().alias(name) if name == "day" else pl.col(name) for name in SESSIONS_JUDGED.schema
    )
    used = sorted(set(episodes["outcome_instrument"].drop_nulls()) & set(instruments))
    return Validation(
        as_of,
        stored,
        instruments,
        known_endings(connection, scope, evaluation_id),
        dropout_record(episodes, sessions, as_of - timedelta(days=rules.dropout_days)),
        [range_record(test, sessions, key, instruments[key].direction) for key in used],
        burden(episodes, sessions, alerts, since=since, until=as_of),
        in_time(test, alerts),
        ruptures(episodes),
    )


def _fitted_on(models: Models) -> date | None:
    return None if models.fitted_on == FIRST_DAY else models.fitted_on


def _why(*reasons: str) -> str:
    return "; ".join(reason for reason in reasons if reason)


def validation_table(said: Validation) -> pl.DataFrame:
    """``export validation``: the dropout model's row, then one per outcome measure in use.

    ``episodes`` and ``events``: what the model was fitted on (for a range, closed episodes with three or more scores). Null where
    there is too little data or where a figure is not that model's, with ``why``.
    """
    hazard, record = said.models.hazard, said.dropout
    fitted_on = _fitted_on(said.models)
    not_fitted = "" if fitted_on else NOT_FITTED
    marks = {
        f"{what}_session_{one.session}": getattr(one, what)
        for one in record.landmarks
        for what in ("auc", "brier", "brier_null")
    }
    rows: list[dict[str, object]] = [
        {
            "model": "dropout",
            "model_version": hazard.version,
            "fitted_on": fitted_on,
            "episodes": hazard.episodes,
            "events": hazard.events,
            "test_episodes": record.episodes,
            "test_events": record.events,
            "auc": record.auc,
            "brier": record.brier,
            "brier_null": record.brier_null,
            "calibration_intercept": record.intercept,
            "calibration_slope": record.slope,
            "test_from": record.since,
            "test_sessions": record.sessions,
            "test_events_expected": record.expected,
            "warning": " ".join(record.warnings) or None,
            "why": _why(record.why, not_fitted, ONLY_RANGE),
            **marks,
        }
    ]
    for one in said.ranges:
        model = said.models.ranges.get(one.instrument)
        no_range = "" if model and model.usable else "no expected range for this instrument yet"
        rows.append(
            {
                "model": "expected_range",
                "instrument": one.instrument,
                "model_version": model.version if model else None,
                "fitted_on": fitted_on,
                "episodes": model.n if model else None,
                "test_episodes": one.episodes,
                "test_from": record.since,
                "test_sessions": one.scores,
                "expected_range_coverage": one.coverage,
                "expected_range_beyond": one.share_beyond,
                "warning": "band miscalibrated" if one.miscalibrated else None,
                "why": _why(no_range, one.why, not_fitted, ONLY_DROPOUT),
            }
        )
    if not said.ranges:
        rows.append({"model": "expected_range", "fitted_on": fitted_on, "why": _why(NO_SCORES, not_fitted)})
    table = pl.DataFrame(rows, schema=TABLE, orient="row")
    return table.with_columns(pl.col(pl.Float64).round(DIGITS))
