"""What row security costs a page: one caseload read of a practice on PostgreSQL, under the role and without it.

Ratios are what to read. The least of several rounds taken in turn, by the server's and our clock together: the cost is the
server's work and the plans it chooses.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Engine

from dashboard.access import Scope, operator_scope
from dashboard.demo.practice import build
from dashboard.evaluation import ensure_current
from dashboard.settings import Settings
from pages.caseload import load
from queries import caseload, database_role, practices
from queries.acting import acting
from queries.engine import Opening, open_engine, reading, writing
from queries.frames import read_frame
from queries.schema import migrate
from queries.store import store_batch
from tests.postgres import debian_binaries, debian_server

ROUNDS = 15
CLINICIANS, EPISODES = 200, 20_000
ROLE = "supervision_benchmark_app"


def _least(*acts: Callable[[], object]) -> list[float]:
    """The least seconds of each, in turns: other work on the machine meets them alike."""
    taken: list[list[float]] = [[] for _ in acts]
    for _ in range(ROUNDS):
        for act, times in zip(acts, taken, strict=True):
            begun = time.perf_counter()
            act()
            times.append(time.perf_counter() - begun)
    return [min(times) for times in taken]


def run(clinicians: int = CLINICIANS, episodes: int = EPISODES) -> None:
    """Prints milliseconds under the role and the ratio to the same reads without row security."""
    binaries = debian_binaries()
    if binaries is None:
        print("row security: no PostgreSQL on this machine")
        return
    settings = Settings(timezone="UTC")
    now = settings.now()
    with debian_server(binaries) as server:
        owner, app = open_engine(server.url), open_engine(server.url, Opening(role=ROLE))
        try:
            migrate(owner)
            with writing(owner) as connection:
                practice = practices.ensure_practice(connection, "Benchmark", now)
                batch = build(7, clinicians, episodes, now.date())
                store_batch(connection, practice, "files", batch, today=now.date(), now=now, username=None)
                database_role.make_role(connection, ROLE)
            ensure_current(owner, settings, practice, now)
            with reading(owner) as connection:
                connection.exec_driver_sql("ANALYZE")
                one = read_frame(connection, caseload.clinicians(operator_scope(practice)))["clinician_id"][0]
            for words, scope in (
                ("one caseload", Scope(practice, frozenset({int(one)}), "own")),
                ("the whole practice, by name", operator_scope(practice)),
            ):
                _compared(words, scope, owner, app)
        finally:
            owner.dispose()
            app.dispose()


def _compared(words: str, scope: Scope, owner: Engine, app: Engine) -> None:
    def page(engine: Engine) -> Callable[[], object]:
        def read() -> object:
            with acting(scope), reading(engine) as connection:
                return load(connection, scope, whole=scope.clinician_ids is None)

        return read

    without, under = _least(page(owner), page(app))
    print(f"row security: {words}: {under * 1000:.0f} ms under the role, {under / without:.2f} times without it")
