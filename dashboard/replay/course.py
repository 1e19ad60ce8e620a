"""The sessions of every episode as the dropout model reads them: each as it was known on the day it became known.

A session that was recorded late is a row of the day on which it was; a session that a correction took away later stays what it
was. Rows therefore never depend on anything later, and a past day's row is the same whenever it is made.
"""

from __future__ import annotations

import polars as pl

from dashboard.analytics.hazard_rows import HAZARD_SESSIONS
from dashboard.analytics.places import with_places
from dashboard.instruments.instrument import Instrument
from dashboard.signals.rupture import STATE_WORDS

REMOTE = ("video", "phone")
MOST = 1_000_000  # sessions; more than any episode has
SESSIONS = {**HAZARD_SESSIONS.schema, "as_of": pl.Date()}


def with_session_reached(days: pl.DataFrame) -> pl.DataFrame:
    """Adds ``reached``: the most sessions known by that day or before, and ``new``: whether it became more that day.

    ``days``: episode_id, as_of, sessions_attended, sorted by episode and day.
    """
    placed = with_places(days)
    order = (pl.col("row") == pl.col("first")).cast(pl.Int64).cum_sum() * MOST
    most = placed.with_columns(reached=(order + pl.col("sessions_attended")).cum_max() - order)
    before = pl.when(pl.col("row") == pl.col("first")).then(0).otherwise(pl.col("reached").shift(1))
    return most.with_columns(new=pl.col("reached") > before).drop("row", "first", "is_last")


def _scaled(instruments: dict[str, Instrument]) -> pl.Expr:
    """The alliance rating on 0 to 1, higher better."""
    known = {key: one for key, one in instruments.items() if one.kind == "alliance" and one.usable}

    def of(name: str) -> pl.Expr:
        values = {key: float(getattr(one, name)) for key, one in known.items()}
        return pl.col("alliance_instrument").replace_strict(values, default=None, return_dtype=pl.Float64)

    low, high = of("minimum"), of("maximum")
    up = (pl.col("alliance_latest") - low) / (high - low)
    return pl.when(of("direction") > 0).then(up).otherwise(1 - up).clip(0, 1)


def _severity(instruments: dict[str, Instrument]) -> pl.Expr:
    """First outcome score in SDs of clients at the start, higher worse; null where no norm is published."""
    known = {
        key: one
        for key, one in instruments.items()
        if one.kind == "outcome" and one.mean_clinical is not None and one.sd_clinical
    }

    def of(name: str) -> pl.Expr:
        values = {key: float(getattr(one, name)) for key, one in known.items()}
        return pl.col("outcome_instrument").replace_strict(values, default=None, return_dtype=pl.Float64)

    return (of("mean_clinical") - pl.col("baseline")) / of("sd_clinical") * of("direction")


def _in_training(sessions: pl.DataFrame, clinicians: pl.DataFrame) -> pl.DataFrame:
    """Whether the clinician was known to be in training on each day."""
    known = (
        sessions.select("episode_id", "as_of", "clinician_id")
        .join(clinicians, on="clinician_id")
        .filter(
            (pl.col("valid_from").is_null() | (pl.col("valid_from") <= pl.col("as_of")))
            & (pl.col("valid_to").is_null() | (pl.col("as_of") < pl.col("valid_to")))
        )
        .group_by("episode_id", "as_of")
        .agg(trainee=pl.col("is_trainee").any())
    )
    return sessions.join(known, on=["episode_id", "as_of"], how="left", maintain_order="left")


def sessions_known(real: pl.DataFrame, clinicians: pl.DataFrame, instruments: dict[str, Instrument]) -> pl.DataFrame:
    """One row per session on the day it became known (SESSIONS), by episode and day.

    ``real``: features with ``as_of``, keyed by real episode and day, sorted so. A rating counts for the session where it was
    given after the session before.
    """
    reached = with_session_reached(real.select("episode_id", "as_of", "sessions_attended"))
    rows = real.filter(reached["new"]).with_columns(reached.filter("new")["reached"])
    rated = pl.col("alliance_latest_on") > pl.coalesce(
        "previous_attended_on", pl.col("opened_on") - pl.duration(days=1)
    )
    fallen = pl.col("rupture").is_in(list(STATE_WORDS)) & ~(
        (pl.col("rupture") == "unrepaired") & pl.col("rupture_back").fill_null(False)
    )
    made = _in_training(rows, clinicians).with_columns(
        session_number="reached",
        alliance=pl.when(rated).then(_scaled(instruments)),  # the instrument's key comes along from the features
        missed_since="missed_before_last",
        late_cancelled_since="late_before_last",
        rupture_open=fallen,
        worse_now=pl.col("worsening_since").is_not_null(),
        severity=_severity(instruments),
        preference_unmet=pl.col("preference_met") == "no",
        telehealth=pl.col("last_mode").is_in(REMOTE),
    )
    return made.select(pl.col(name).cast(dtype) for name, dtype in SESSIONS.items())
