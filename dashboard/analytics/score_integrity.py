"""Whether scores can be trusted as a picture of how clients are: of the whole practice, never of a clinician.

Three things that ordinary reasons can bring about as well, and that are questions therefore: a jump in last scores at the
cut-off (the idea of McCrary 2008 and of bunching, Kleven 2016), fewer scores taken right after a score that was worse than
expected, and appointments whose status was changed after it was first known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from dashboard.analytics import reliable_change as rc
from dashboard.analytics.clustered import Difference, Ratio, difference, odds_ratio
from dashboard.instruments.instrument import Instrument

LEAST = 30  # project default: rows on either side under which a difference of shares says nothing
OF_A_CHANGE = 1.0  # project default: the window on each side of the cut-off, in reliable changes
OF_THE_RANGE = 0.2  # project default: the same where no reliable change is published, in ranges

# Attended sessions; outcome and its expected range as that day's evaluation gave them; the rest is of the episode.
SCORED = {
    "episode_id": pl.Int64(),
    "session_number": pl.Int64(),
    "outcome": pl.Float64(),
    "expected_low": pl.Float64(),
    "expected_high": pl.Float64(),
    "closed_on": pl.Date(),
    "outcome_instrument": pl.String(),
    "baseline": pl.Float64(),
}
# Statuses that an appointment no longer has: until when, and the one it has today.
STATUSES_HELD = {
    "appointment_id": pl.Int64(),
    "status": pl.String(),
    "superseded_on": pl.Date(),
    "current": pl.String(),
}
RELABELLED = {"quarter": pl.Date(), "was": pl.String(), "became": pl.String(), "appointments": pl.Int64()}


@dataclass(frozen=True)
class Compared:
    """Two shares with the interval of their difference; ``found`` null under LEAST on either side (``one_n``, ``other_n``)."""

    found: Difference | None
    one_n: int
    other_n: int


@dataclass(frozen=True)
class Cliff:
    """Last scores of closed episodes near the cut-off, against the same episodes' earlier ones there.

    ``window``: points on each side that count as near. ``last``, ``last_healthy``, ``earlier``, ``earlier_healthy``: counts of
    scores. ``jump``: how many times the odds of a last score rise at the cut-off beyond the course; null under LEAST.
    """

    instrument: str
    cutoff: float
    window: float
    last: int
    last_healthy: int
    earlier: int
    earlier_healthy: int
    jump: Ratio | None


def _compared(rows: pl.DataFrame, yes: str, first: str) -> Compared:
    """``rows``: episode_id and two columns of booleans."""
    one_n = int(rows[first].sum())
    other_n = rows.height - one_n
    if min(one_n, other_n) < LEAST:
        return Compared(None, one_n, other_n)
    ordered = rows.sort("episode_id", first, yes)
    made = difference(
        ordered[yes].to_numpy().astype(bool), ordered[first].to_numpy().astype(bool), ordered["episode_id"].to_numpy()
    )
    return Compared(made, one_n, other_n)


def window_of(one: Instrument) -> float | None:
    """Points on each side of the cut-off that count as near it; null without a cut-off or a stated range."""
    if one.cutoff is None:
        return None
    if one.reliable_threshold is not None:
        return OF_A_CHANGE * one.reliable_threshold
    return OF_THE_RANGE * (float(one.maximum or 0) - float(one.minimum or 0)) if one.usable else None


def cliffs(sessions: pl.DataFrame, instruments: dict[str, Instrument]) -> list[Cliff]:
    """Per outcome measure in use with a cut-off, by key. ``sessions``: SCORED.

    Where therapy helps, last scores are lower than earlier ones anyway, so that comparing shares would find a cliff everywhere.
    Such a course shifts the odds of being a last score smoothly with the score; what jumps at the cut-off on top of a straight
    line in the score is the cliff. A score exactly at the cut-off is clinical; both sides of the window are equally wide.
    """
    scored = sessions.drop_nulls(["outcome", "closed_on"])
    found = []
    for key in sorted(set(scored["outcome_instrument"].drop_nulls()) & set(instruments)):
        one = instruments[key]
        window = window_of(one)
        if one.kind != "outcome" or one.cutoff is None or window is None:
            continue
        rows = scored.filter(pl.col("outcome_instrument") == key).with_columns(
            last=pl.col("session_number") == pl.col("session_number").max().over("episode_id"),
            beyond=one.direction * (pl.col("outcome") - one.cutoff),  # above nought is the healthy side
        )
        near = rows.filter((pl.col("beyond") > -window) & (pl.col("beyond") <= window))
        own = near.filter(pl.col("last").any().over("episode_id")).sort("episode_id", "session_number")
        last, healthy = own["last"].to_numpy().astype(bool), (own["beyond"] > 0).to_numpy().astype(bool)
        enough = min(int(last.sum()), int((~last).sum())) >= LEAST
        jump = odds_ratio(last, healthy, own["beyond"].to_numpy(), own["episode_id"].to_numpy()) if enough else None
        counts = (int(last.sum()), int((last & healthy).sum()), int((~last).sum()), int((~last & healthy).sum()))
        found.append(Cliff(key, one.cutoff, window, *counts, jump))
    return found


def skipped(sessions: pl.DataFrame, instruments: dict[str, Instrument]) -> dict[str, Compared]:
    """Share of sessions measured right after a score worse than expected or reliably worse, against after another score.

    ``next``: every session whose session before was measured; ``last``: of these, the last session of a closed episode.
    ``sessions``: SCORED.
    """
    known = sessions.join(
        rc.thresholds(instruments).rename({"instrument": "outcome_instrument"}), on="outcome_instrument", how="inner"
    ).sort("episode_id", "session_number")
    worse = rc.is_reliable(-rc.gain(pl.col("baseline"), pl.col("outcome"))).fill_null(False)
    beyond = (
        pl.when(pl.col("direction") > 0)
        .then(pl.col("outcome") < pl.col("expected_low"))
        .otherwise(pl.col("outcome") > pl.col("expected_high"))
    ).fill_null(False)
    pairs = (
        known.with_columns(
            adverse=(worse | beyond).shift(1).over("episode_id"),
            told=pl.col("outcome").is_not_null().shift(1).over("episode_id"),
            measured=pl.col("outcome").is_not_null(),
            is_last=pl.col("closed_on").is_not_null()
            & (pl.col("session_number") == pl.col("session_number").max().over("episode_id")),
        )
        .filter(pl.col("told").fill_null(False))
        .select("episode_id", "adverse", "measured", "is_last")
    )
    return {
        "next": _compared(pairs, "measured", "adverse"),
        "last": _compared(pairs.filter("is_last"), "measured", "adverse"),
    }


def relabelled(held: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """How often a status that was known was changed later, by quarter of the change and direction (RELABELLED), up to a day.

    ``held``: STATUSES_HELD. What became of a booking is no change of a status.
    """
    ordered = held.sort("appointment_id", "superseded_on", "status")
    changed = ordered.with_columns(
        became=pl.coalesce(pl.col("status").shift(-1).over("appointment_id"), "current")
    ).filter(
        (pl.col("status") != "booked") & (pl.col("became") != pl.col("status")) & (pl.col("superseded_on") <= as_of)
    )
    return (
        changed.group_by(
            pl.col("superseded_on").dt.truncate("1q").alias("quarter"), pl.col("status").alias("was"), "became"
        )
        .agg(appointments=pl.len().cast(pl.Int64))
        .select(pl.col(name).cast(kind) for name, kind in RELABELLED.items())
        .sort("quarter", "was", "became")
    )
