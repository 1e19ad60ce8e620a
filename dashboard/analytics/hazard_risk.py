"""What the dropout model says about each session: risk, how it compares with what is usual then, how sure, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboard.analytics.hazard import HazardModel
from dashboard.analytics.hazard_rows import HazardRows, time_columns
from dashboard.analytics.hazard_terms import KEYS, PRIOR, REASONS, TIME
from dashboard.analytics.newton import chance
from dashboard.errors import ContractError

Reals = NDArray[np.float64]
AHEAD = 4  # sessions
Z80 = 1.2815515655446004  # half the width of an 80 % interval in sd
MOST_REASONS = 3
WORTH_NAMING = 0.10  # log odds: less (about 10 % above usual) is no reason worth a line
OWN_LEVEL_NEEDS = 2  # ratings before "this client's own level" means anything
CHUNK = 65_536

RISK = {
    "episode_id": pl.Int64(),
    "session_number": pl.Int64(),
    "next_session": pl.Float64(),
    "next_session_low": pl.Float64(),
    "next_session_high": pl.Float64(),
    "next_4": pl.Float64(),
    "next_4_low": pl.Float64(),
    "next_4_high": pl.Float64(),
    "usual_4": pl.Float64(),
    "relative": pl.Float64(),
    "reasons": pl.String(),
}
CHANCES = {
    name: RISK[name] for name in ("episode_id", "session_number", "next_session", "next_4", "usual_4", "relative")
}
CODES = tuple(REASONS)


def predict(model: HazardModel, rows: HazardRows, *, reasons: bool = True) -> pl.DataFrame:
    """One row (RISK) per session, in the order of ``rows``; ``rows.norms`` must be the model's.

    ``next_session``: the chance that this session was the last without an agreed ending. ``next_4``: that this one or one of
    the three after it is, everything but the session's number staying as it is. low and high: 80 % interval (delta method
    on log odds) for what is not known of the coefficients, the clinician and the alliance behind its ratings, not for what
    will happen. ``relative``: next_session over the practice's usual hazard at that session number; ``usual_4``: next_4 of
    that usual course. ``reasons``: up to three codes of REASONS joined by ";", largest first; empty where nothing raises the
    risk. A clinician unknown to the model is an average one, with wider intervals.
    """
    return _in_parts(model, rows, RISK, lambda part: _risk(model, part, reasons))


def chances(model: HazardModel, rows: HazardRows) -> pl.DataFrame:
    """CHANCES of ``predict`` alone, at a fraction of its cost; a row says the same whatever rows stand beside it."""
    return _in_parts(model, rows, CHANCES, lambda part: _chances(model, part).said)


def _in_parts(
    model: HazardModel, rows: HazardRows, schema: Mapping[str, pl.DataType], say: Callable[[HazardRows], pl.DataFrame]
) -> pl.DataFrame:
    if rows.norms != model.norms:
        raise ContractError("hazard rows were made with other norms than the model's")
    if not len(rows):
        return pl.DataFrame(schema=schema)
    parts = [say(rows.only(slice(at, at + CHUNK))).select(schema.keys()) for at in range(0, len(rows), CHUNK)]
    return parts[0] if len(parts) == 1 else pl.concat(parts)


@dataclass(frozen=True)
class _Chances:
    """``said``: CHANCES; ``hazards`` of this session and the three after it; ``x`` in double precision."""

    said: pl.DataFrame
    hazards: list[Reals]
    x: Reals


def _chances(model: HazardModel, rows: HazardRows) -> _Chances:
    x = rows.x.astype(np.float64)
    b, width = np.array(model.mean), len(TIME)
    fixed = _weighed(x[:, width:], b[width:]) + _clinicians(model, rows.clinician)[0]
    # the time terms hang on the session's number alone: once per number is enough
    numbers = np.arange(int(rows.session.max(initial=0)) + AHEAD, dtype=np.int64)
    time = _weighed(time_columns(numbers).astype(np.float64), b[:width])
    usual = chance(time + float(np.array(model.usual)[width:] @ b[width:]))
    hazards = [chance(time[rows.session + ahead] + fixed) for ahead in range(AHEAD)]
    stay, usual_stay = (
        np.prod([1 - one for one in each], axis=0)
        for each in (hazards, [usual[rows.session + ahead] for ahead in range(AHEAD)])
    )
    said = pl.DataFrame(
        {
            "episode_id": rows.episode,
            "session_number": rows.session,
            "next_session": hazards[0],
            "next_4": 1 - stay,
            "usual_4": 1 - usual_stay,
            "relative": hazards[0] / usual[rows.session],
        }
    )
    return _Chances(said, hazards, x)


def _risk(model: HazardModel, rows: HazardRows, reasons: bool) -> pl.DataFrame:
    known = _chances(model, rows)
    x, hazards, next_4 = known.x, known.hazards, known.said["next_4"].to_numpy()
    root = np.linalg.cholesky(np.array(model.covariance))
    _, own_variance, lean = _clinicians(model, rows.clinician)
    width = len(TIME)
    moved = [time_columns(rows.session + ahead).astype(np.float64) for ahead in range(AHEAD)]
    alliance = _unsure_of_alliance(np.array(model.mean), rows.unsure)
    low, high = _interval(hazards[0], x - lean, root, own_variance + alliance)
    # d logit(next_4) / d eta_k = h_k / next_4: weights that turn four rows into one direction
    weights = [one / next_4 for one in hazards]
    total = np.sum(weights, axis=0)
    direction = (x - lean) * total[:, None]
    direction[:, :width] = sum(w[:, None] * time for w, time in zip(weights, moved, strict=True))
    direction[:, :width] -= lean[:, :width] * total[:, None]
    low4, high4 = _interval(next_4, direction, root, (own_variance + alliance) * total**2)
    return known.said.with_columns(
        next_session_low=pl.Series(low),
        next_session_high=pl.Series(high),
        next_4_low=pl.Series(low4),
        next_4_high=pl.Series(high4),
        reasons=_reasons(model, x, rows.ratings) if reasons else pl.lit(""),
    )


def _weighed(rows: Reals, weights: Reals) -> Reals:
    """Weighed sums of rows, each added up alike: a matrix product rounds by how many rows stand beside it."""
    return np.asarray(np.einsum("ij,j->i", rows, weights))


def _clinicians(model: HazardModel, clinician: NDArray[np.int64]) -> tuple[Reals, Reals, Reals]:
    """Per row: effect, its own variance, and its lean on the coefficients; an unknown clinician is average and uncertain."""
    known = np.array(model.clinicians, dtype=np.int64)
    at = np.searchsorted(known, clinician)
    found = (at < len(known)) & (known[np.minimum(at, len(known) - 1)] == clinician) if len(known) else at < 0
    at = np.where(found, at, len(known))
    effects = np.array([*model.effects, 0.0])
    variances = np.array([*model.own_variance, model.clinician_sd**2])
    lean = np.array([*model.lean, [0.0] * len(model.keys)])
    return effects[at], variances[at], lean[at]


def _unsure_of_alliance(b: Reals, unsure: NDArray[np.float32]) -> Reals:
    """Variance of the log odds because the alliance behind few, noisy or missing ratings is not known."""
    level, now = b[KEYS.index("alliance_level")], b[KEYS.index("alliance_now")]
    return _weighed(unsure.astype(np.float64), np.array([level**2, now**2, 2 * level * now]))


def _interval(middle: Reals, direction: Reals, root: Reals, own_variance: Reals) -> tuple[Reals, Reals]:
    half = Z80 * np.sqrt((np.einsum("ij,jk->ik", direction, root) ** 2).sum(axis=1) + own_variance)
    log_odds = np.log(middle / (1 - middle))
    return chance(log_odds - half), chance(log_odds + half)


def _reasons(model: HazardModel, x: Reals, ratings: NDArray[np.int32]) -> pl.Series:
    """The codes whose terms together raise the log odds most above the practice's mean, largest first."""
    above = (x - np.array(model.usual)) * np.array(model.mean)
    by_code = np.zeros((len(x), len(CODES)))
    for column, term in enumerate(PRIOR):
        if term.reason:
            by_code[:, CODES.index(term.reason)] += above[:, column]
    low, fell = CODES.index("alliance_low"), CODES.index("alliance_fell")
    early = ratings < OWN_LEVEL_NEEDS
    by_code[early, low] += by_code[early, fell]
    by_code[early, fell] = 0.0
    # nothing may be said about the alliance of somebody who has not rated it
    by_code[np.ix_(ratings == 0, [low, fell])] = 0.0
    order = np.argsort(-by_code, axis=1, kind="stable")[:, :MOST_REASONS]
    counts = np.take_along_axis(by_code, order, axis=1) >= WORTH_NAMING
    words = np.array([*CODES, ""])[np.where(counts, order, len(CODES))]
    named = pl.DataFrame({f"r{at}": words[:, at] for at in range(MOST_REASONS)})
    return named.select(pl.concat_str(pl.all(), separator=";").str.strip_chars_end(";")).to_series()
