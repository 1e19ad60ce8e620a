"""How the estimate of an ending without agreement did on episodes that began later than those it first learned from.

Every past session was judged by the model of its own day, refitted on what was known by then, so the later three tenths of
episodes (by the day they opened) are a test on sessions the model had not seen. Clients who also have an earlier episode are left
out of it (science 5.5). Sessions on whose day nothing was estimated (the episode closed that day, or it was recorded later) are
no part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import isnan

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboard.analytics.calibration import auc, auc_error, brier, calibration, net_benefit
from dashboard.analytics.censored import chance_by, weighted_auc, weighted_brier, weights
from dashboard.analytics.hazard_risk import AHEAD
from dashboard.contracts import Contract

EARLIER = 0.7  # science 5.5: share of episodes, by opening day, that come before the test
FEWEST_EVENTS = 50  # science 5.5: below it only calibration in the large is shown
FEWEST_FOR_TENTHS = 200  # science 5.5
TENTHS = 10
LANDMARKS = (1, 3, 6)  # science 5.5: attended sessions
THRESHOLDS = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30)  # science 5.5: a short talk is cheap
SUSPECT = 0.85  # science 5.5: an AUC above it suggests that the answer leaked into the estimate
MOSTLY_PRIORS = "the model is mostly published priors"

EPISODES_JUDGED = Contract(
    "episodes judged",
    {
        "episode_id": pl.Int64(),
        "client_id": pl.Int64(),
        "clinician_id": pl.Int64(),
        "opened_on": pl.Date(),
        "closed_on": pl.Date(),
        "ending": pl.String(),
        "sessions_attended": pl.Int64(),
        "last_attended_on": pl.Date(),
        "dropout": pl.Boolean(),
        "outcome_instrument": pl.String(),
        "baseline": pl.Float64(),
        "rupture": pl.String(),
    },
    key=("episode_id",),
    required=("episode_id", "client_id", "clinician_id", "opened_on", "sessions_attended"),
)
# Attended sessions, each with what the evaluation of its own day said.
SESSIONS_JUDGED = Contract(
    "sessions judged",
    {
        "episode_id": pl.Int64(),
        "session_number": pl.Int64(),
        "day": pl.Date(),
        "outcome": pl.Float64(),
        "expected_low": pl.Float64(),
        "expected_high": pl.Float64(),
        "dropout_hazard": pl.Float64(),
        "dropout_next_4": pl.Float64(),
    },
    required=("episode_id", "session_number", "day"),
)
TENTH = {"tenth": pl.Int64(), "sessions": pl.Int64(), "expected": pl.Float64(), "left": pl.Int64()}


@dataclass(frozen=True)
class Landmark:
    """The risk of the next four sessions as said at one session: AUC and Brier score, weighted for clients not yet followed."""

    session: int
    clients: int
    left: int
    auc: float | None
    brier: float | None
    brier_null: float | None


@dataclass(frozen=True)
class Benefit:
    """Clients found per client looked at, less the price of false alarms: by the estimate, and by talking about everyone."""

    threshold: float
    estimate: float
    everyone: float


@dataclass(frozen=True)
class DropoutRecord:
    """Test episodes that opened ``since``; ``expected``: endings the estimate added up to, of ``events`` that came.

    Null where there is too little data, with ``why``. ``tenths``: TENTH, by tenth of risk, empty where not shown.
    """

    since: date | None
    episodes: int
    sessions: int
    events: int
    expected: float
    intercept: float | None
    intercept_error: float | None
    slope: float | None = None
    slope_error: float | None = None
    auc: float | None = None
    auc_error: float | None = None
    brier: float | None = None
    brier_null: float | None = None
    landmarks: tuple[Landmark, ...] = ()
    benefits: tuple[Benefit, ...] = ()
    tenths: pl.DataFrame | None = None
    why: str = ""
    warnings: tuple[str, ...] = ()


def first_test_day(episodes: pl.DataFrame) -> date | None:
    """The opening day from which on episodes are tested: the later three tenths of those with a session; null without any."""
    opened = episodes.filter(pl.col("sessions_attended") > 0)["opened_on"].sort()
    return opened[int(EARLIER * len(opened))] if len(opened) else None


def later_episodes(episodes: pl.DataFrame) -> pl.DataFrame:
    """The episodes (EPISODES_JUDGED) of the test, whole days on one side, no client on both."""
    since = first_test_day(episodes)
    if since is None:
        return episodes.clear()
    started = episodes.filter(pl.col("sessions_attended") > 0)
    earlier = started.filter(pl.col("opened_on") < since).select("client_id").unique()
    return started.filter(pl.col("opened_on") >= since).join(earlier, on="client_id", how="anti")


def with_what_followed(test: pl.DataFrame, sessions: pl.DataFrame, until: date) -> pl.DataFrame:
    """Judged sessions of the test up to a day, with ``reached``, ``settled``, ``dropout`` and ``left``.

    ``until``: long enough ago that somebody who left then is known to have left. A later session would count those who came back
    and not those who did not. ``reached``: sessions attended by then; ``settled``: it is known whether the last of these was the
    last without agreement (``dropout``). ``left``: this session was it; null where not known. Of two sessions on one day the
    later stands for both: the day's estimate was made after it.
    """
    coded = pl.col("ending").is_not_null() & (pl.col("ending") != "unknown")
    came_back = pl.col("last_attended_on") > until
    dropout = pl.col("dropout").fill_null(False) & ~came_back
    known = test.select(
        "episode_id", dropout=dropout, settled=dropout | came_back | (pl.col("closed_on").is_not_null() & coded)
    )
    held = sessions.filter(pl.col("day") <= until)
    reached = held.group_by("episode_id").agg(reached=pl.col("session_number").max())
    return (
        held.filter(pl.col("dropout_hazard").is_not_null())
        .sort(["episode_id", "day", "session_number"])
        .unique(["episode_id", "day"], keep="last", maintain_order=True)
        .join(known, on="episode_id", maintain_order="left")
        .join(reached, on="episode_id", maintain_order="left")
        .with_columns(
            left=pl.when(pl.col("session_number") < pl.col("reached")).then(False).when("settled").then("dropout")
        )
    )


def dropout_record(episodes: pl.DataFrame, sessions: pl.DataFrame, until: date) -> DropoutRecord:
    """The record on the later part of some episodes (EPISODES_JUDGED) and their attended sessions (SESSIONS_JUDGED).

    ``until``: the last day whose sessions are judged, see ``with_what_followed``.
    """
    test = later_episodes(episodes)
    rows = with_what_followed(test, sessions, until)
    known = rows.drop_nulls("left")
    p, y = known["dropout_hazard"].to_numpy(), known["left"].to_numpy().astype(bool)
    events = int(y.sum())
    found = calibration(p, y)
    base = DropoutRecord(
        since=first_test_day(episodes),
        episodes=known["episode_id"].n_unique(),
        sessions=known.height,
        events=events,
        expected=float(p.sum()),
        intercept=_known(found.in_the_large),
        intercept_error=_known(found.in_the_large_error),
        why=_why(known.height, events),
    )
    if events < FEWEST_EVENTS or events == known.height:
        return base
    area, rate = auc(p, y), float(y.mean())
    marks = tuple(landmark(rows, at) for at in LANDMARKS)
    high = [area, *(one.auc for one in marks if one.auc is not None)]
    warning = (
        f"An AUC of {max(high):.2f} is higher than such estimates can be ({SUSPECT:g}): what happened may have leaked into them. "
        "Check the dates on which endings and sessions were recorded."
    )
    return replace(
        base,
        slope=_known(found.slope),
        slope_error=_known(found.slope_error),
        auc=area,
        auc_error=auc_error(area, events, known.height - events),
        brier=brier(p, y),
        brier_null=rate * (1 - rate),
        landmarks=marks,
        benefits=benefits(rows, THRESHOLDS),
        tenths=by_tenth(p, y) if known.height >= FEWEST_FOR_TENTHS else None,
        warnings=(warning,) if max(high) > SUSPECT else (),
    )


def _known(value: float) -> float | None:
    return None if isnan(value) else value


def _why(sessions: int, events: int) -> str:
    if not sessions:
        return "no later session has been judged yet by a model of its own day"
    if events < FEWEST_EVENTS:
        return f"{MOSTLY_PRIORS}: {events} endings without agreement in the test, {FEWEST_EVENTS} are needed"
    return ""


Followed = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]


def _followed(rows: pl.DataFrame, session: int) -> Followed:
    """Risk of the next four sessions, how long each client was followed from ``session``, and who left."""
    at = rows.filter((pl.col("session_number") == session) & pl.col("dropout_next_4").is_not_null()).with_columns(
        duration=pl.col("reached") - session + pl.col("settled").cast(pl.Int64)
    )
    at = at.filter(pl.col("duration") > 0)  # nobody knows yet whether this session was the last
    return at["dropout_next_4"].to_numpy(), at["duration"].to_numpy(), at["dropout"].to_numpy().astype(bool)


def landmark(rows: pl.DataFrame, session: int) -> Landmark:
    """The risk said at one session number against what came within four sessions (``rows`` of ``with_what_followed``)."""
    risk, duration, event = _followed(rows, session)
    left = int((event & (duration <= AHEAD)).sum())
    if not len(risk) or not left:
        return Landmark(session, len(risk), left, None, None, None)
    usual = np.full(len(risk), chance_by(duration, event, AHEAD))
    return Landmark(
        session,
        len(risk),
        left,
        _known(weighted_auc(risk, duration, event, AHEAD)),
        weighted_brier(risk, duration, event, AHEAD),
        weighted_brier(usual, duration, event, AHEAD),
    )


def benefits(rows: pl.DataFrame, thresholds: Sequence[float]) -> tuple[Benefit, ...]:
    """Net benefit of talking about a client whose risk of the next four sessions reaches a threshold, over the landmarks."""
    risks, weight, left = [], [], []
    for session in LANDMARKS:
        risk, duration, event = _followed(rows, session)
        if len(risk):
            each, cases = weights(duration, event, AHEAD)
            risks.append(risk)
            weight.append(each)
            left.append(cases)
    if not risks:
        return ()
    risk, each, case = np.concatenate(risks), np.concatenate(weight), np.concatenate(left)
    n = len(risk)
    found = []
    for threshold in thresholds:
        picked = risk >= threshold
        found.append(
            Benefit(
                threshold,
                net_benefit(float(each[picked & case].sum()), float(each[picked & ~case].sum()), n, threshold),
                net_benefit(float(each[case].sum()), float(each[~case].sum()), n, threshold),
            )
        )
    return tuple(found)


def by_tenth(p: NDArray[np.float64], y: NDArray[np.bool_]) -> pl.DataFrame:
    """Sessions by tenth of the estimate (TENTH): its mean and how many left; equal estimates stay together."""
    cuts = np.quantile(p, np.arange(1, TENTHS) / TENTHS, method="inverted_cdf")
    return (
        pl.DataFrame({"tenth": np.searchsorted(cuts, p, side="left") + 1, "p": p, "left": y})
        .group_by("tenth")
        .agg(sessions=pl.len(), expected=pl.col("p").mean(), left=pl.col("left").sum())
        .sort("tenth")
        .select(pl.col(name).cast(dtype) for name, dtype in TENTH.items())
    )
