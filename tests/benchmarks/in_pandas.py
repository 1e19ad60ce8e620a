"""The running features of attendance as one would write them in pandas, beside ours: same rows, same days, same answers."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import polars as pl

from dashboard.analytics.attendance import MISSED, attendance, dated
from dashboard.analytics.stretches import Stretches
from dashboard.settings import Rules

LEFT_OUT = "missed_since"  # the day of the n-th missed one of a window is no running sum
EPISODE = 2**20


def _ours(known: Stretches, rules: Rules) -> pl.DataFrame:
    return attendance(dated(known.appointments), known.asked, rules)


def _key(episode: pd.Series, day: pd.Series) -> np.ndarray:
    return episode.to_numpy() * EPISODE + day.to_numpy().astype("datetime64[D]").astype(np.int64)


def _theirs(visits: pd.DataFrame, asked: pd.DataFrame, recent: int) -> pd.DataFrame:
    """Grouped running sums, shifts and fills, then the last row up to each day by sorted search."""
    visits = visits.sort_values(["stretch", "starts_at", "appointment_id"], kind="stable").reset_index(drop=True)
    by, status, day = visits["stretch"], visits["status"], visits["starts_at"].dt.normalize()
    attended, missed = status == "attended", status.isin(MISSED)
    misses = missed.groupby(by, sort=False).cumsum()
    sums = pd.DataFrame({"no_shows": status == "no_show", "late": status == "late_cancelled"})
    sums = sums.groupby(by, sort=False).cumsum()[attended]
    met = by[attended]
    gaps = sums - sums.groupby(met, sort=False).shift(1).fillna(0)
    came = day[attended].groupby(met, sort=False)
    sessions = pd.DataFrame(
        {
            "first_attended_on": came.transform("first"),
            "last_attended_on": day[attended],
            "sessions_attended": came.cumcount() + 1,
            "last_mode": visits["mode"][attended],
            "previous_attended_on": came.shift(1),
            "missed_before_last": gaps["no_shows"],
            "late_before_last": gaps["late"],
        }
    )
    # a session without a mode must not take over the mode of the one before: carry its row, not its values
    row = pd.Series(np.where(attended, np.arange(len(visits)), np.nan)).groupby(by, sort=False).ffill()
    so_far = sessions.reindex(row.fillna(-1).astype(np.int64)).reset_index(drop=True)
    so_far["missed_recent"] = misses - misses.groupby(by, sort=False).shift(recent).fillna(0)
    so_far["last_missed_on"] = day.where(missed).groupby(by, sort=False).ffill().where(so_far["missed_recent"] > 0)
    so_far["last_status"] = status
    at = np.searchsorted(_key(by, day), _key(asked["stretch"], asked["known_to"]), side="right") - 1
    found = (at >= 0) & (by.to_numpy()[np.maximum(at, 0)] == asked["stretch"].to_numpy())
    return so_far.reindex(np.where(found, at, -1)).reset_index(drop=True)


def compare(known: Stretches, rules: Rules) -> str:
    """Seconds of both, best of three, and a check that they agree; making the pandas frames is not counted."""
    named = known.appointments.rename({"episode_id": "stretch"})
    visits = pd.DataFrame(named.to_dict(as_series=False))
    asked = pd.DataFrame({name: known.asked[name].to_numpy() for name in ("stretch", "known_to")})
    spent = []
    for work in (lambda: _ours(known, rules), lambda: _theirs(visits, asked, rules.recent_appointments)):
        times = []
        for _ in range(3):
            began = time.perf_counter()
            work()
            times.append(time.perf_counter() - began)
        spent.append(min(times))
    ours, theirs = _ours(known, rules), _theirs(visits, asked, rules.recent_appointments)
    for name in ("sessions_attended", "missed_before_last", "late_before_last", "missed_recent"):
        one, other = ours[name].fill_null(0).to_numpy(), theirs[name].fillna(0).to_numpy()
        assert (one == other).all(), name
    for name in ("first_attended_on", "last_attended_on", "previous_attended_on", "last_missed_on"):
        one, other = ours[name].cast(pl.Datetime("ns")).to_numpy(), theirs[name].to_numpy().astype("datetime64[ns]")
        assert ((one == other) | (np.isnat(one) & np.isnat(other))).all(), name
    return (
        f"attendance on {known.asked.height:,} days: {spent[0]:.2f} s, pandas groupby-cumsum {spent[1]:.2f} s "
        f"({spent[1] / spent[0]:.1f} times; all columns but {LEFT_OUT})"
    )
