"""What the signals cost and give: how often they come, which unplanned endings they named in time, how many ruptures they see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from dashboard.analytics.intervals import wilson

RAISED = "dropout_raised"
PUBLISHED_RUPTURES = 0.25  # Larsson 2018: share of clients with at least one rupture
CREDIBLE = (0.05, 0.50)  # science 4.4: outside it, check thresholds and measure
FEWEST_CLIENTS = 20  # project default: below it a share of clients says nothing


@dataclass(frozen=True)
class Burden:
    """Alerts from ``since`` to ``until``. ``clinician_weeks``: weeks in which a clinician had a session, over all clinicians."""

    since: date | None
    until: date
    clinician_weeks: int
    raised: int
    every: int

    def per_week(self, count: int) -> float | None:
        """Per clinician and week with a session; null without any."""
        return count / self.clinician_weeks if self.clinician_weeks else None


@dataclass(frozen=True)
class InTime:
    """Of ``endings`` without agreement in the test, ``named`` had the signal before the last session; ``after_one`` had only one.

    ``episodes``: test episodes that ever had the signal and of which it is known what came, ``left`` of them without agreement.
    """

    endings: int
    named: int
    after_one: int
    episodes: int
    left: int


@dataclass(frozen=True)
class Ruptures:
    """Clients with enough alliance ratings, and those of them with a possible rupture."""

    clients: int
    ruptured: int

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the share."""
        return wilson(self.ruptured, self.clients)

    @property
    def enough(self) -> bool:
        """Whether a share may be said."""
        return self.clients >= FEWEST_CLIENTS

    @property
    def incredible(self) -> bool:
        """True outside 5-50 %: the thresholds or the measure want checking (science 4.4)."""
        return self.enough and not CREDIBLE[0] <= self.ruptured / self.clients <= CREDIBLE[1]


def burden(
    episodes: pl.DataFrame, sessions: pl.DataFrame, alerts: pl.DataFrame, *, since: date | None, until: date
) -> Burden:
    """``alerts``: episode_id, signal, family, raised_on; data and safety signals are not counted among ``every``."""
    if since is None:
        return Burden(None, until, 0, 0, 0)
    weeks = (
        sessions.filter(pl.col("day").is_between(since, until))
        .join(episodes.select("episode_id", "clinician_id"), on="episode_id")
        .select("clinician_id", week=pl.col("day").dt.truncate("1w"))
        .n_unique()
    )
    lately = alerts.filter(
        pl.col("raised_on").is_between(since, until)
        & pl.col("episode_id").is_in(episodes["episode_id"].implode())
        & ~pl.col("family").is_in(["data", "safety"])
    )
    return Burden(since, until, weeks, lately.filter(pl.col("signal") == RAISED).height, lately.height)


def in_time(test: pl.DataFrame, alerts: pl.DataFrame) -> InTime:
    """Test episodes (EPISODES_JUDGED) against the days on which the signal of a raised chance first came."""
    first = alerts.filter(pl.col("signal") == RAISED).group_by("episode_id").agg(first=pl.col("raised_on").min())
    joined = test.join(first, on="episode_id", how="left").with_columns(dropout=pl.col("dropout").fill_null(False))
    left = joined.filter("dropout")
    coded = pl.col("ending").is_not_null() & (pl.col("ending") != "unknown")
    known = joined.filter(
        pl.col("first").is_not_null() & (pl.col("dropout") | (pl.col("closed_on").is_not_null() & coded))
    )
    return InTime(
        left.height,
        left.filter(pl.col("first") < pl.col("last_attended_on")).height,
        left.filter(pl.col("sessions_attended") == 1).height,
        known.height,
        int(known["dropout"].sum()),
    )


def ruptures(episodes: pl.DataFrame) -> Ruptures:
    """By client: any episode with enough ratings, any of these with a possible rupture."""
    rated = episodes.filter(pl.col("rupture") != "not_enough_data")
    clients = rated.group_by("client_id").agg(any=(pl.col("rupture") != "none").any())
    return Ruptures(clients.height, int(clients["any"].sum()))
