"""Importing a million scores beside a bare executemany of the same rows into a table of the same columns."""

from __future__ import annotations

import csv
import resource
import sqlite3
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from dashboard import importing
from dashboard.settings import Settings
from queries.engine import open_engine
from queries.schema import migrate

TODAY = date(2026, 11, 20)


def write_files(folder: Path, scores: int) -> None:
    """A practice with ``scores`` weekly totals in episodes of 20."""
    episodes = scores // 20
    ids = [f"E{i:07}" for i in range(episodes)]
    opened = TODAY - timedelta(days=300)
    pl.DataFrame({"clinician_id": [f"C{i:02}" for i in range(20)]}).write_csv(folder / "clinicians.csv")
    pl.DataFrame({"client_id": [f"K{i:07}" for i in range(episodes)]}).write_csv(folder / "clients.csv")
    pl.DataFrame(
        {
            "episode_id": ids,
            "client_id": [f"K{i:07}" for i in range(episodes)],
            "clinician_id": [f"C{i % 20:02}" for i in range(episodes)],
            "opened_on": [opened] * episodes,
        }
    ).write_csv(folder / "episodes.csv")
    draw = np.random.default_rng(1)
    week = np.tile(np.arange(20), episodes)
    pl.DataFrame(
        {
            "episode_id": np.repeat(ids, 20),
            "taken_on": pl.Series(week).cast(pl.Int64) * 7,
            "instrument": ["phq9"] * (episodes * 20),
            "scale": ["total"] * (episodes * 20),
            "value": draw.integers(0, 28, episodes * 20),
        }
    ).with_columns(pl.lit(opened) + pl.duration(days=pl.col("taken_on"))).rename({"literal": "day"}, strict=False).drop(
        "taken_on", strict=False
    ).rename({"day": "taken_on"}, strict=False).write_csv(folder / "scores.csv")


def bare(folder: Path) -> float:
    """Seconds that a plain executemany takes for the same rows, reading the file included."""
    began = time.perf_counter()
    frame = pl.read_csv(folder / "scores.csv")
    base = sqlite3.connect(folder / "bare.sqlite")
    base.execute("CREATE TABLE score (episode_id TEXT, taken_on TEXT, instrument TEXT, scale TEXT, value REAL)")
    columns = ["episode_id", "taken_on", "instrument", "scale", "value"]
    base.executemany("INSERT INTO score VALUES (?, ?, ?, ?, ?)", frame.select(columns).iter_rows())
    base.commit()
    base.close()
    return time.perf_counter() - began


def parsing(folder: Path) -> float:
    """Seconds that the bare parser takes over the same file, row by row and with no rule."""
    began = time.perf_counter()
    with (folder / "scores.csv").open(newline="", encoding="utf-8") as file:
        for _ in csv.reader(file):
            pass
    return time.perf_counter() - began


def run(scores: int = 1_000_000) -> None:
    """Prints the import's rate, its peak memory and its ratios to the bare parser and the bare executemany."""
    settings = Settings(timezone="UTC")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = folder / "files"
        files.mkdir()
        write_files(files, scores)
        parser = parsing(files)
        baseline = bare(files)
        (files / "bare.sqlite").unlink()
        engine = open_engine(f"sqlite:///{folder / 'p.sqlite'}")
        migrate(engine)
        evaluated = importing.evaluate
        spent = [0.0]

        def timed(*args, **kwargs):  # type: ignore[no-untyped-def]
            began = time.perf_counter()
            try:
                return evaluated(*args, **kwargs)
            finally:
                spent[0] = time.perf_counter() - began

        importing.evaluate = timed
        began = time.perf_counter()
        importing.import_files(
            engine, settings, practice=None, paths=[files], username=None, now=datetime(2026, 11, 20, 12)
        )
        whole = time.perf_counter() - began
        importing.evaluate = evaluated
        engine.dispose()
    took = whole - spent[0]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"import: {scores:,} scores in {took:.1f} s ({scores / took:,.0f} rows/s), "
        f"{took / parser:.1f} times the bare parser ({parser:.1f} s), "
        f"{took / baseline:.1f} times a bare executemany ({baseline:.1f} s), evaluation apart {spent[0]:.1f} s, "
        f"peak memory of the process with evaluation {peak:,.0f} MB"
    )
