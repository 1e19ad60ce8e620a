"""One evaluation: the state of every episode on a day, each flag's life, and what every past session's day said."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import polars as pl

from dashboard.analytics.experience import earlier_episodes
from dashboard.analytics.features import FEATURES, features_of
from dashboard.analytics.fit import fit_questions, joined
from dashboard.instruments.instrument import Instrument
from dashboard.replay.answers import with_answers
from dashboard.replay.course import sessions_known
from dashboard.replay.days import change_days
from dashboard.replay.judged import Wanted, judged
from dashboard.replay.known import History, appointments_on, links_on
from dashboard.replay.learning import Learned, Material, Models, Timer, learn, no_timer
from dashboard.replay.lives import flag_lives
from dashboard.replay.priority import priorities
from dashboard.replay.session_rows import SESSIONS, sessions_said
from dashboard.replay.stretches import safety_on, stretches
from dashboard.settings import Rules
from dashboard.signals import Context, evaluate

CHUNK = 6_000  # episodes replayed at a time: bounds memory, changes nothing else
AT_ONCE = 2  # chunks at the same time

HELD = 2  # so many chunks are kept between learning and judging; more are replayed twice to bound memory

FIT = {"fit_questions": pl.String(), "fit_since": pl.String()}
STATES = {**FEATURES.schema, **FIT, "priority": pl.String(), "missing": pl.String()}
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


@dataclass(frozen=True)
class Assessment:
    """``states`` (STATES), ``flags`` (FLAGS) and ``sessions`` (SESSIONS) of the episodes evaluated, and the models used."""

    states: pl.DataFrame
    flags: pl.DataFrame
    sessions: pl.DataFrame
    learned: Learned


@dataclass(frozen=True)
class _Replayed:
    """Some episodes on every day that matters. ``real``: features by real episode and day, with the ``unit`` of each."""

    days: pl.DataFrame
    real: pl.DataFrame
    risk_answers: pl.DataFrame
    safety_checks: pl.DataFrame
    appointments: pl.DataFrame
    links: pl.DataFrame
    sessions: pl.DataFrame


def _replayed(history: History, as_of: date, instruments: dict[str, Instrument], rules: Rules) -> _Replayed:
    days = change_days(history, as_of, rules)
    every = features_of(stretches(history, days), instruments, rules).rename({"episode_id": "unit"})
    # a day on which the episode was not known (its opening was recorded later) is no day of its life: it has no features
    names = every.select("unit").join(days, on="unit", how="left", maintain_order="left")
    real = every.with_columns(names["episode_id"])
    answers, checks = safety_on(history, days, instruments)
    return _Replayed(
        days,
        real,
        answers,
        checks,
        appointments_on(history, as_of),
        links_on(history, as_of),
        sessions_known(real, history.clinicians, instruments),
    )


def _assessed(
    part: _Replayed,
    as_of: date,
    instruments: dict[str, Instrument],
    rules: Rules,
    learned: Learned,
    replies: pl.DataFrame,
    earlier: pl.DataFrame,
) -> Assessment:
    said = judged(part.real, part.sessions, learned, Wanted(as_of, rules.dropout_raised))
    keyed = said.with_columns(episode_id=pl.col("unit")).select(FEATURES.schema.keys())
    raised = evaluate(Context(keyed, part.risk_answers, part.safety_checks, instruments, rules))
    lived = part.days.join(said.select("unit"), on="unit", how="semi", maintain_order="left")
    today = said.filter(pl.col("as_of") == as_of)
    lives = with_answers(flag_lives(raised, lived), replies, as_of)
    # what is known by now never to have been has no signals
    lives = lives.join(today.select("episode_id"), on="episode_id", how="semi", maintain_order="left")
    put_off = lives.filter(pl.col("state") == "snoozed").select("episode_id", "signal")
    standing = (
        raised.join(today.select("unit", real_id="episode_id"), left_on="episode_id", right_on="unit")
        .join(put_off, left_on=["real_id", "signal"], right_on=["episode_id", "signal"], how="anti")
        .drop("real_id")
    )
    words = priorities(today.with_columns(episode_id=pl.col("unit")), standing, instruments).rename(
        {"episode_id": "unit"}
    )
    states = (
        today.join(words, on="unit")
        .join(joined(fit_questions(today, earlier, rules)), on="episode_id", how="left")
        .select(STATES.keys())
        .sort("episode_id")
    )
    return Assessment(
        states,
        lives.select(FLAGS.keys()),
        sessions_said(states, said, part.appointments, part.links),
        learned,
    )


class Replay:
    """The past of some episodes up to a day: first the models are learned from it, then every day is judged by them."""

    def __init__(self, history: History, as_of: date, instruments: dict[str, Instrument], rules: Rules) -> None:
        """Nothing is computed yet."""
        self.history, self.as_of, self.instruments, self.rules = history, as_of, instruments, rules
        self.ids = history.episodes["episode_id"].unique().sort()
        self._held: dict[int, _Replayed] = {}

    def _part(self, known: History, ids: pl.Series) -> _Replayed:
        """``known`` holds no other episodes between the first and the last of ``ids``, which are sorted."""
        return _replayed(known.between(ids[0], ids[-1]), self.as_of, self.instruments, self.rules)

    def learn(self, kept: Mapping[tuple[date, str], Models], timer: Timer = no_timer) -> Learned:
        """Every set of models up to the day; fits in ``kept`` that were made from the same data are taken over."""
        material = Material()
        changes = [pl.DataFrame(schema={"episode_id": pl.Int64(), "as_of": pl.Date()})]
        for number, start in enumerate(range(0, len(self.ids), CHUNK)):
            part = self._part(self.history, self.ids.slice(start, CHUNK))
            material.add(part.real, part.sessions)
            changes.append(part.real.select("episode_id", "as_of"))
            if len(self.ids) <= CHUNK * HELD:
                self._held[number] = part
        return learn(
            self.history,
            self.as_of,
            self.instruments,
            material,
            pl.concat(changes),
            kept,
            self.rules.dropout_days,
            timer,
        )

    def parts(self, learned: Learned, only: Sequence[int] | None = None) -> Iterator[Assessment]:
        """``assess`` in parts of CHUNK episodes, in order: who stores one before asking for the next never holds them all.

        AT_ONCE parts are computed at a time in threads, which share the history; each is judged by itself.
        """
        ids = self.ids if only is None else self.ids.filter(self.ids.is_in(list(only)))
        known = self.history if only is None else self.history.of(ids)
        earlier = earlier_episodes(self.history.seen, pl.lit(self.as_of))

        def part(number: int) -> Assessment:
            held = self._held.pop(number, None) if only is None else None
            return _assessed(
                held or self._part(known, ids.slice(number * CHUNK, CHUNK)),
                self.as_of,
                self.instruments,
                self.rules,
                learned,
                self.history.replies,
                earlier,
            )

        ahead: deque[Future[Assessment]] = deque()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for number in range(-(-len(ids) // CHUNK)):
                ahead.append(pool.submit(part, number))
                if len(ahead) > AT_ONCE:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    def assess(self, learned: Learned, only: Sequence[int] | None = None) -> Assessment:
        """Every episode, or those named, as of the day and on each earlier day, by the models in force then."""
        parts = list(self.parts(learned, only))
        return Assessment(
            pl.concat([pl.DataFrame(schema=STATES), *(one.states for one in parts)]),
            pl.concat([pl.DataFrame(schema=FLAGS), *(one.flags for one in parts)]),
            pl.concat([pl.DataFrame(schema=SESSIONS), *(one.sessions for one in parts)]),
            learned,
        )


def assess(history: History, as_of: date, instruments: dict[str, Instrument], rules: Rules) -> Assessment:
    """Learns and judges in one go: every episode of the history as of a day, from what was known by then."""
    replay = Replay(history, as_of, instruments, rules)
    return replay.assess(replay.learn({}))
