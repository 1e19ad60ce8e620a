"""Models as they would have been refitted by each day: fitted on what was known by the day of the fit, never later.

Which days those are follows from the endings alone (``analytics.refits``), so that the models of the past are the same whether
they are made today or were made then. A fit that was made before from the same data is taken over instead of made again.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import polars as pl

from dashboard.analytics.alliance_norms import measured_norms, stated_norms
from dashboard.analytics.attendance import dated, session_on
from dashboard.analytics.hazard import HazardModel, day_one, fit
from dashboard.analytics.hazard_rows import HAZARD_SESSIONS, hazard_rows, what_followed
from dashboard.analytics.places import with_places
from dashboard.analytics.range_fit import LATER_SCORES, fit_all, later_scores
from dashboard.analytics.range_model import RangeModel
from dashboard.analytics.refits import refit_days
from dashboard.analytics.scoring import totals
from dashboard.instruments.instrument import Instrument
from dashboard.replay.course import SESSIONS
from dashboard.replay.known import History, as_known

FIRST_DAY = date.min
Timer = Callable[[], float]


def no_timer() -> float:
    """For callers that do not ask how long the fits took."""
    return 0.0


STATES = {
    "episode_id": pl.Int64(),
    "as_of": pl.Date(),
    "is_closed": pl.Boolean(),
    "left": pl.Boolean(),
}


@dataclass(frozen=True)
class Models:
    """The models in force from ``fitted_on`` on. ``fingerprint`` names the data they were fitted on."""

    fitted_on: date
    hazard: HazardModel
    ranges: Mapping[str, RangeModel]
    fingerprint: str = ""

    @cached_property
    def version(self) -> str:
        """Made from the content of all of them."""
        parts = [self.hazard.version, *(f"{key}:{one.version}" for key, one in sorted(self.ranges.items()))]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    def to_dict(self) -> dict[str, Any]:
        """For storage as JSON."""
        return {"hazard": self.hazard.to_dict(), "ranges": {key: one.to_dict() for key, one in self.ranges.items()}}

    @classmethod
    def from_dict(cls, fitted_on: date, fingerprint: str, stored: dict[str, Any]) -> Models:
        """What ``to_dict`` gave."""
        ranges = {key: RangeModel.from_dict(one) for key, one in stored["ranges"].items()}
        return cls(fitted_on, HazardModel.from_dict(stored["hazard"]), ranges, fingerprint)


@dataclass(frozen=True)
class Learned:
    """Every set of models up to a day, in order; the first is that of a practice without a closed episode."""

    models: Sequence[Models]
    fits: int = 0
    fit_seconds: float = 0.0

    @cached_property
    def versions(self) -> list[str]:
        """Of every set, in order."""
        return [one.version for one in self.models]

    def by_data(self) -> dict[tuple[date, str], Models]:
        """The fits by their day and the name of their data, to be taken over."""
        return {(one.fitted_on, one.fingerprint): one for one in self.models}

    def place(self, day: date) -> int:
        """Which set was in force at the end of a day."""
        return bisect_right([one.fitted_on for one in self.models], day) - 1

    def at(self, day: date) -> Models:
        """The models in force at the end of a day."""
        return self.models[self.place(day)]

    def up_to(self, day: date) -> Learned:
        """What was learned by a day."""
        return Learned(self.models[: self.place(day) + 1])


def unlearned(instruments: Mapping[str, Instrument]) -> Models:
    """The models of day one: published priors and project defaults."""
    return Models(
        FIRST_DAY,
        day_one(norms=stated_norms(dict(instruments))),
        fit_all(pl.DataFrame(schema=LATER_SCORES.schema), instruments),
    )


@dataclass
class Material:
    """What is learned from, gathered part by part: ``sessions`` (SESSIONS) and ``states`` (STATES, one row per change)."""

    sessions: list[pl.DataFrame] = field(default_factory=list)
    states: list[pl.DataFrame] = field(default_factory=list)

    def add(self, real: pl.DataFrame, sessions: pl.DataFrame) -> None:
        """``real``: features of some episodes on every day that matters, keyed by real episode and day, sorted so."""
        self.sessions.append(sessions)
        coded = pl.col("ending").is_not_null() & (pl.col("ending") != "unknown")
        state = real.select(
            "episode_id",
            "as_of",
            is_closed=~pl.col("is_open"),
            left=pl.when(pl.col("dropout")).then(True).when(~pl.col("is_open") & coded).then(False),
        )
        same = pl.all_horizontal(pl.col(c).eq_missing(pl.col(c).shift(1)) for c in ("episode_id", "is_closed", "left"))
        self.states.append(state.filter(~same))


def _known_on(states: pl.DataFrame) -> list[date]:
    """The days on which an ending, or that somebody left, first became known, in order."""
    ended = states.filter(pl.col("is_closed") | pl.col("left").fill_null(False))
    return ended.group_by("episode_id").agg(pl.col("as_of").min())["as_of"].sort().to_list()


def _at(states: pl.DataFrame, day: date) -> pl.DataFrame:
    """The state of every episode at the end of a day."""
    return with_places(states.filter(pl.col("as_of") <= day)).filter("is_last").drop("row", "first", "is_last")


def _gone(history: History) -> pl.DataFrame:
    """episode_id and ``gone_on``: episodes withdrawn and never given again, which nothing is learned from since that day."""
    last = history.episodes.group_by("episode_id").agg(
        gone_on=pl.when(pl.col("valid_to").is_null().any()).then(None).otherwise(pl.col("valid_to").max())
    )
    return last.drop_nulls("gone_on")


class _ClosedScores:
    """Scores of closed episodes as known on ever later days; an episode is read again only where something changed."""

    def __init__(self, history: History, changes: pl.DataFrame, instruments: dict[str, Instrument]) -> None:
        self.history, self.changes, self.instruments = history, changes, instruments
        self.before: date | None = None
        self.rows = pl.DataFrame(schema=LATER_SCORES.schema)

    def at(self, day: date, closed: pl.Series) -> pl.DataFrame:
        """LATER_SCORES of the episodes closed by a day, as known then."""
        moved = self.changes.filter(pl.col("as_of") <= day)
        if self.before is not None:
            moved = moved.filter(pl.col("as_of") > self.before)
        self.before = day
        touched = moved["episode_id"].unique()
        again = touched.filter(touched.is_in(closed.implode())).sort()
        kept = self.rows.filter(~pl.col("episode_id").is_in(touched.implode()))
        self.rows = pl.concat([kept, self._read(again, day)]) if len(again) else kept
        return self.rows

    def _read(self, ids: pl.Series, day: date) -> pl.DataFrame:
        days = pl.DataFrame({"unit": ids, "episode_id": ids}).with_columns(as_of=pl.lit(day))
        frames = as_known(self.history.of(ids), days)
        made = totals(frames.scores, self.instruments).filter(
            (pl.col("scale") == "total") & (pl.col("respondent") == "client")
        )
        diary = dated(frames.appointments)
        return later_scores(made.with_columns(session_on(diary, made)))


def _fingerprint(sessions: pl.DataFrame, left: pl.DataFrame, later: pl.DataFrame, dropout_days: int, start: str) -> str:
    """A name for what a fit hangs on, the models it starts from (``start``) and its data, in whatever order its rows are."""
    parts = [str(frame.hash_rows(seed=1).sum()) + f":{frame.height}" for frame in (sessions, left, later)]
    return hashlib.sha256("|".join([*parts, str(dropout_days), start]).encode()).hexdigest()[:16]


def learn(
    history: History,
    as_of: date,
    instruments: dict[str, Instrument],
    material: Material,
    changes: pl.DataFrame,
    kept: Mapping[tuple[date, str], Models],
    dropout_days: int,
    timer: Timer = no_timer,
) -> Learned:
    """Every set of models up to a day.

    ``dropout_days``: how long it takes to know that somebody left. ``changes``: episode_id and as_of of every day that matters;
    ``kept``: earlier fits.
    """
    found = [unlearned(instruments)]
    sessions = pl.concat([pl.DataFrame(schema=SESSIONS), *material.sessions])
    states = pl.concat([pl.DataFrame(schema=STATES), *material.states])
    closed_scores = _ClosedScores(history, changes, instruments)
    gone = _gone(history)
    fits, spent = 0, 0.0
    for day in refit_days(_known_on(states), as_of):
        never = gone.filter(pl.col("gone_on") <= day)
        now = _at(states, day).join(never, on="episode_id", how="anti", maintain_order="left")
        known_by = sessions.filter(pl.col("as_of") <= day).join(
            never, on="episode_id", how="anti", maintain_order="left"
        )
        held = known_by.select(HAZARD_SESSIONS.schema.keys())
        left = now.select("episode_id", "left")
        later = closed_scores.at(day, now.filter("is_closed")["episode_id"])
        name = _fingerprint(known_by, left, later, dropout_days, found[0].version)
        earlier = kept.get((day, name))
        if earlier is None:
            fits, began = fits + 1, timer()
            rows = hazard_rows(held, measured_norms(held, stated_norms(instruments)))
            followed = what_followed(rows, left)
            # who came back is known at once, who did not only after the limit: recent sessions would look too good
            recent = (known_by["as_of"] > day - timedelta(days=dropout_days)).to_numpy()
            followed[recent[rows.place]] = -1
            earlier = Models(day, fit(rows, followed), fit_all(later, instruments), name)
            spent += timer() - began
        found.append(earlier)
    return Learned(found, fits, spent)
