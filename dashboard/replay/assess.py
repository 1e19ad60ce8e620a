"""One evaluation: the state of every episode on a day, each flag's life, and what every past session's day said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from dashboard.analytics.features import FEATURES, features
from dashboard.analytics.scoring import risk_answers
from dashboard.instruments.instrument import Instrument
from dashboard.replay.days import change_days
from dashboard.replay.known import History, as_known
from dashboard.replay.lives import flag_lives
from dashboard.replay.priority import priorities
from dashboard.settings import Rules
from dashboard.signals import Context, evaluate

CHUNK = 4_000  # episodes replayed at a time: bounds memory, changes nothing else

LATER = {
    "expected_low": pl.Float64(),
    "expected_high": pl.Float64(),
    "on_track": pl.String(),
    "dropout_next_session": pl.Float64(),
    "dropout_next_4": pl.Float64(),
    "dropout_relative": pl.Float64(),
    "dropout_reasons": pl.String(),
    "fit_questions": pl.String(),
}
STATES = {**FEATURES.schema, **LATER, "priority": pl.String(), "missing": pl.String()}
FLAGS = {
    "episode_id": pl.Int64(),
    "signal": pl.String(),
    "family": pl.String(),
    "raised_on": pl.Date(),
    "since": pl.Date(),
    "value": pl.Float64(),
    "threshold": pl.Float64(),
    "evidence": pl.String(),
    "rule_version": pl.String(),
    "state": pl.String(),
    "cleared_on": pl.Date(),
}
SESSIONS = {
    "episode_id": pl.Int64(),
    "appointment_id": pl.Int64(),
    "session_number": pl.Int64(),
    "starts_at": pl.Datetime("us"),
    "status": pl.String(),
    "outcome": pl.Float64(),
    "alliance": pl.Float64(),
    "alliance_reference": pl.Float64(),
    "alliance_mark": pl.String(),
    "dropout_hazard": pl.Float64(),
}


@dataclass(frozen=True)
class Assessment:
    """``states`` (STATES), ``flags`` (FLAGS) and ``sessions`` (SESSIONS) of the episodes evaluated."""

    states: pl.DataFrame
    flags: pl.DataFrame
    sessions: pl.DataFrame


def _sessions(now: pl.DataFrame, at_day: pl.DataFrame, appointments: pl.DataFrame) -> pl.DataFrame:
    """Appointments up to today as known now; their values as the evaluation of their own day gave them."""
    past = (
        appointments.join(now.select("episode_id", "as_of"), on="episode_id")
        .with_columns(day=pl.col("starts_at").dt.date())
        .filter(pl.col("day") <= pl.col("as_of"))
        .sort(["episode_id", "starts_at", "appointment_id"])
    )
    attended = pl.col("status") == "attended"
    numbered = past.with_columns(
        session_number=pl.when(attended).then(attended.cast(pl.Int64).cum_sum().over("episode_id"))
    )
    said = at_day.select(
        pl.col("real_id").alias("episode_id"),
        pl.col("as_of").alias("day"),
        outcome=pl.when(pl.col("latest_on") == pl.col("as_of")).then(pl.col("latest")),
        alliance=pl.when(pl.col("alliance_latest_on") == pl.col("as_of")).then(pl.col("alliance_latest")),
        alliance_reference=pl.when(pl.col("alliance_latest_on") == pl.col("as_of")).then(pl.col("alliance_reference")),
        alliance_mark=pl.when(pl.col("alliance_latest_on") == pl.col("as_of")).then(pl.col("alliance_mark_latest")),
    )
    return (
        numbered.join(said, on=["episode_id", "day"], how="left")
        .with_columns(dropout_hazard=pl.lit(None, dtype=pl.Float64))
        .select(pl.col(name).cast(dtype) for name, dtype in SESSIONS.items())
    )


def _assess(history: History, as_of: date, instruments: dict[str, Instrument], rules: Rules) -> Assessment:
    days = change_days(history, as_of, rules)
    frames = as_known(history, days)
    every = features(frames, instruments, rules)
    raised = evaluate(
        Context(every, risk_answers(frames.scores, instruments), frames.safety_checks, instruments, rules)
    )
    # a day on which the episode was not known (its opening was recorded later) is no day of its life
    lived = days.join(every.select(pl.col("episode_id").alias("unit")), on="unit", how="semi")
    real = every.join(days.select(unit="unit", real_id="episode_id"), left_on="episode_id", right_on="unit")
    today = lived.filter(pl.col("as_of") == as_of).select("unit")
    now = real.join(today, left_on="episode_id", right_on="unit", how="semi")
    standing = raised.join(today, left_on="episode_id", right_on="unit", how="semi")
    states = (
        now.join(priorities(now, standing, instruments), on="episode_id")
        .with_columns(episode_id=pl.col("real_id"), **{n: pl.lit(None, dtype=t) for n, t in LATER.items()})
        .select(STATES.keys())
        .sort("episode_id")
    )
    current = frames.appointments.join(today, left_on="episode_id", right_on="unit", how="semi")
    current = current.join(days.select("unit", real_id="episode_id"), left_on="episode_id", right_on="unit")
    current = current.with_columns(episode_id=pl.col("real_id")).drop("real_id")
    return Assessment(states, flag_lives(raised, lived).select(FLAGS.keys()), _sessions(states, real, current))


def assess(history: History, as_of: date, instruments: dict[str, Instrument], rules: Rules) -> Assessment:
    """Evaluates every episode of the history as of a day, from what was known by then and on each earlier day."""
    ids = history.episodes["episode_id"].unique().sort()
    parts = [
        _assess(history.of(ids.slice(start, CHUNK)), as_of, instruments, rules) for start in range(0, len(ids), CHUNK)
    ]
    if not parts:
        return Assessment(pl.DataFrame(schema=STATES), pl.DataFrame(schema=FLAGS), pl.DataFrame(schema=SESSIONS))
    return Assessment(
        pl.concat([part.states for part in parts]),
        pl.concat([part.flags for part in parts]),
        pl.concat([part.sessions for part in parts]),
    )
