"""One row per attended session with what was known when it ended, as the dropout model reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboard.analytics.alliance_filter import WOBBLE_UNIT, Followed, follow
from dashboard.analytics.alliance_norms import DEFAULT_NORMS, Norms, norm_tables
from dashboard.analytics.hazard_terms import KEYS, NOW_IN_RUPTURE, PRIOR, TIME
from dashboard.analytics.places import with_places
from dashboard.contracts import Contract
from dashboard.errors import ContractError

FORM = 2  # goes into the model's version: raise it when a column below comes to mean something else
USUAL = np.array([term.usual for term in PRIOR], dtype=np.float32)
UNSURE_UNITS = np.array([1.0, WOBBLE_UNIT**2, WOBBLE_UNIT], dtype=np.float32)
LONG = 12  # sessions; published hazards cover the first twelve

# alliance: client's total 0-1, higher better, null where not rated at that session; alliance_instrument its
# key, null counts as an unnamed one. missed_since, late_cancelled_since:
# appointments since the session before. rupture_open, worse_now, preference_unmet, trainee, telehealth, ceiling: null counts
# as no. severity: first outcome score, standardised, higher worse; null counts as average. All as known that evening.
HAZARD_SESSIONS = Contract(
    "hazard sessions",
    {
        "episode_id": pl.Int64(),
        "clinician_id": pl.Int64(),
        "session_number": pl.Int64(),
        "alliance": pl.Float64(),
        "alliance_instrument": pl.String(),
        "missed_since": pl.Int64(),
        "late_cancelled_since": pl.Int64(),
        "rupture_open": pl.Boolean(),
        "worse_now": pl.Boolean(),
        "severity": pl.Float64(),
        "preference_unmet": pl.Boolean(),
        "trainee": pl.Boolean(),
        "telehealth": pl.Boolean(),
        "ceiling": pl.Boolean(),
    },
    required=("episode_id", "clinician_id", "session_number"),
)


@dataclass(frozen=True)
class HazardRows:
    """The design: ``x`` (float32, columns KEYS), one row per session by episode and number; ``place``: its row in the input.

    Every column but those of TIME is counted from ``Term.usual``, so that the intercept is an average practice's, which is
    what the published rates behind its prior are. ``ratings``: alliance ratings so far. ``unsure``: variance of
    alliance_level, of alliance_now, and their covariance, from few, noisy or missing ratings.
    """

    x: NDArray[np.float32]
    episode: NDArray[np.int64]
    clinician: NDArray[np.int64]
    session: NDArray[np.int64]
    ratings: NDArray[np.int32]
    unsure: NDArray[np.float32]
    place: NDArray[np.int64]
    norms: Norms

    def __len__(self) -> int:
        return len(self.x)

    def only(self, kept: NDArray[np.bool_] | slice) -> HazardRows:
        """These rows alone; what each says stays the same, since it came from its own past."""
        return HazardRows(
            self.x[kept],
            self.episode[kept],
            self.clinician[kept],
            self.session[kept],
            self.ratings[kept],
            self.unsure[kept],
            self.place[kept],
            self.norms,
        )


def time_columns(session: NDArray[np.int64]) -> NDArray[np.float32]:
    """The four columns that move on with the session's number (TIME)."""
    number = np.maximum(session, 1).astype(np.float32)
    return np.column_stack(
        [
            np.ones(len(number), dtype=np.float32),
            np.log(number),
            ((number >= 2) & (number <= 4)).astype(np.float32),
            np.log(np.maximum(number / LONG, np.float32(1))),
        ]
    )


def _sorted(sessions: pl.DataFrame) -> tuple[pl.DataFrame, NDArray[np.int64]]:
    """By episode and session with each row's place in the input; two rows of one session are a broken contract."""
    episode, number = sessions["episode_id"].to_numpy(), sessions["session_number"].to_numpy()

    ahead = (episode[1:] > episode[:-1]) | ((episode[1:] == episode[:-1]) & (number[1:] > number[:-1]))
    place = np.arange(len(episode))
    if not ahead.all():
        place = np.lexsort((number, episode))
        sessions = sessions[place]
        episode, number = episode[place], number[place]
        doubled = int(((episode[1:] == episode[:-1]) & (number[1:] == number[:-1])).sum())
        if doubled:
            raise ContractError(f"hazard sessions: {doubled} rows repeat the key episode_id, session_number")
    return sessions, place


def _standardised(sessions: pl.DataFrame, norms: Norms) -> NDArray[np.float64]:
    """Ratings in SD from their instrument's mean; NaN where unrated."""
    everything = np.zeros(sessions.height, dtype=np.int64)
    mean, sd = norm_tables(sessions["alliance_instrument"], [norms]).of(everything)
    return np.asarray((_ratings(sessions) - mean) / sd)


def _ratings(sessions: pl.DataFrame) -> NDArray[np.float64]:
    rating = sessions["alliance"].fill_null(float("nan")).to_numpy()
    if outside := int(((rating < 0) | (rating > 1)).sum()):
        raise ContractError(f"hazard sessions.alliance: {outside} values outside 0 to 1")
    return rating


