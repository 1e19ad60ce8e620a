"""Evaluating episodes beside copying the same columns once in memory, and beside pandas."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from typing import TypeVar

import numpy as np
import polars as pl

from dashboard.analytics.features import features
from dashboard.contracts import APPOINTMENTS, EPISODES, SAFETY_CHECKS, SCORES, Frames
from dashboard.instruments import BUILT_IN
from dashboard.replay import History, Replay
from dashboard.replay.days import change_days
from dashboard.replay.learning import Learned
from dashboard.replay.stretches import stretches
from dashboard.settings import Rules
from tests.benchmarks.hazard import beside_statsmodels
from tests.benchmarks.in_pandas import compare
from tests.benchmarks.peak import peak_megabytes, reset_peak
from tests.benchmarks.storing import from_sqlite

Measured = TypeVar("Measured")
TODAY = date(2026, 11, 20)
SESSIONS = 12
UNILATERAL = 0.25


def history(episodes: int) -> History:
    """Weekly sessions with an outcome and an alliance score; 30 % of scores missing, a quarter of the endings not agreed."""
    draw = np.random.default_rng(3)
    numbers = np.arange(1, episodes + 1)
    start = draw.integers(90, 700, episodes)
    epoch = (TODAY - date(1970, 1, 1)).days
    opened = epoch - start
    rows = np.repeat(numbers, SESSIONS)
    days = np.repeat(opened, SESSIONS) + np.tile(np.arange(SESSIONS) * 7, episodes)
    day = pl.Series("day", days).cast(pl.Int32).cast(pl.Date)
    known = {"valid_from": day, "valid_to": pl.Series([None] * len(rows), dtype=pl.Date)}
    appointments = pl.DataFrame(
        {
            "episode_id": rows,
            "appointment_id": np.arange(len(rows)) + 1,
            "starts_at": day.cast(pl.Datetime("us")),
            "status": np.where(draw.random(len(rows)) < 0.88, "attended", "no_show"),
            "mode": pl.Series([None] * len(rows), dtype=pl.String),
            **known,
            "status_known_from": day,
        }
    )
    parts = []
    for instrument, low, high in (("phq9", 0, 27), ("srs", 20, 40)):
        kept = draw.random(len(rows)) < 0.7
        parts.append(
            pl.DataFrame(
                {
                    "episode_id": rows,
                    "taken_on": day,
                    "instrument": [instrument] * len(rows),
                    "scale": ["total"] * len(rows),
                    "respondent": ["client"] * len(rows),
                    "value": draw.integers(low, high + 1, len(rows)).astype(float),
                    **known,
                }
            ).filter(pl.Series(kept))
        )
    closed = draw.random(episodes) < 0.85
    last = pl.Series(opened + SESSIONS * 7 + 7).cast(pl.Int32).cast(pl.Date)
    first = pl.Series(opened).cast(pl.Int32).cast(pl.Date)
    # the dropout model needs somebody who left: without, its clinicians' spread is looked for in vain, slowly
    words = np.where(draw.random(episodes) < UNILATERAL, "unilateral", "planned")
    nothing = pl.Series([None] * episodes, dtype=pl.String)
    no_day = pl.Series([None] * episodes, dtype=pl.Date)
    ended = pl.select(pl.when(pl.Series(closed)).then(last)).to_series()
    frame = pl.DataFrame(
        {
            "episode_id": numbers,
            "client_id": numbers,
            "clinician_id": numbers % 20 + 1,
            "opened_on": first,
            "referred_on": no_day,
            "closed_on": ended,
            "ending": pl.select(pl.when(pl.Series(closed)).then(pl.Series(words))).to_series(),
            "problem_area": nothing,
            "kind": ["individual"] * episodes,
            "planned_sessions": pl.Series([None] * episodes, dtype=pl.Int64),
            "preference_met": nothing,
            "change_requested_on": no_day,
            "valid_from": first,
            "valid_to": no_day,
            "ending_known_from": ended,
        }
    )
    return History(frame, appointments, pl.concat(parts), SAFETY_CHECKS.empty())


def frames(known: History) -> Frames:
    """The same data as one evaluation reads it."""
    episodes = known.episodes.with_columns(as_of=pl.lit(TODAY)).select(EPISODES.schema.keys())
    return Frames(
        episodes,
        known.appointments.select(APPOINTMENTS.schema.keys()),
        known.scores.select(SCORES.schema.keys()),
        known.safety_checks,
    )


def _copy(given: Frames) -> float:
    began = time.perf_counter()
    for frame in (given.episodes, given.appointments, given.scores):
        for column in frame.get_columns():
            if column.dtype != pl.String():
                np.array(column.to_physical().to_numpy(), copy=True)
            else:
                pl.concat([column.to_frame(), column.to_frame().head(0)], rechunk=True)
    return time.perf_counter() - began


def _comparison(size: int) -> str:
    known = history(size)
    days = change_days(known, TODAY, Rules())
    return compare(stretches(known, days), Rules())


def _alone(measure: Callable[..., Measured], *given: object) -> Measured:
    """In a process of its own: what earlier steps left lying in memory is not counted."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, *given).result()


