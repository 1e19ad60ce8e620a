"""What was known on a day: history with validity in, frames as of many days out.

A row is known on day D when ``valid_from`` <= D and it was not yet superseded (``valid_to`` null or after D). An ending counts
only from the day it was known, an appointment reads "booked" until its status was known, a score of a later day is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from dashboard.analytics.experience import SEEN
from dashboard.contracts import APPOINTMENTS, EPISODES, SAFETY_CHECKS, SCORES, Frames
from dashboard.replay.answers import REPLIES

TRAINEES = {
    "clinician_id": pl.Int64(),
    "is_trainee": pl.Boolean(),
    "valid_from": pl.Date(),
    "valid_to": pl.Date(),
}

LEAVES = {
    "clinician_id": pl.Int64(),
    "from_day": pl.Date(),
    "to_day": pl.Date(),
    "valid_from": pl.Date(),
}


# Client's scores that name an appointment on another day than their own, and when that was known.
LINKS = {
    "episode_id": pl.Int64(),
    "appointment_id": pl.Int64(),
    "instrument": pl.String(),
    "taken_on": pl.Date(),
    "valid_from": pl.Date(),
    "valid_to": pl.Date(),
}


@dataclass(frozen=True)
class History:
    """Every version of every row of a practice, for replay.

    ``episodes``: EPISODES without as_of, plus valid_from, valid_to, ending_known_from. ``appointments``: APPOINTMENTS plus
    valid_from, valid_to, status_known_from. ``scores``: SCORES plus valid_from, valid_to. ``safety_checks``: SAFETY_CHECKS.
    ``clinicians``: TRAINEES and ``leave``: LEAVES, of everyone in the practice. ``replies``: REPLIES. ``everyone``: SEEN of
    the whole practice where ``episodes`` is a part of it. ``links``: LINKS.
    """

    episodes: pl.DataFrame
    appointments: pl.DataFrame
    scores: pl.DataFrame
    safety_checks: pl.DataFrame
    clinicians: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TRAINEES))
    leave: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LEAVES))
    replies: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REPLIES))
    everyone: pl.DataFrame | None = None
    links: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LINKS))

    @property
    def seen(self) -> pl.DataFrame:
        """Who has seen which problem areas (SEEN): of the whole practice, also where this is a part of it."""
        return self.episodes.select(*SEEN) if self.everyone is None else self.everyone

    def of(self, episode_ids: pl.Series) -> History:
        """The part that belongs to some episodes."""
        wanted = episode_ids.to_frame("episode_id")
        return self._each(lambda part: part.join(wanted, on="episode_id", how="semi"))

    def between(self, first: int, last: int) -> History:
        """The part that belongs to the episodes numbered so; faster than naming each."""
        return self._each(lambda part: part.filter(pl.col("episode_id").is_between(first, last)))

    def _each(self, some: Callable[[pl.DataFrame], pl.DataFrame]) -> History:
        own = [some(part) for part in (self.episodes, self.appointments, self.scores, self.safety_checks)]
        return History(
            own[0], own[1], own[2], own[3], self.clinicians, self.leave, self.replies, self.seen, some(self.links)
        )


def _valid() -> pl.Expr:
    return (pl.col("valid_from") <= pl.col("as_of")) & (
        pl.col("valid_to").is_null() | (pl.col("as_of") < pl.col("valid_to"))
    )


def episodes_on(history: History, days: pl.DataFrame) -> pl.DataFrame:
    """Episodes as known on the days asked for: EPISODES with ``unit``; absent where not known or not yet opened."""
    closing = (pl.col("ending_known_from") <= pl.col("as_of")) & (pl.col("closed_on") <= pl.col("as_of"))
    return (
        history.episodes.join(days, on="episode_id")
        .filter(_valid() & (pl.col("opened_on") <= pl.col("as_of")))
        .with_columns(
            closed_on=pl.when(closing).then(pl.col("closed_on")),
            ending=pl.when(closing).then(pl.col("ending")),
            change_requested_on=pl.when(pl.col("change_requested_on") <= pl.col("as_of")).then(
                pl.col("change_requested_on")
            ),
        )
    )


def by_unit(frame: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    """These columns, ``episode_id`` being the unit."""
    return frame.drop("episode_id").rename({"unit": "episode_id"}).select(*columns)


def scores_by(scores: pl.DataFrame, units: pl.DataFrame) -> pl.DataFrame:
    """SCORES known on each day of ``units`` (unit, episode_id, as_of), named by the unit."""
    known = scores.join(units, on="episode_id").filter(_valid() & (pl.col("taken_on") <= pl.col("as_of")))
    return by_unit(known, SCORES.schema)


def checked_by(history: History, units: pl.DataFrame) -> pl.DataFrame:
    """SAFETY_CHECKS made by each day of ``units``, named by the unit."""
    checks = history.safety_checks.join(units, on="episode_id").filter(pl.col("checked_on") <= pl.col("as_of"))
    return by_unit(checks, SAFETY_CHECKS.schema)


def _appointments(versions: pl.DataFrame) -> pl.DataFrame:
    happened = pl.col("status_known_from") <= pl.col("as_of")
    return versions.filter(_valid()).with_columns(
        status=pl.when(happened).then(pl.col("status")).otherwise(pl.lit("booked"))
    )


def appointments_on(history: History, day: date) -> pl.DataFrame:
    """APPOINTMENTS as known on a day."""
    return _appointments(history.appointments.with_columns(as_of=pl.lit(day))).select(APPOINTMENTS.schema.keys())


def links_on(history: History, day: date) -> pl.DataFrame:
    """episode_id, appointment_id, instrument, taken_on of LINKS as known on a day."""
    known = history.links.with_columns(as_of=pl.lit(day)).filter(_valid() & (pl.col("taken_on") <= pl.col("as_of")))
    return known.select("episode_id", "appointment_id", "instrument", "taken_on").unique(maintain_order=True)


def away_on(history: History, episodes: pl.DataFrame) -> pl.DataFrame:
    """LEAVE of the episodes' clinicians known on each day (clinician_id, unit, as_of), named by the unit."""
    return (
        episodes.select("clinician_id", "unit", "as_of")
        .join(history.leave, on="clinician_id")
        .filter(pl.col("valid_from") <= pl.col("as_of"))
        .select(pl.col("unit").alias("episode_id"), "from_day", "to_day")
    )


def as_known(history: History, days: pl.DataFrame) -> Frames:
    """Frames of the episodes as known on the days asked for; ``days`` has unit, episode_id, as_of.

    In the result ``episode_id`` is the unit, so that one episode may stand there once for each day. Units of days on which
    the episode was not known, or not yet opened, are absent.
    """
    episodes = episodes_on(history, days)
    units = episodes.select("unit", "episode_id", "as_of")
    appointments = _appointments(history.appointments.join(units, on="episode_id"))
    return Frames(
        by_unit(episodes, EPISODES.schema),
        by_unit(appointments, APPOINTMENTS.schema),
        scores_by(history.scores, units),
        checked_by(history, units),
        away_on(history, episodes),
    )
