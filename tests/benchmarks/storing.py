"""Loading a practice's history from SQLite, judging it by models given, and storing what was said, part by part."""

from __future__ import annotations

import tempfile
import time
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection

from dashboard.access import operator_scope
from dashboard.contracts import EPISODES, SCORES
from dashboard.instruments import BUILT_IN
from dashboard.replay import History, Replay
from dashboard.replay.learning import Learned
from dashboard.settings import Rules
from queries import load, practices, store_evaluation
from queries.engine import open_engine, writing
from queries.frames import insert_frame
from queries.schema import migrate
from queries.tables import Appointment, Client, Clinician, Episode, Score
from tests.benchmarks.peak import peak_megabytes, reset_peak


def _insert(connection: Connection, table: Any, practice: int, frame: pl.DataFrame) -> None:
    insert_frame(connection, table.__table__, frame.with_columns(practice_id=pl.lit(practice)))


def fill(connection: Connection, practice: int, known: History) -> None:
    """The history as rows of the tables, each in its only version."""

    def named(key: str, rows: pl.DataFrame) -> pl.DataFrame:
        own = pl.col(key).cast(pl.String)
        return rows.select(id=pl.col(key), source=pl.lit("benchmark"), source_id=own)

    episodes = known.episodes.rename({"valid_from": "known_from"})
    for key, table, also in (
        ("clinician_id", Clinician, {"public_id": pl.format("C{}", "id")}),
        ("client_id", Client, {"client_code": pl.format("K{}", "id")}),
    ):
        _insert(
            connection, table, practice, named(key, episodes.select(pl.col(key).unique().sort())).with_columns(**also)
        )
    columns = [c for c in EPISODES.schema if c not in ("episode_id", "as_of")]
    rows = named("episode_id", episodes).with_columns(public_id=pl.format("E{}", "id"))
    _insert(connection, Episode, practice, rows.hstack(episodes.select(*columns, "known_from", "ending_known_from")))
    visits = known.appointments.rename({"valid_from": "known_from"})
    columns = ["episode_id", "starts_at", "status", "mode", "known_from", "status_known_from"]
    _insert(connection, Appointment, practice, named("appointment_id", visits).hstack(visits.select(columns)))
    scores = known.scores.rename({"valid_from": "known_from"}).select(*SCORES.schema, "known_from")
    _insert(connection, Score, practice, scores.with_columns(id=pl.int_range(1, pl.len() + 1)))


def from_sqlite(known: History, learned: Learned, as_of: date) -> str:
    """Seconds to load the history, and to judge and store it, as an evaluation without a refit does; memory of the two."""
    now = datetime.combine(as_of, datetime.min.time())
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'practice.sqlite'}")
        migrate(engine)
        with writing(engine) as connection:
            practice = practices.ensure_practice(connection, "Benchmark", now)
            fill(connection, practice, known)
        rows = known.episodes.height + known.appointments.height + known.scores.height
        del known
        reset_peak()
        clock = [time.perf_counter()]
        with writing(engine) as connection:
            history = load.history(connection, operator_scope(practice), as_of)
            clock.append(time.perf_counter())
            stored = store_evaluation.store_evaluation(
                connection,
                practice,
                as_of=as_of,
                now=now,
                rules_version="",
                model_version=learned.at(as_of).version,
                settings={},
                data_import_id=None,
                parts=Replay(history, as_of, BUILT_IN, Rules()).parts(learned),
                is_current=True,
            )
        clock.append(time.perf_counter())
        engine.dispose()
    return (
        f"{stored.episodes:,} episodes in SQLite: loading {rows:,} rows {clock[1] - clock[0]:.1f} s, judging and storing "
        f"them {clock[2] - clock[1]:.1f} s, peak memory {peak_megabytes():,.0f} MB"
    )
