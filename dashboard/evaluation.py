"""Load, compute, store: the signals of a practice for a day, from what was known by that day.

An evaluation as of today becomes the current one, which pages read. One as of the past is stored beside it and never
replaces it. The same data, rules and day always give the same evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime
from multiprocessing import get_context

from sqlalchemy import Connection, Engine

from dashboard import patterns
from dashboard.access import operator_scope
from dashboard.analytics.experience import NEW_AREA, new_areas
from dashboard.instruments import registry
from dashboard.opening import engine_of
from dashboard.replay import Replay
from dashboard.replay.learning import Learned, Models, Timer, no_timer, unlearned
from dashboard.settings import Settings
from dashboard.signals import rules_version
from queries import load, models, practices, store_evaluation
from queries import rules as practice_rules
from queries.acting import Door, acting, widening
from queries.engine import reading, writing
from queries.worlds import undone_on

Progress = Callable[[str, float], None] | None


@dataclass(frozen=True)
class EvaluationReport:
    """What one evaluation did; ``episodes`` is how many were computed, 0 where it was up to date already.

    ``models``: those in force on the day; null where it was up to date, the stored ones then are.
    """

    practice: str
    as_of: date
    episodes: int
    flags: int
    evaluation_id: int
    fit_seconds: float = 0.0
    models: Models | None = None

    @property
    def line(self) -> str:
        """For the terminal."""
        if not self.episodes:
            return f"{self.practice}: up to date as of {self.as_of}"
        stand = "1 signal stands" if self.flags == 1 else f"{self.flags} signals stand"
        return f"{self.practice}: {self.episodes} episodes evaluated as of {self.as_of}, {stand}"


def evaluate(
    engine: Engine,
    settings: Settings,
    practice_id: int,
    *,
    as_of: date,
    now: datetime,
    everything: bool = False,
    touched: Sequence[int] | None = None,
    import_before: int | None = None,
    timer: Timer = no_timer,
) -> EvaluationReport:
    """Evaluates one practice as of a day and stores it, in one write transaction; of the whole practice, whoever asks for it.

    ``touched`` names the episodes that changed since the import ``import_before``; they alone are computed when the current
    evaluation is of that import, of the same day and of the same rules. Raises SupervisionError when the database cannot be
    written.
    """
    scope = operator_scope(practice_id)
    is_current = as_of >= now.date()
    with widening(scope), writing(engine) as connection:
        name = practices.name_of(connection, practice_id)
        instruments = registry(load.own_instruments(connection, scope))
        rules = practice_rules.in_force(connection, practice_id, settings.rules)
        version = rules_version(rules, instruments)
        newest = load.latest_import(connection, scope)
        present = store_evaluation.find(connection, practice_id, as_of=as_of, rules_version=version)
        fresh = present is not None and present.data_import_id == newest and not everything
        if fresh and touched is None and is_current and present is not None and present.is_current:
            return EvaluationReport(name, as_of, 0, 0, present.id)
        kept = Learned([unlearned(instruments), *models.kept(connection, practice_id)])
        # what an import undone since then had said is not in the models of today
        then = undone_on(connection, practice_id, as_of)
        covered = not everything and not then and models.cover(connection, practice_id, version, newest, as_of)
        lacks_only_these = (
            touched is not None
            and present is not None
            and present.is_current
            and present.data_import_id == import_before
        )
        only = list(touched or []) if lacks_only_these and is_current and not everything else None
        seen = load.experience_known(connection, scope, as_of) if only is not None else None
        if only is not None and present is not None and seen is not None:
            now_new = new_areas(seen, as_of)
            before = store_evaluation.asked_in(connection, present.id, NEW_AREA)
            # an episode told of today may be another's earlier one
            only = sorted({*only, *(one for one, asked in before.items() if asked != (one in now_new))})
        history = load.history(connection, scope, as_of, only if covered else None, seen)
        replay = Replay(history, as_of, instruments, rules)
        if covered:
            learned = kept.up_to(as_of)
        else:
            learned = replay.learn({} if everything else kept.by_data(), timer)
            if learned.versions != kept.versions:
                only = None  # other models say something else of every episode
        parts = replay.parts(learned, only)
        if is_current and not covered:
            models.store(connection, practice_id, version, learned)
        if only is not None and present is not None:
            stored = store_evaluation.replace_episodes(connection, present.id, practice_id, newest, only, parts)
        else:
            stored = store_evaluation.store_evaluation(
                connection,
                practice_id,
                as_of=as_of,
                now=now,
                rules_version=version,
                model_version=learned.at(as_of).version,
                settings=rules.as_json(),
                data_import_id=newest,
                parts=parts,
                is_current=is_current,
            )
        patterns.refresh(connection, practice_id, stored.id, as_of, instruments, only)
    return EvaluationReport(
        name, as_of, stored.episodes, stored.standing, stored.id, learned.fit_seconds, learned.at(as_of)
    )


def ensure_current(engine: Engine, settings: Settings, practice_id: int, now: datetime) -> EvaluationReport:
    """Today's evaluation, computed only where it is missing or older than the data or the rules."""
    return evaluate(engine, settings, practice_id, as_of=now.date(), now=now)


def reevaluate(
    engine: Engine, settings: Settings, practice_id: int, episode_ids: Sequence[int], now: datetime
) -> EvaluationReport:
    """Today's evaluation again for a few episodes, after somebody recorded something about them."""
    scope = operator_scope(practice_id)
    with widening(scope), reading(engine) as connection:
        newest = load.latest_import(connection, scope)
    return evaluate(engine, settings, practice_id, as_of=now.date(), now=now, touched=episode_ids, import_before=newest)


def _in_worker(
    url: str, settings: Settings, practice_id: int, as_of: date, now: datetime, everything: bool, timer: Timer
) -> EvaluationReport:
    engine = engine_of(replace(settings, db=url))
    try:
        with acting(Door.DATABASE):
            return evaluate(engine, settings, practice_id, as_of=as_of, now=now, everything=everything, timer=timer)
    finally:
        engine.dispose()


def evaluate_practices(
    engine: Engine,
    settings: Settings,
    *,
    practice: str | None,
    as_of: date,
    everything: bool,
    workers: int,
    now: datetime,
    progress: Progress = None,
    timer: Timer = no_timer,
) -> list[str]:
    """Evaluates the named practice, or each of the database; returns a line per practice and the time of model fits."""
    with reading(engine) as connection:
        chosen = _chosen(connection, practice)
    reports: list[EvaluationReport] = []
    if workers > 1 and len(chosen) > 1:
        url = engine.url.render_as_string(hide_password=False)
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            jobs = [pool.submit(_in_worker, url, settings, one, as_of, now, everything, timer) for one in chosen]
            for done, job in enumerate(jobs, start=1):
                reports.append(job.result())
                if progress:
                    progress("Evaluating", done / len(jobs))
    else:
        for done, one in enumerate(chosen, start=1):
            reports.append(evaluate(engine, settings, one, as_of=as_of, now=now, everything=everything, timer=timer))
            if progress:
                progress("Evaluating", done / len(chosen))
    spent = sum(report.fit_seconds for report in reports)
    return [*(report.line for report in reports), f"fit {spent:.1f} s"]


def _chosen(connection: Connection, practice: str | None) -> list[int]:
    if practice is not None:
        return [practices.find_practice(connection, practice)]
    return practices.all_practices(connection)
