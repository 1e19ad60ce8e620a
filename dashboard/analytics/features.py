"""Everything the signals ask about an episode, one row each, as known on the row's own ``as_of``."""

from __future__ import annotations

import polars as pl

from dashboard.analytics.agreement import agreement
from dashboard.analytics.alliance import alliance
from dashboard.analytics.attendance import attendance, dated
from dashboard.analytics.endings import endings
from dashboard.analytics.leave import passes
from dashboard.analytics.outcome import outcome
from dashboard.analytics.scoring import totals
from dashboard.analytics.stretches import Stretches, one_day_each
from dashboard.contracts import Contract, Frames
from dashboard.instruments.instrument import Instrument
from dashboard.settings import Rules

_DAY, _INT, _REAL, _WORD, _YES = pl.Date(), pl.Int64(), pl.Float64(), pl.String(), pl.Boolean()

# what the models in force on the row's day add (dashboard.replay.judged); null before that
JUDGED = {
    "expected_low": _REAL,
    "expected_mid": _REAL,
    "expected_high": _REAL,
    "on_track": _WORD,
    "off_track_since": _DAY,
    "dropout_next_session": _REAL,
    "dropout_next_4": _REAL,
    "dropout_next_4_low": _REAL,
    "dropout_next_4_high": _REAL,
    "dropout_usual_4": _REAL,
    "dropout_relative": _REAL,
    "dropout_reasons": _WORD,
    "alliance_low_below": _REAL,
    "alliance_low_since": _DAY,
}

FEATURES = Contract(
    "features",
    {
        "episode_id": _INT,
        "clinician_id": _INT,
        "as_of": _DAY,
        "is_open": _YES,
        "opened_on": _DAY,
        "closed_on": _DAY,
        "ending": _WORD,
        "first_attended_on": _DAY,
        "problem_area": _WORD,
        "preference_met": _WORD,
        "change_requested_on": _DAY,
        "sessions_attended": _INT,
        "last_attended_on": _DAY,
        "previous_attended_on": _DAY,
        "missed_before_last": _INT,
        "late_before_last": _INT,
        "last_mode": _WORD,
        "last_contact_on": _DAY,
        "days_since_contact": _INT,
        "no_contact_on": _DAY,
        "unbooked_on": _DAY,
        "next_booked_on": _DAY,
        "missed_recent": _INT,
        "last_missed_on": _DAY,
        "missed_since": _DAY,
        "outcome_instrument": _WORD,
        "scores": _INT,
        "baseline": _REAL,
        "baseline_on": _DAY,
        "latest": _REAL,
        "latest_on": _DAY,
        "latest_session": _INT,
        "change": _REAL,
        "change_category": _WORD,
        "worsening_since": _DAY,
        "no_improvement_since": _DAY,
        "outcome_threshold": _REAL,
        "cutoff": _REAL,
        "alliance_instrument": _WORD,
        "alliance_scores": _INT,
        "alliance_mean": _REAL,
        "alliance_latest": _REAL,
        "alliance_latest_on": _DAY,
        "alliance_reference": _REAL,
        "alliance_major_below": _REAL,
        "alliance_drop": _REAL,
        "alliance_mark_latest": _WORD,
        "rupture": _WORD,
        "rupture_since": _DAY,
        "rupture_nadir": _REAL,
        "rupture_back": _YES,
        "ceiling": _YES,
        "ceiling_since": _DAY,
        "agreement_since": _DAY,
        "agreement_part": _WORD,
        "agreement_value": _REAL,
        "agreement_bond": _REAL,
        "agreement_limit": _REAL,
        "last_measure_on": _DAY,
        "d1_unilateral": _YES,
        "d2_no_return": _YES,
        "d3_missed_last": _YES,
        "d4_below_planned": _YES,
        "d5_not_improved": _YES,
        "dropout": _YES,
        "dropout_session": _INT,
        "censored_session": _INT,
        **JUDGED,
    },
    key=("episode_id",),
    required=("episode_id", "clinician_id", "as_of", "is_open", "opened_on", "sessions_attended", "scores"),
)


def features(frames: Frames, instruments: dict[str, Instrument], rules: Rules) -> pl.DataFrame:
    """One row per episode (FEATURES). Depends on nothing but the rows given; their order does not matter.

    Null rules: no score, no change; under two scores the category is ``not_enough_data``, never "no change".
    """
    return features_of(one_day_each(frames), instruments, rules)


def features_of(known: Stretches, instruments: dict[str, Instrument], rules: Rules) -> pl.DataFrame:
    """One row per day asked (FEATURES, ``episode_id`` its name), in the order of ``known.asked``; nulls as in ``features``."""
    made = totals(known.scores, instruments)
    diary = dated(known.appointments)
    asked = known.asked.join(known.booked, on="episode_id", how="left", maintain_order="left")
    frame = asked.hstack(attendance(diary, asked, rules)).hstack(outcome(made, diary, asked, instruments, rules))
    frame = frame.with_columns(pl.col("sessions_attended", "missed_recent").fill_null(0))
    frame = frame.hstack(alliance(made, frame, instruments, rules))
    frame = frame.hstack(agreement(made, frame, instruments))
    frame = frame.with_columns(
        pl.col("scores", "alliance_scores").fill_null(0),
        pl.col("ceiling").fill_null(False),
        pl.col("rupture", "change_category").fill_null("not_enough_data"),
        is_open=pl.col("closed_on").is_null(),
        last_contact_on=pl.coalesce("last_attended_on", "opened_on"),
        last_measure_on=pl.max_horizontal("latest_on", "alliance_latest_on"),
    ).with_columns(days_since_contact=(pl.col("as_of") - pl.col("last_contact_on")).dt.total_days())
    bases = frame.select("episode_id", base="last_contact_on")
    frame = frame.with_columns(
        # the days on which the limits pass, leave of the clinician left out
        passes(bases, known.leave, rules.no_contact_days + 1)[-1].alias("no_contact_on"),
        passes(bases, known.leave, rules.booking_grace_days)[-1].alias("unbooked_on"),
    )
    return (
        endings(frame, rules)
        .with_columns(pl.lit(None, dtype=t).alias(c) for c, t in JUDGED.items())
        .select(pl.col(name).cast(dtype) for name, dtype in FEATURES.schema.items())
    )