def what_followed(rows: HazardRows, left: pl.DataFrame) -> NDArray[np.int8]:
    """Per row 1 where the client left after it, 0 where not, -1 where it is not known yet; in the order of ``rows``.

    ``left``: episode_id and ``left`` (true: unilateral ending, else no return within the practice's limit; false: any other
    ending, which competes and is censored; null or no row: open and recent). Only the last session of an episode can be
    another than 0, so ``rows`` must hold every session attended by the day of the fit.
    """
    last = np.append(rows.episode[1:] != rows.episode[:-1], np.ones(min(len(rows), 1), dtype=bool))
    asked = pl.DataFrame({"episode_id": rows.episode[last]}).join(
        left.select("episode_id", pl.col("left").cast(pl.Int8)), on="episode_id", how="left", maintain_order="left"
    )
    followed = np.zeros(len(rows), dtype=np.int8)
    followed[last] = asked["left"].fill_null(-1).to_numpy()
    return followed


def hazard_rows(sessions: pl.DataFrame, norms: Norms | None = None) -> HazardRows:
    """The design of a HAZARD_SESSIONS frame in any order; every episode must come with all its sessions so far."""
    norms = DEFAULT_NORMS if norms is None else norms
    sessions, place = _sorted(HAZARD_SESSIONS.check(sessions))
    followed = follow(
        _standardised(sessions, norms), sessions["episode_id"].rle().struct.field("len").cast(pl.Int64).to_numpy()
    )
    return _design(sessions, followed, place, norms)


def asked_rows(
    sessions: pl.DataFrame, row: NDArray[np.int64], which: NDArray[np.int64], sets: Sequence[Norms]
) -> Iterator[tuple[int, NDArray[np.int64], HazardRows]]:
    """What ``hazard_rows`` says of single sessions by several sets of norms: per set its number, which were asked, their rows.

    ``sessions``: HAZARD_SESSIONS sorted by episode and number. Asked is session ``row`` by set ``which``, both never falling
    within an episode, episodes in order. All sets are walked in one go: many small walks cost more than one large.
    """
    if not len(row):
        return
    first = with_places(sessions)["first"].to_numpy()[row]
    begins = np.flatnonzero((np.diff(first, prepend=-1) != 0) | (np.diff(which, prepend=-1) != 0))
    ends = np.append(begins[1:], len(row)) - 1
    lengths = row[ends] - first[ends] + 1  # what came later says nothing of these
    offset = np.cumsum(lengths) - lengths
    walked = np.arange(int(lengths.sum())) + np.repeat(first[ends] - offset, lengths)
    mean, sd = norm_tables(sessions["alliance_instrument"], sets).of(np.repeat(which[ends], lengths), walked)
    rating = (_ratings(sessions)[walked] - mean) / sd
    series = np.repeat(np.arange(len(begins)), ends - begins + 1)
    followed = follow(rating, lengths).only(offset[series] + row - first)
    # by set, so that one design serves all: making each by itself costs more than what stands in it
    order = np.argsort(which, kind="stable")
    design = _design(sessions[row[order]], followed.only(order), order, DEFAULT_NORMS)
    numbers, starts = np.unique(which[order], return_index=True)
    for number, start, end in zip(numbers.tolist(), starts, np.append(starts[1:], len(order)), strict=True):
        own = replace(design.only(slice(start, end)), norms=sets[number])
        yield number, own.place, own


def _design(sessions: pl.DataFrame, followed: Followed, place: NDArray[np.int64], norms: Norms) -> HazardRows:
    def yes(name: str) -> NDArray[np.bool_]:
        return sessions[name].fill_null(False).to_numpy()

    ceiling = yes("ceiling")
    says = ~ceiling  # ratings always at the best possible get weight 0 (science 4.5)
    session = sessions["session_number"].to_numpy()
    x = np.empty((len(session), len(KEYS)), dtype=np.float32)
    x[:, : len(TIME)] = time_columns(session)

    def put(key: str, value: NDArray[Any]) -> None:
        x[:, KEYS.index(key)] = value

    put("alliance_level", followed.level * says)
    broken = yes("rupture_open")
    put("alliance_now", followed.wobble * says / WOBBLE_UNIT + NOW_IN_RUPTURE * broken)
    put("alliance_shortfall", np.maximum(-(followed.level + followed.wobble), 0.0) * says)
    put("alliance_falls", followed.falls * says)
    put("alliance_missing", (sessions["alliance"].is_null() | sessions["alliance"].is_nan()).to_numpy())
    put("alliance_ceiling", ceiling)
    put("rupture_open", broken)
    put("no_show", (sessions["missed_since"].fill_null(0) > 0).to_numpy())
    put("late_cancelled", (sessions["late_cancelled_since"].fill_null(0) > 0).to_numpy())
    put("worse_now", yes("worse_now"))
    put("severity", sessions["severity"].fill_nan(None).fill_null(0.0).clip(-4, 4).to_numpy())
    put("preference_unmet", yes("preference_unmet"))
    put("trainee", yes("trainee"))
    put("telehealth", yes("telehealth"))
    x -= USUAL
    return HazardRows(
        x,
        sessions["episode_id"].to_numpy(),
        sessions["clinician_id"].to_numpy(),
        session,
        followed.ratings,
        followed.unsure / UNSURE_UNITS,
        place,
        norms,
    )
