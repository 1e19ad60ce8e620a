"""Which questionnaire speaks for an episode, and its latest rating on each day asked."""

from __future__ import annotations

import numpy as np
import polars as pl

from dashboard.analytics.places import DAYS, LATEST, nullable, place_in_time


def rated(totals: pl.DataFrame, kind: pl.DataFrame, wanted: str) -> pl.DataFrame:
    """Client-rated totals of one kind of instrument, with ``series``: a number per episode and instrument.

    ``totals`` is in the order that ``scoring.totals`` gives; it is kept. Columns of ``kind`` (see
    ``reliable_change.thresholds``) come along.
    """
    kinds = kind.filter(pl.col("kind") == wanted)
    found = totals.filter(
        (pl.col("scale") == "total")
        & (pl.col("respondent") == "client")
        & pl.col("instrument").is_in(kinds["instrument"].implode())
    )
    begins = pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift(1)) for c in ("episode_id", "instrument"))
    return found.with_columns(series=begins.cast(pl.Int64).cum_sum() - 1).join(
        kinds, on="instrument", how="left", maintain_order="left"
    )


def latest_rated(rows: pl.DataFrame, asked: pl.DataFrame, preferred: str = "") -> pl.Series:
    """Per day asked the row of its latest rating on the instrument with most ratings so far (ties: by key); null without any.

    ``rows``: from ``rated``. ``asked``: stretch, known_to. ``preferred`` stands first wherever it has a score.
    """
    best = np.full(asked.height, -1)
    if rows.is_empty():
        return nullable(best, best >= 0)
    first = np.flatnonzero(np.diff(rows["series"].to_numpy(), prepend=-1))
    of_stretch = rows["episode_id"].to_numpy()[first]
    is_preferred = (rows["instrument"].gather(first) == preferred).to_numpy()
    keys = place_in_time(rows["series"], rows["taken_on"])
    stretch, day = asked["stretch"].to_numpy(), asked["known_to"].to_physical().cast(pl.Int64).to_numpy()
    candidate, last = np.searchsorted(of_stretch, stretch), len(first) - 1
    count, put_first = np.zeros(asked.height, dtype=np.int64), np.zeros(asked.height, dtype=bool)
    # an episode has few instruments: looking at the first of each, then the second, is faster than sorting
    while True:
        one = np.minimum(candidate, last)
        has = (candidate <= last) & (of_stretch[one] == stretch)
        if not has.any():
            break
        end = np.searchsorted(keys, one * DAYS + day + DAYS // 2, side="right")
        own, is_first = end - first[one], is_preferred[one]
        wins = has & (own > 0) & ((is_first > put_first) | ((is_first == put_first) & (own > count)))
        best, count, put_first = (
            np.where(wins, end - 1, best),
            np.where(wins, own, count),
            put_first | (wins & is_first),
        )
        candidate = candidate + 1
    return nullable(best, best >= 0)


def chosen(totals: pl.DataFrame, kind: pl.DataFrame, wanted: str, preferred: str = "") -> pl.DataFrame:
    """Per episode the client-rated instrument of that kind with most dated totals (ties: by key), and its totals (``rated``)."""
    rows = rated(totals, kind, wanted)
    episodes = rows.select(stretch=pl.col("episode_id").unique(maintain_order=True))
    last = latest_rated(rows, episodes.with_columns(known_to=pl.lit(LATEST)), preferred)
    return rows.filter(pl.col("series").is_in(rows["series"].gather(last).implode()))