def learning(size: int) -> tuple[Learned, str]:
    """Every set of models up to today, and in words what learning them took and what the latest refit alone takes."""
    known = history(size)
    reset_peak()
    began = time.perf_counter()
    learned = Replay(known, TODAY, BUILT_IN, Rules()).learn({}, time.perf_counter)
    whole, peak = time.perf_counter() - began, peak_megabytes()
    busy: list[float] = []

    def timer() -> float:
        busy.append(time.process_time())
        return time.perf_counter()

    earlier = Learned(learned.models[:-1]).by_data()
    latest = Replay(known, TODAY, BUILT_IN, Rules()).learn(earlier, timer)
    assert (latest.fits, latest.versions) == (1, learned.versions)
    return learned, (
        f"learning {learned.fits} sets of models {whole:.1f} s of which fits {learned.fit_seconds:.1f} s, peak memory "
        f"{peak:,.0f} MB; the latest refit alone {latest.fit_seconds:.1f} s ({busy[1] - busy[0]:.1f} s of processor time)"
    )


def judging(size: int, learned: Learned) -> tuple[float, float, float]:
    """Seconds, seconds of processor time and peak megabytes of evaluating by models given, each part let go as when stored."""
    known = history(size)
    reset_peak()
    began, busy = time.perf_counter(), time.process_time()
    for _ in Replay(known, TODAY, BUILT_IN, Rules()).parts(learned):
        pass
    return time.perf_counter() - began, time.process_time() - busy, peak_megabytes()


def from_database(size: int, learned: Learned) -> str:
    """The same from SQLite, loading and storing included."""
    return from_sqlite(history(size), learned, TODAY)


def run(sizes: tuple[int, ...] = (20_000, 200_000)) -> None:
    """Prints, per size, the in-memory feature step, the whole evaluation with its ratio to the copy, learning and a refit,
    and the same from SQLite; then how it grows, and its ratios to pandas and statsmodels.
    """
    whole_of: list[float] = []
    for size in sizes:
        known = history(size)
        given = frames(known)
        copied = min(_copy(given) for _ in range(3))
        sessions = given.appointments.height
        began = time.perf_counter()
        features(given, BUILT_IN, Rules())
        step = time.perf_counter() - began
        del given
        del known
        learned, lessons = _alone(learning, size)
        whole, busy, peak = _alone(judging, size, learned)
        whole_of.append(whole)
        print(
            f"evaluate: {size:,} episodes, {sessions:,} appointments: features {step:.2f} s "
            f"({sessions / step:,.0f}/s, {step / copied:.0f} times the column copy), with replay of every past day "
            f"and the models of each {whole:.1f} s ({busy:.1f} s of processor time, {sessions / whole:,.0f}/s, "
            f"{whole / copied:.0f} times), peak memory {peak:,.0f} MB"
        )
        print(f"evaluate: {size:,} episodes: {lessons}")
        print(f"evaluate: {_alone(from_database, size, learned)}")
    if len(sizes) > 1:
        print(
            f"evaluate: {sizes[-1]:,} against {sizes[0]:,} episodes: {whole_of[-1] / whole_of[0]:.1f} times as long; "
            f"growing in step would be {sizes[-1] / sizes[0]:.0f}"
        )
    print(f"evaluate: {sizes[0]:,} episodes, {_comparison(sizes[0])}")
    print(beside_statsmodels())
