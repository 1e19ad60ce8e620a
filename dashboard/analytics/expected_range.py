"""Where a score lies against what is usual at this session for clients who began with the same score (science 3.3).

The range is two-sided 80 %: about 1 in 10 typical clients lies beyond each line. Only a score strictly beyond the unfavourable
one is off track; a score better than the range is none of it. A prompt to talk about a case, no verdict on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboard.analytics.range_model import RangeModel
from dashboard.analytics.reliable_change import ROUNDING

Reals = NDArray[np.float64]

ON_TRACK = ("on_track", "not_on_track", "not_enough_data")
FIRST_SESSION = 2  # at session 1 there is no course yet
BAND_WORDS = "about 1 in 10 typical clients would be beyond this line"

LIMITS = {"expected_low": pl.Float64(), "expected_mid": pl.Float64(), "expected_high": pl.Float64()}
BAND = {"session_number": pl.Int64(), "low": pl.Float64(), "mid": pl.Float64(), "high": pl.Float64()}

_BASES = {
    "published": "the course published for NHS Talking Therapies",
    "stated": "the instrument's stated mean and spread (project default)",
    "scale": "the width of the scale, no improvement assumed (project default)",
}


def expected(model: RangeModel | None, baseline: pl.Series, session: pl.Series) -> pl.DataFrame:
    """Limits in points per first score and session number (LIMITS), unrounded.

    Null before session 2, without a first score, and without a usable model.
    """
    y0 = baseline.cast(pl.Float64).fill_null(np.nan).to_numpy()
    t = session.cast(pl.Float64).fill_null(np.nan).to_numpy()
    found = _limits(model, y0, t)
    return pl.DataFrame(dict(zip(LIMITS, found, strict=True)), schema=LIMITS).fill_nan(None)


def with_expected_range(frame: pl.DataFrame, models: Mapping[str, RangeModel]) -> pl.DataFrame:
    """Adds expected_low, expected_mid, expected_high (LIMITS) and on_track (ON_TRACK) to one row per episode.

    ``frame``: outcome_instrument, scores, baseline, latest, latest_session (attended sessions up to the latest score's day;
    null before the first). not_enough_data: under two scores, latest score at session 1 or before, no usable model.
    """
    return frame.hstack(expected_ranges(frame, [models], np.zeros(frame.height, dtype=np.int64)))


def expected_ranges(
    frame: pl.DataFrame, sets: Sequence[Mapping[str, RangeModel]], which: NDArray[np.int64]
) -> pl.DataFrame:
    """LIMITS and on_track as in ``with_expected_range``, each row by the set of models ``which`` names."""
    names = frame["outcome_instrument"].drop_nulls().unique().sort().to_list()
    code = frame["outcome_instrument"].replace_strict(
        {name: at for at, name in enumerate(names)}, default=len(names), return_dtype=pl.Int64
    )
    group = which * (len(names) + 1) + code.fill_null(len(names)).to_numpy()
    enough = np.flatnonzero((frame["scores"].fill_null(0) >= 2).to_numpy())
    order = enough[np.argsort(group[enough], kind="stable")]
    begins = np.flatnonzero(np.diff(group[order], prepend=-1))
    limits = np.full((3, frame.height), np.nan)
    is_up = np.ones(frame.height, dtype=bool)
    y0, t = (frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in ("baseline", "latest_session"))
    for own in np.split(order, begins[1:]) if len(order) else ():
        number, at = divmod(int(group[own[0]]), len(names) + 1)
        model = sets[number].get(names[at]) if at < len(names) else None
        if model is not None:
            is_up[own] = model.direction > 0
            limits[:, own] = _limits(model, y0[own], t[own])
    found = pl.DataFrame(dict(zip(LIMITS, limits, strict=True)), schema=LIMITS).fill_nan(None)
    return found.with_columns(on_track=_on_track(frame["latest"], found, is_up))


def _limits(model: RangeModel | None, y0: Reals, t: Reals) -> Reals:
    """Lower limit, middle and upper limit (rows); NaN where there is none."""
    found = np.full((3, len(y0)), np.nan)
    if model is not None and model.usable:
        known = np.isfinite(y0) & (t >= FIRST_SESSION)
        found[:, known] = model.limits(y0[known], t[known])
    return found


def _on_track(latest: pl.Series, limits: pl.DataFrame, is_up: NDArray[np.bool_]) -> pl.Series:
    """The word per score: strictly beyond the unfavourable limit is not_on_track, the limit itself is on_track.

    ``is_up``: higher is better, so that the unfavourable limit is the lower one.
    """
    score = pl.col("score")
    beyond = (
        pl.when("is_up")
        .then(score < pl.col("expected_low") - ROUNDING)
        .otherwise(score > pl.col("expected_high") + ROUNDING)
    )
    return (
        limits.with_columns(score=latest, is_up=pl.Series(is_up, dtype=pl.Boolean))
        .select(
            pl.when(beyond.is_null())
            .then(pl.lit("not_enough_data"))
            .when(beyond)
            .then(pl.lit("not_on_track"))
            .otherwise(pl.lit("on_track"))
            .alias("on_track")
        )
        .to_series()
    )


def band(model: RangeModel | None, baseline: float | None, sessions: Sequence[int]) -> pl.DataFrame:
    """The range along a client's course, one row per session asked for (BAND), for a chart; null as in ``expected``."""
    number = pl.Series("session_number", list(sessions), dtype=pl.Int64)
    limits = expected(model, pl.Series([baseline] * len(number), dtype=pl.Float64), number)
    return pl.DataFrame([number, *limits.rename({f"expected_{name}": name for name in ("low", "mid", "high")})])


def origin(model: RangeModel) -> str:
    """Where the range comes from, in words for the card that shows it."""
    start = _BASES[model.prior.basis]
    if not model.n:
        return f"from {start}; none of this practice's closed episodes yet"
    share = round(100 * model.weight)
    return f"{share} % from {model.n} closed episodes of this practice, the rest from {start}"
