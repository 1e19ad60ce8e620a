"""What encryption at rest costs: opening, importing, reading what a page reads, a copy; plain, with a raw key, with a passphrase.

Ratios to the plain database are what to read. Processor seconds, the least of several rounds taken in turn: the cost of the
cipher is work for the processor, and other work on the machine does not count that way.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from dashboard.access import operator_scope
from dashboard.instruments import BUILT_IN
from dashboard.intake import Limits, read_batch
from dashboard.settings import Settings
from queries import load, practices
from queries.backup import write_copy
from queries.engine import Opening, open_engine, reading, writing
from queries.frames import read_frame
from queries.schema import migrate
from queries.store import store_batch
from queries.tables import Appointment, Score
from tests.benchmarks.importing import write_files

KEYS = {"plain": None, "raw key": "5a" * 32, "passphrase": "correct horse battery staple"}
ROUNDS = 5
SCORES = 200_000


def _timed(act: Callable[[], object]) -> float:
    begun = time.process_time()
    act()
    return time.process_time() - begun


def run(scores: int = SCORES) -> None:
    """Prints seconds and ratios to the plain database."""
    now = Settings().now()
    taken: dict[str, dict[str, list[float]]] = {name: {} for name in KEYS}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "files").mkdir()
        write_files(folder / "files", scores)
        batch = read_batch(
            [folder / "files"],
            today=now.date(),
            timezone="UTC",
            mapping=None,
            limits=Limits(),
            known_instruments=BUILT_IN,
        )
        for turn in range(ROUNDS):
            for name, key in KEYS.items():
                _one_round(folder / f"{name}-{turn}.sqlite", key, batch, taken[name], now)
    print(f"encryption: {scores:,} scores, {ROUNDS} rounds, least processor seconds (ratio to plain)")
    for what in taken["plain"]:
        plain = min(taken["plain"][what])
        words = [f"{n} {min(t[what]):.4f} ({min(t[what]) / plain:.2f})" for n, t in taken.items()]
        print(f"  {what}: {', '.join(words)}")


def _one_round(path: Path, key: str | None, batch: object, taken: dict[str, list[float]], now: datetime) -> None:
    opening = Opening(key=key)
    engine = open_engine(f"sqlite:///{path}", opening)
    migrate(engine)

    def note(what: str, act: Callable[[], object]) -> None:
        taken.setdefault(what, []).append(_timed(act))

    def store() -> None:
        with writing(engine) as connection:
            practice = practices.ensure_practice(connection, "Benchmark", now)
            store_batch(connection, practice, "files", batch, today=now.date(), now=now, username=None)  # type: ignore[arg-type]

    def history() -> None:
        with reading(engine) as connection:
            load.history(connection, operator_scope(1), now.date())

    def page() -> None:
        with reading(engine) as connection:
            for episode in range(1, 201):
                read_frame(
                    connection,
                    select(Appointment.starts_at, Appointment.status).where(Appointment.episode_id == episode),
                )
                read_frame(connection, select(Score.taken_on, Score.value).where(Score.episode_id == episode))

    def connect() -> None:
        engine.dispose()
        pooled()

    def pooled() -> None:
        with reading(engine) as connection:
            connection.exec_driver_sql("SELECT count(*) FROM practice").scalar()

    note("store an import", store)
    note("open (first connection)", connect)
    note("open again (pooled)", pooled)
    note("read the whole history", history)
    note("200 episodes, as their pages read them", page)
    note("backup", lambda: write_copy(engine, path.with_suffix(".backup"), key, program="benchmark", now=now))
    engine.dispose()
    for left in path.parent.glob(f"{path.stem}.*"):
        left.unlink()
