"""A million scores straight from another system's database, beside reading the same table with its bare driver."""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from dashboard import importing, syncing
from dashboard.intake.mapping import parse_mapping
from dashboard.settings import Settings
from queries.engine import open_engine
from queries.schema import migrate
from tests.benchmarks.importing import write_files

NOW = datetime(2026, 11, 20, 12)
MAPPING = parse_mapping("""
name = "bench"
about = "the benchmark's tables"
watermark = { bench_scores = "rating_no" }
[[table]]
table = "clinicians"
file = "bench_clinicians"
[table.columns]
clinician_id = "clinician_id"
[[table]]
table = "clients"
file = "bench_clients"
[table.columns]
client_id = "client_id"
[[table]]
table = "episodes"
file = "bench_episodes"
[table.columns]
episode_id = "episode_id"
client_id = "client_id"
clinician_id = "clinician_id"
opened_on = "opened_on"
[[table]]
table = "scores"
file = "bench_scores"
[table.columns]
episode_id = "episode_id"
taken_on = "taken_on"
instrument = "instrument"
scale = "scale"
value = "value"
""")


def _fill(url: str, files: Path) -> None:
    """The benchmark's files as typed tables of the source database; scores have a key that only grows."""
    engine = sa.create_engine(url)
    kinds: dict[str, Any] = {"opened_on": sa.Date, "taken_on": sa.Date, "value": sa.Numeric(6, 2)}
    with engine.begin() as connection:
        for path in sorted(files.glob("*.csv")):
            frame = pl.read_csv(path, try_parse_dates=True)
            columns = [sa.Column(name, kinds.get(name, sa.String)) for name in frame.columns]
            if path.stem == "scores":
                columns = [sa.Column("rating_no", sa.Integer, primary_key=True), *columns]
                frame = frame.with_row_index("rating_no", offset=1)
            table = sa.Table(f"bench_{path.stem}", sa.MetaData(), *columns)
            table.drop(connection, checkfirst=True)
            table.create(connection)
            for part in frame.iter_slices(50_000):
                connection.execute(table.insert(), part.to_dicts())
    engine.dispose()


def _bare(url: str) -> float:
    """Seconds that the driver takes to hand over the same columns as tuples."""
    engine = sa.create_engine(url)
    raw = engine.raw_connection()
    began = time.perf_counter()
    cursor = raw.cursor()
    cursor.execute("SELECT episode_id, taken_on, instrument, scale, value FROM bench_scores ORDER BY rating_no")
    while cursor.fetchmany(50_000):
        pass
    took = time.perf_counter() - began
    raw.close()
    engine.dispose()
    return took


def _timed(module: Any, name: str, spent: list[float]) -> Callable[[], None]:
    """Adds the seconds of ``module.name`` to ``spent``; call the result to put the function back."""
    original = getattr(module, name)

    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            return original(*args, **kwargs)
        finally:
            spent[0] += time.perf_counter() - began

    setattr(module, name, timed)
    return lambda: setattr(module, name, original)


def run(scores: int = 1_000_000) -> None:
    """Prints rows per second and the ratio to the bare driver, for SQLite and for SUPERVISION_TEST_DB where it is set."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = folder / "files"
        files.mkdir()
        write_files(files, scores)
        sources = {"SQLite": f"sqlite:///{folder / 'theirs.sqlite'}"}
        if url := os.environ.get("SUPERVISION_TEST_DB"):
            sources["PostgreSQL"] = url.replace("postgresql://", "postgresql+psycopg://")
        for kind, url in sources.items():
            _fill(url, files)
            bare = _bare(url)
            engine = open_engine(f"sqlite:///{folder / f'{kind}.sqlite'}")
            migrate(engine)
            evaluating, checking = [0.0], [0.0]
            undo = [_timed(importing, "evaluate", evaluating), _timed(syncing, "import_batch", checking)]
            began = time.perf_counter()
            report = syncing.sync(
                engine, Settings(timezone="UTC"), source_db=url, mapping=MAPPING, username=None, now=NOW
            )
            whole = time.perf_counter() - began
            for put_back in undo:
                put_back()
            began = time.perf_counter()
            syncing.sync(engine, Settings(timezone="UTC"), source_db=url, mapping=MAPPING, username=None, now=NOW)
            again = time.perf_counter() - began
            engine.dispose()
            assert report.counts["scores"]["new"] == scores
            took = whole - evaluating[0]
            read = whole - checking[0]
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"sync from {kind}: {scores:,} scores in {took:.1f} s ({scores / took:,.0f} rows/s), {took / bare:.1f} times "
                f"the bare driver ({bare:.1f} s); reading and checking alone {read:.1f} s ({read / bare:.1f} times); "
                f"a second sync with nothing new {again:.1f} s; peak memory {peak:,.0f} MB"
            )
