"""The dropout model beside its rivals on three invented practices and three held out.

Share: AUC above chance over sessions of later episodes, as a part of what the true hazard without frailty reaches. Rivals are
fitted without prior and without clinicians: one without anything the alliance tells, and a plain one with the latest
rating carried forward. A target counts only where the first stays between 50 and 60 %.

Beside the results stands what can be reached (``hazard_ceiling``): the same terms with the best coefficients of the other
practices, and of this one, with and without the time course and the effect of a missed session left as day one has them. The
frozen practices are followed by the held-out ones, by which nothing was chosen.

Episodes in order of their start: the model learns from the first 1,000 closed ones and is judged on those that started later
(same clinicians, other clients). Several practices per world; shares are of the summed AUC.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboard.analytics.alliance_norms import Norm, measured_norms
from dashboard.analytics.calibration import auc, calibration, log_loss
from dashboard.analytics.hazard import day_one, fit
from dashboard.analytics.hazard_risk import predict
from dashboard.analytics.hazard_rows import hazard_rows
from dashboard.analytics.newton import chance, most_probable
from tests.contests.hazard_ceiling import Ceilings, ceilings
from tests.contests.held_out import HELD_OUT
from tests.simulators import WORLDS, Simulated, simulate

Reals = NDArray[np.float64]
CLINICIANS = 20
LOCAL = {"day one": 0, "100 closed": 100, "300 closed": 300, "1,000 closed": 1000}
NO_ALLIANCE, PLAIN = "no alliance", "plain logistic"
EVERY = WORLDS | HELD_OUT


@dataclass(frozen=True)
class Score:
    """One contender in one practice."""

    above_chance: float
    best: float
    slope: float
    in_the_large: float
    loss: float


def plain_design(rows: pl.DataFrame, *, alliance: bool) -> NDArray[np.float32]:
    """What a careful analyst would take first: everything recorded, the latest alliance rating carried forward."""
    columns = [
        pl.lit(1.0).alias("one"),
        pl.col("session_number").log(),
        pl.col("missed_since") > 0,
        pl.col("late_cancelled_since") > 0,
        "worse_now",
        "severity",
        "preference_unmet",
        "trainee",
        "telehealth",
    ]
    if alliance:
        usual = Norm()
        latest = pl.col("alliance").forward_fill().over("episode_id").fill_null(usual.mean)
        columns += [
            ((latest - usual.mean) / usual.sd).alias("latest"),
            pl.col("alliance").is_null().alias("unrated"),
            "rupture_open",
        ]
    return rows.select(columns).cast(pl.Float32).to_numpy(order="c")


def plain(train: Simulated, test: Simulated, *, alliance: bool) -> Reals:
    """Maximum likelihood, no prior, no clinicians."""
    known = train.dropout >= 0
    x = plain_design(train.rows, alliance=alliance)[known]
    width = x.shape[1]
    fitted = most_probable(
        x,
        train.dropout[known].astype(float),
        np.zeros(len(x), dtype=np.int64),
        np.zeros(width),
        np.full(width, 100.0),
        effect_sd=1e-6,
        effect_sd_weight=np.inf,
        groups=1,
    )
    return chance(plain_design(test.rows, alliance=alliance) @ fitted.coefficients)


def ours(train: Simulated | None, test: Simulated) -> Reals:
    """The product's model: without local data, or fitted on what is given."""
    model = day_one() if train is None else fit(hazard_rows(train.rows, measured_norms(train.rows)), train.dropout)
    return predict(model, hazard_rows(test.rows, model.norms), reasons=False)["next_session"].to_numpy()


def day_one_rows(test: Simulated, coefficients: Reals) -> Reals:
    """What given coefficients of the product's terms say, without local data."""
    return chance(hazard_rows(test.rows).x.astype(np.float64) @ coefficients)


def first_closed(practice: Simulated, closed: int) -> int:
    """How many episodes must have started so that so many of them have closed."""
    still_open = practice.rows.filter(pl.Series(practice.dropout == -1))["episode_id"]
    return int(np.flatnonzero(~np.isin(np.arange(practice.rows["episode_id"].n_unique()), still_open))[closed - 1]) + 1


def contest(world: str, seed: int, later: int, reachable: Ceilings | None = None) -> dict[str, Score]:
    """Every contender in one practice, judged on ``later`` episodes that started after the thousandth closed one."""
    practice = simulate(EVERY[world], 1200 + later, CLINICIANS, seed)
    cut = first_closed(practice, 1000)
    test, train = practice.episodes(cut, cut + later), practice.episodes(0, cut)
    known = test.dropout >= 0
    left = test.dropout[known] == 1
    best = auc(test.true_hazard[known], left) - 0.5
    said = {NO_ALLIANCE: plain(train, test, alliance=False), PLAIN: plain(train, test, alliance=True)}
    for label, closed in LOCAL.items():
        some = practice.episodes(0, first_closed(practice, closed)) if closed else None
        said[label] = ours(some, test)
    said |= {label: day_one_rows(test, coefficients) for label, coefficients in (reachable or {}).items()}
    found = {}
    for label, probability in said.items():
        p = probability[known]
        judged = calibration(p, left)
        found[label] = Score(auc(p, left) - 0.5, best, judged.slope, judged.in_the_large, log_loss(p, left))
    return found


def summary(scores: list[Score]) -> tuple[float, float, float, float]:
    """Share of the true AUC above chance, mean slope, mean intercept in the large, mean log-loss."""
    share = sum(one.above_chance for one in scores) / sum(one.best for one in scores)
    means = [float(np.mean([getattr(one, name) for one in scores])) for name in ("slope", "in_the_large", "loss")]
    return share, means[0], means[1], means[2]


def error_of_share(scores: list[Score]) -> float:
    """Standard error of the share over practices (ratio estimator)."""
    own, best = np.array([one.above_chance for one in scores]), np.array([one.best for one in scores])
    apart = own - own.sum() / best.sum() * best
    return float(apart.std(ddof=1) / np.sqrt(len(scores)) / best.mean())


def run(practices: int = 12, later: int = 4000) -> None:
    """Prints a table per world."""
    began = time.perf_counter()
    reachable = ceilings(EVERY)
    for world in EVERY:
        found = [contest(world, seed, later, reachable[world]) for seed in range(practices)]
        best = np.mean([one[PLAIN].best for one in found]) + 0.5
        held = " (held out)" if world in HELD_OUT else ""
        print(f"hazard: {world}{held}: {practices} practices, true AUC {best:.3f}")
        print(f"  {'':34}{'share':>8}{'+/-':>7}{'slope':>8}{'intercept':>11}{'log-loss':>10}")
        for label in found[0]:
            scores = [one[label] for one in found]
            share, slope, large, loss = summary(scores)
            print(f"  {label:34}{share:8.1%}{error_of_share(scores):7.1%}{slope:8.2f}{large:+11.2f}{loss:10.5f}")
        base = summary([one[NO_ALLIANCE] for one in found])[0]
        print(f"  the targets {'count' if not held and 0.5 <= base <= 0.6 else 'do not count'} here")
    print(f"hazard: {time.perf_counter() - began:.0f} s")
