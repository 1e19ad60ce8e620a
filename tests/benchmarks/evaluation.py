"""Evaluating episodes beside copying the same columns once in memory, and beside pandas."""

from __future__ import annotations

import resource
import time
from datetime import date

import numpy as np
import polars as pl

from dashboard.analytics.features import features
from dashboard.contracts import APPOINTMENTS, EPISODES, SAFETY_CHECKS, SCORES, Frames
from dashboard.instruments import BUILT_IN
from dashboard.replay import History, Replay
from dashboard.replay.days import change_days
from dashboard.replay.stretches import stretches
from dashboard.settings import Rules
from tests.benchmarks.in_pandas import compare

TODAY = date(2026, 11, 20)
SESSIONS = 12


def history(episodes: int) -> History:
    """Weekly sessions with an outcome and an alliance score; 30 % of scores missing."""
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
            "ending": pl.select(pl.when(pl.Series(closed)).then(pl.lit("planned"))).to_series(),
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


def run(sizes: tuple[int, ...] = (20_000, 200_000)) -> None:
    """Prints, per size, the in-memory feature step and the whole evaluation with its ratio to the copy, to pandas and by size."""
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
        replay = Replay(known, TODAY, BUILT_IN, Rules())
        began = time.perf_counter()
        learned = replay.learn({}, time.perf_counter)
        learning = time.perf_counter() - began
        replay = Replay(known, TODAY, BUILT_IN, Rules())
        began, busy = time.perf_counter(), time.process_time()
        replay.assess(learned)
        whole, busy = time.perf_counter() - began, time.process_time() - busy
        whole_of.append(whole)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"evaluate: {size:,} episodes, {sessions:,} appointments: features {step:.2f} s "
            f"({sessions / step:,.0f}/s, {step / copied:.0f} times the column copy), with replay of every past day "
            f"and the models of each {whole:.1f} s ({busy:.1f} s of processor time, {sessions / whole:,.0f}/s, "
            f"{whole / copied:.0f} times), learning them before {learning:.1f} s of which {learned.fits} fits "
            f"{learned.fit_seconds:.1f} s, peak memory {peak:,.0f} MB"
        )
    if len(sizes) > 1:
        print(
            f"evaluate: {sizes[-1]:,} against {sizes[0]:,} episodes: {whole_of[-1] / whole_of[0]:.1f} times as long; "
            f"growing in step would be {sizes[-1] / sizes[0]:.0f}"
        )
    print(f"evaluate: {sizes[0]:,} episodes, {_comparison(sizes[0])}")
