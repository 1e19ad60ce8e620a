"""Coverage of the expected range on episodes it has not seen, by what the practice has of its own.

An episode's last score is chosen by how the client is: who is well or very unwell stops. A range that knows the first score
and the session alone covers it less often than the others, by 2 to 6 points; where nobody leaves because of how they are
(held out: whatever) the gap is gone. Tried and left out: calibration in which every episode weighs the same however many
scores it has (2,000 closed, the other five: last 76.4 to 78.4 instead of 74.9 to 78.1, all 80.3 to 82.0 instead of 79.5 to
80.6; with 200 closed all up to 84.0 and beyond the unfavourable line up to 12.1): it moves the rest off and still does not
reach 78 everywhere.

Day one covers what the published course fits (58 to 86 %). No source gives how much courses differ between practices, so it is
not widened by a number of ours. With the twentieth known ending, the first refit, coverage is 78 to 82 % on average.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np
import polars as pl

from dashboard.analytics.expected_range import expected
from dashboard.analytics.range_fit import fit, later_scores
from dashboard.instruments import BUILT_IN
from tests.contests import held_out_courses
from tests.simulators import growth

SHAPES = growth.SHAPES
HELD_OUT = held_out_courses.COURSES
SIZES = (0, 20, 50, 200, 1000, 5000)
UNSEEN = 4_000
REPEATS = {0: 1, 20: 20, 50: 10, 200: 10, 1000: 4, 5000: 2}
THIRDS = ("low", "middle", "high")


def practice(shape: str, episodes: int, seed: int, instrument: str = "phq9") -> pl.DataFrame:
    """The scores of that many closed episodes of a frozen or a held-out practice."""
    source = held_out_courses if shape in HELD_OUT else growth
    return source.practice(shape, episodes, seed, instrument=instrument)


def coverage(shape: str, size: int, seed: int, instrument: str = "phq9", unseen: int = UNSEEN) -> dict[str, float]:
    """Shares in percent on unseen episodes of a practice with that many closed ones; width in points."""
    measure = BUILT_IN[instrument]
    model = fit(later_scores(practice(shape, size, seed, instrument=instrument)), measure)
    assert model is not None
    rows = later_scores(practice(shape, unseen, 10_000 + seed, instrument=instrument))
    judged = rows.hstack(expected(model, rows["baseline"], rows["session_number"])).drop_nulls("expected_low")
    high, low = pl.col("value") > pl.col("expected_high"), pl.col("value") < pl.col("expected_low")
    bad = low if measure.direction > 0 else high
    judged = judged.with_columns(inside=~high & ~low, bad=bad, width=pl.col("expected_high") - pl.col("expected_low"))
    edges = np.quantile(judged.unique("episode_id")["baseline"], (1 / 3, 2 / 3), method="inverted_cdf")
    third = np.searchsorted(edges, judged["baseline"].to_numpy(), side="left")
    placed = judged.sort("episode_id", "session_number")
    ends = placed["episode_id"].ne_missing(placed["episode_id"].shift(-1))
    by_session = judged.group_by(pl.col("session_number").clip(2, 20)).agg(pl.col("inside").mean())["inside"]
    return {
        "all": 100 * _mean(judged["inside"]),
        **{name: 100 * _mean(judged["inside"].filter(pl.Series(third == i))) for i, name in enumerate(THIRDS)},
        "beyond": 100 * _mean(judged["bad"]),
        "last": 100 * _mean(placed["inside"].filter(ends)),
        "earlier": 100 * _mean(placed["inside"].filter(~ends)),
        "worst": 100 * float(by_session.min()),  # type: ignore[arg-type]
        "width": _mean(judged["width"]),
    }


def _mean(values: pl.Series) -> float:
    return float(values.mean())  # type: ignore[arg-type]


def run() -> None:
    """Prints mean (and spread over repeats) for every practice and size."""
    began = perf_counter()
    print(
        "Expected range: share of unseen scores inside, in percent; mean over repeats and their least and most for 'all'."
    )
    print("beyond: past the unfavourable line. last: an episode's last score only; earlier: the others.")
    print("worst: the worst single session. width in points. 'closed' are the practice's own episodes fitted on.")
    print(f"{'practice':<14}{'closed':>7}{'all':>7}{'range':>13}{'low':>7}{'middle':>8}{'high':>7}", end="")
    print(f"{'beyond':>8}{'last':>7}{'earlier':>9}{'worst':>7}{'width':>7}")
    for shape, instrument in [(s, "phq9") for s in (*SHAPES, *HELD_OUT)] + [("late", "ors")]:
        for size in SIZES:
            if size < 50 and instrument == "ors":
                continue
            found = [coverage(shape, size, seed, instrument) for seed in range(REPEATS[size])]
            mean = {key: float(np.mean([one[key] for one in found])) for key in found[0]}
            spread = f"{min(o['all'] for o in found):.1f}-{max(o['all'] for o in found):.1f}"
            print(f"{shape + ' ' + instrument:<14}{size:>7}{mean['all']:>7.1f}{spread:>13}{mean['low']:>7.1f}", end="")
            print(
                f"{mean['middle']:>8.1f}{mean['high']:>7.1f}{mean['beyond']:>8.1f}{mean['last']:>7.1f}{mean['earlier']:>9.1f}",
                end="",
            )
            print(f"{mean['worst']:>7.1f}{mean['width']:>7.1f}")
    print(f"{perf_counter() - began:.0f} s")
