"""Flagged cases of closed meetings with their scores then and four attended sessions later."""

from __future__ import annotations

import polars as pl

from dashboard.instruments.instrument import Instrument
from dashboard.meetings.effect import AHEAD, BANDS, CASES
from dashboard.signals import BY_KEY


def standardised(sessions: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """Attended sessions with ``z``: the score in the questionnaire's clinical SDs, higher better; null where unknown.

    ``sessions``: episode_id, session_number, day, outcome, instrument.
    """
    known = {key: one for key, one in instruments.items() if one.sd_clinical}

    def of(values: dict[str, float]) -> pl.Expr:
        return pl.col("instrument").replace_strict(values, default=None, return_dtype=pl.Float64)

    scale = of({key: one.direction / float(one.sd_clinical or 1) for key, one in known.items()})
    return sessions.with_columns(z=pl.col("outcome") * scale)


def four_apart(sessions: pl.DataFrame) -> pl.DataFrame:
    """before and after (SDs) of every two scores of an episode AHEAD sessions apart."""
    scored = sessions.drop_nulls("z").select("episode_id", "session_number", "z")
    later = scored.with_columns(session_number=pl.col("session_number") - AHEAD)
    return scored.join(later, on=["episode_id", "session_number"], suffix="_later").select(before="z", after="z_later")


def followed(items: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    """CASES: flagged cases of closed meetings whose next AHEAD attended sessions have been, with a score before and among them.

    ``items``: meeting_id, held_on, episode_id, client_id, clinician_id, stratum, drawn_in, discussed, signals. ``sessions`` from
    ``standardised``. Before: the last score up to the meeting's day; after: the last one within the next AHEAD sessions.
    """
    key = ["meeting_id", "episode_id"]
    then = items.join(sessions, on="episode_id").filter(pl.col("day") <= pl.col("held_on"))
    reached = (
        then.sort([*key, "session_number"])
        .group_by(key)
        .agg(reached=pl.col("session_number").last(), before=pl.col("z").drop_nulls().last())
    )
    later = (
        items.join(reached, on=key)
        .join(sessions, on="episode_id")
        .filter(pl.col("session_number").is_between(pl.col("reached") + 1, pl.col("reached") + AHEAD))
        .sort([*key, "session_number"])
        .group_by(key)
        .agg(count=pl.len(), after=pl.col("z").drop_nulls().last())
        .filter(pl.col("count") == AHEAD)
    )
    family = {one: signal.family for one, signal in BY_KEY.items()}
    first = pl.col("signals").fill_null("").str.split(";").list.first()
    instrument = sessions.group_by("episode_id").agg(pl.col("instrument").first())
    return (
        items.join(reached, on=key)
        .join(later, on=key)
        .join(instrument, on="episode_id")
        .drop_nulls(["before", "after"])
        .with_columns(
            family=first.replace_strict(family, default="", return_dtype=pl.String),
            band=sum((pl.col("reached") > edge).cast(pl.Int64) for edge in BANDS),
        )
        .select(pl.col(name).cast(kind) for name, kind in CASES.items())
        .sort(["meeting_id", "client_id"])
    )
