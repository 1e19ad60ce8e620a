"""Fitting an expected range on the closed episodes of a practice, and counting how it does on episodes it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboard.analytics import growth
from dashboard.analytics.range_calibration import band_of, cuts_of, lines, third_of
from dashboard.analytics.range_model import RangeModel
from dashboard.analytics.range_prior import prior_for
from dashboard.contracts import Contract
from dashboard.instruments.instrument import Instrument

Reals = NDArray[np.float64]
Whole = NDArray[np.int64]
Marks = NDArray[np.bool_]

FOLDS = 5
DIGITS = 10  # stored parameters; the last bits of a sum differ between processors, a version must not
SCORES_FOR_COURSE = 3  # science 3.3: closed episodes with three or more scores
ENOUGH_UNSEEN = 2_000  # episodes: coverage is then known to under one point
TOLERATED = 0.03  # science 3.3: 10 % +/- 3 % beyond the edge in hold-out
FEWEST_UNSEEN = 20  # project default: below this a share of unseen scores says nothing

# One row per score from the second session on, the first score not among them.
LATER_SCORES = Contract(
    "later_scores",
    {
        "episode_id": pl.Int64(),
        "instrument": pl.String(),
        "session_number": pl.Int64(),
        "value": pl.Float64(),
        "baseline": pl.Float64(),
        "scores": pl.Int64(),
    },
    required=("episode_id", "instrument", "session_number", "value", "baseline", "scores"),
)


def later_scores(totals: pl.DataFrame) -> pl.DataFrame:
    """What a fit reads (LATER_SCORES), from clients' totals of closed episodes, in any order.

    ``totals``: episode_id, instrument, taken_on, session_number (attended sessions up to that day; null or 0 before the
    first counts as 1), value. ``baseline`` is the first score, ``scores`` how many there are on all days.
    """
    key = ["episode_id", "instrument"]
    ordered = totals.filter(pl.col("value").is_not_null()).sort([*key, "taken_on"])
    begins = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in key)
    placed = ordered.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64), begins=begins).with_columns(
        first=pl.when("begins").then("row").forward_fill(),
        # the row after the last one of this episode
        ends=pl.when(pl.col("begins").shift(-1, fill_value=True)).then(pl.col("row") + 1).backward_fill(),
    )
    return (
        placed.with_columns(baseline=placed["value"].gather(placed["first"]), scores=pl.col("ends") - pl.col("first"))
        .filter((pl.col("row") > pl.col("first")) & (pl.col("session_number") >= 2))
        .select(pl.col(name).cast(dtype) for name, dtype in LATER_SCORES.schema.items())
    )


@dataclass(frozen=True)
class Unseen:
    """How the range did on episodes the model had not seen: counts, share inside and share beyond the unfavourable edge."""

    episodes: int
    scores: int
    coverage: float | None
    beyond: float | None
    why: str = ""

    @property
    def miscalibrated(self) -> bool:
        """True where not 10 +/- 3 % lie beyond the unfavourable edge (science 3.3); false where too few were seen to say."""
        return self.beyond is not None and abs(self.beyond - 0.10) > TOLERATED


class _Rows:
    """The later scores of one instrument (at least one) as arrays, episodes in an order that only their content decides."""

    def __init__(self, later: pl.DataFrame) -> None:
        ordered = later.sort(["episode_id", "session_number", "value"])
        value = ordered["value"].to_numpy().astype(np.float64)
        session = ordered["session_number"].to_numpy().astype(np.float64)
        baseline = ordered["baseline"].to_numpy().astype(np.float64)
        first = np.flatnonzero(ordered["episode_id"].ne_missing(ordered["episode_id"].shift(1)).to_numpy())
        count = np.diff(np.append(first, len(value)))
        key = _content(first, count, session, value, baseline)
        order = np.argsort(key, kind="stable")
        rows = np.repeat(first[order], count[order]) + _places(count[order])
        self.value, self.session, self.baseline = value[rows], session[rows], baseline[rows]
        self.episode = np.repeat(np.arange(len(first)), count[order])
        self.first = np.cumsum(count[order]) - count[order]
        self.fold = (key[order] % np.uint64(FOLDS)).astype(np.int64)
        self.has_course = ordered["scores"].to_numpy()[first[order]] >= SCORES_FOR_COURSE
        self.sums = growth.sums(self.first, self.session, self.value, self.baseline)


def _places(count: Whole) -> Whole:
    """0, 1, 2 ... within each run of that many."""
    return np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)


def _content(first: Whole, count: Whole, session: Reals, value: Reals, baseline: Reals) -> NDArray[np.uint64]:
    """A well-mixed number per episode from its scores alone.

    Not from an id: a database counts its ids in the order of import, and the same scores must give the same range.
    """
    mixed = _mix(_bits(value) ^ _mix(_bits(session)))
    return _mix(np.add.reduceat(mixed, first) ^ _mix(_bits(baseline[first])) ^ count.astype(np.uint64))


def _bits(number: Reals) -> NDArray[np.uint64]:
    return (np.round(number * 1000) + 0.0).astype(np.int64).view(np.uint64)


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele 2014): every bit in depends on every bit out."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def fit(later: pl.DataFrame, instrument: Instrument) -> RangeModel | None:
    """The range of one instrument from its later scores (LATER_SCORES) of closed episodes; null where it can have none.

    Without rows it is the prior exactly. The course is fitted on episodes with three or more scores and blended with the
    prior by n / (n + 200); then every episode with two or more calibrates it once, standing outside the model in its turn.
    """
    start, later = _start(instrument), later.filter(pl.col("instrument") == instrument.key)
    if start is None or later.is_empty():
        return start
    rows = _Rows(later)
    return _fitted(start, rows, np.ones(len(rows.first), dtype=bool))


def fit_all(later: pl.DataFrame, instruments: Mapping[str, Instrument]) -> dict[str, RangeModel]:
    """The range of every outcome measure that can have one, by key."""
    parts = later.partition_by("instrument", as_dict=True)
    fitted = {key: fit(parts.get((key,), later.clear()), one) for key, one in sorted(instruments.items())}
    return {key: model for key, model in fitted.items() if model is not None}


def unseen(later: pl.DataFrame, instrument: Instrument) -> Unseen:
    """Fits without a fifth of the episodes at a time and counts on that fifth, until there are enough of them."""
    start, later = _start(instrument), later.filter(pl.col("instrument") == instrument.key)
    if start is None:
        return Unseen(0, 0, None, None, "no expected range for this instrument")
    inside, beyond, scores, episodes = 0, 0, 0, 0
    rows = _Rows(later) if later.height else None
    for out in range(FOLDS):
        if rows is None or episodes >= ENOUGH_UNSEEN:
            break
        held = rows.fold == out
        model = _fitted(start, rows, ~held)
        at = held[rows.episode]
        low, _, high = model.limits(rows.baseline[at], rows.session[at])
        under, over = rows.value[at] < low, rows.value[at] > high
        inside += int((~under & ~over).sum())
        beyond += int((under if start.direction > 0 else over).sum())
        scores += int(at.sum())
        episodes += int(held.sum())
    if episodes < FEWEST_UNSEEN:
        return Unseen(episodes, scores, None, None, f"fewer than {FEWEST_UNSEEN} closed episodes with two scores")
    return Unseen(episodes, scores, inside / scores, beyond / scores)


def _start(instrument: Instrument) -> RangeModel | None:
    prior = prior_for(instrument)
    return RangeModel(instrument.key, instrument.direction, prior) if prior else None


def _fitted(start: RangeModel, rows: _Rows, used: Marks) -> RangeModel:
    """Course, blend and calibration on the episodes marked."""
    course = used & rows.has_course
    n = int(course.sum())
    if not used.any():
        return start
    local = growth.fit(rows.sums.of(course)) if n else None
    whole = replace(start, n=n, local=_rounded(local))
    z = np.zeros(len(rows.value))
    for fold in range(FOLDS):
        held = used & (rows.fold == fold)
        seen = course & ~held
        blind = replace(
            whole, local=growth.fit(rows.sums.of(seen), start=local, tolerance=1e-4) if seen.any() else None
        )
        at = held[rows.episode]
        middle, spread = blind.blended(rows.baseline[at], rows.session[at])
        z[at] = (rows.value[at] - middle) / spread
    cuts = cuts_of(rows.sums.y0[used])
    at = used[rows.episode]
    cells = lines(z[at], third_of(rows.baseline[at], cuts), band_of(rows.session[at]), rows.episode[at])
    return replace(
        whole,
        cuts=tuple(round(cut, DIGITS) for cut in cuts),
        lines=tuple(tuple((_r(a), _r(b), _r(c)) for a, b, c in third) for third in cells),
    )


def _rounded(local: growth.Growth | None) -> growth.Growth | None:
    return growth.Growth(*(_r(value) for value in astuple(local))) if local else None


def _r(number: float) -> float:
    return round(number, DIGITS)
