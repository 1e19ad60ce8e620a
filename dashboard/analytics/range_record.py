"""How the expected range did on scores it had not seen: the share inside it and beyond its unfavourable edge (science 3.3).

Each score was judged on its own day by the range of that day, which was fitted on episodes closed before.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import polars as pl

from dashboard.analytics.intervals import Z95, wilson
from dashboard.analytics.range_calibration import cuts_of, third_of
from dashboard.analytics.range_fit import FEWEST_UNSEEN, TOLERATED
from dashboard.analytics.reliable_change import ROUNDING

STATED_BEYOND = 0.10  # science 3.3: a tenth in the unfavourable tail of a two-sided 80 % range
FEWEST_SCORES = 100  # project default: one point of a share then weighs one score
THIRDS = ("lower", "middle", "upper")


@dataclass(frozen=True)
class Part:
    """Scores of one third of first scores. ``third``: lower, middle or upper, by points."""

    third: str
    first_scores: tuple[float, float]
    scores: int
    inside: int
    beyond: int


@dataclass(frozen=True)
class RangeRecord:
    """One instrument: counts, shares and the 95 % interval of the share beyond, wider for scores of one client going together."""

    instrument: str
    episodes: int
    scores: int
    inside: int
    beyond: int
    interval: tuple[float, float] | None
    thirds: tuple[Part, ...]
    why: str = ""

    @property
    def coverage(self) -> float | None:
        """Share inside the range; null where too few were seen."""
        return None if self.why else self.inside / self.scores

    @property
    def share_beyond(self) -> float | None:
        """Share beyond the unfavourable edge; null where too few were seen."""
        return None if self.why else self.beyond / self.scores

    @property
    def miscalibrated(self) -> bool:
        """More than 3 points away from 10 %, with enough scores and an interval that does not hold 10 %."""
        share = self.share_beyond
        if share is None or self.interval is None or self.scores < FEWEST_SCORES:
            return False
        low, high = self.interval
        return abs(share - STATED_BEYOND) > TOLERATED and not low <= STATED_BEYOND <= high


def range_record(test: pl.DataFrame, sessions: pl.DataFrame, instrument: str, direction: int) -> RangeRecord:
    """The record of one instrument over test episodes (EPISODES_JUDGED) and their sessions (SESSIONS_JUDGED).

    ``direction``: +1 where higher is better. An episode counts under the instrument that it is followed by today.
    """
    limits = ("outcome", "expected_low", "expected_high")
    rows = (
        sessions.drop_nulls(limits)
        .unique(["episode_id", "day"], keep="last")  # a day has one score, however many sessions
        .join(test.filter(pl.col("outcome_instrument") == instrument), on="episode_id")
        .with_columns(
            under=pl.col("outcome") < pl.col("expected_low") - ROUNDING,
            over=pl.col("outcome") > pl.col("expected_high") + ROUNDING,
        )
        .with_columns(inside=~pl.col("under") & ~pl.col("over"), beyond=pl.col("under" if direction > 0 else "over"))
        .sort("episode_id")
    )
    episodes = rows["episode_id"].n_unique()
    inside, beyond = int(rows["inside"].sum()), int(rows["beyond"].sum())
    why = f"fewer than {FEWEST_UNSEEN} later episodes with two scores" if episodes < FEWEST_UNSEEN else ""
    return RangeRecord(
        instrument,
        episodes,
        rows.height,
        inside,
        beyond,
        None if why else _interval(rows, beyond),
        () if why else _thirds(rows),
        why,
    )


def _interval(rows: pl.DataFrame, beyond: int) -> tuple[float, float] | None:
    """Wilson's interval, widened by the design effect: scores of one episode are not independent."""
    n, share = rows.height, beyond / rows.height
    each = rows.group_by("episode_id").agg(n=pl.len(), beyond=pl.col("beyond").sum())
    clustered = float(((each["beyond"] - share * each["n"]) ** 2).sum()) / n**2
    alone = share * (1 - share) / n
    return wilson(beyond, n, Z95 * sqrt(max(1.0, clustered / alone)) if alone else Z95)


def _thirds(rows: pl.DataFrame) -> tuple[Part, ...]:
    first = rows.drop_nulls("baseline").unique("episode_id", keep="first")["baseline"].sort().to_numpy()
    held = rows.drop_nulls("baseline")
    placed = held.with_columns(third=third_of(held["baseline"].to_numpy(), cuts_of(first)))
    found = []
    for number, name in enumerate(THIRDS):
        part = placed.filter(pl.col("third") == number)
        if part.height:
            ends = (float(part["baseline"].to_numpy().min()), float(part["baseline"].to_numpy().max()))
            found.append(Part(name, ends, part.height, int(part["inside"].sum()), int(part["beyond"].sum())))
    return tuple(found)
