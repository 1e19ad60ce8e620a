"""How an episode ended, by five published definitions kept apart, and when it is too early to say (science 5.2)."""

from __future__ import annotations

import polars as pl

from dashboard.settings import Rules

MISSED = ("no_show", "late_cancelled")
NOT_A_DROPOUT = ("transferred", "moved", "other")
AGREED = ("planned", "mutual")


def endings(frame: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Adds d1 … d5, dropout, dropout_session and censored_session to a feature frame; null stays null (empty).

    d1 coded unilateral; empty without a coded ending. d2 no attended session for the limit and nothing booked; false after
    an agreed ending. d3 last past appointment missed, nothing booked, and closed or silent beyond the limit. d4 closed with
    fewer sessions than planned. d5 closed without reliable improvement, last score clinical; empty under two scores. The
    last two leave out transferred, moved and other endings. Somebody who never attended cannot drop out.
    """
    coded = pl.col("ending").is_not_null() & (pl.col("ending") != "unknown")
    started = pl.col("sessions_attended") > 0
    nothing_booked = pl.col("next_booked_on").is_null()
    silent = ((pl.col("as_of") - pl.col("last_attended_on")).dt.total_days() >= rules.dropout_days).fill_null(False)
    is_closed = pl.col("closed_on").is_not_null()
    counted = is_closed & ~pl.col("ending").is_in(NOT_A_DROPOUT).fill_null(False)
    improved = pl.col("change_category").is_in(["recovered", "reliable_improvement"])
    frame = frame.with_columns(
        d1_unilateral=pl.when(coded).then(pl.col("ending") == "unilateral"),
        d2_no_return=pl.when(started).then(silent & nothing_booked & ~pl.col("ending").is_in(AGREED).fill_null(False)),
        d3_missed_last=pl.when(pl.col("last_status").is_not_null()).then(
            pl.col("last_status").is_in(MISSED) & nothing_booked & (is_closed | silent)
        ),
        d4_below_planned=pl.when(counted & pl.col("planned_sessions").is_not_null()).then(
            pl.col("sessions_attended") < pl.col("planned_sessions")
        ),
        d5_not_improved=pl.when(counted & (pl.col("change_category") != "not_enough_data")).then(
            ~improved & pl.col("still_clinical")
        ),
    )
    dropout = pl.when(~started).then(None).when(coded).then(pl.col("d1_unilateral")).otherwise(pl.col("d2_no_return"))
    return frame.with_columns(dropout=dropout).with_columns(
        dropout_session=pl.when(pl.col("dropout")).then(pl.col("sessions_attended")),
        censored_session=pl.when(started & ~pl.col("dropout").fill_null(False)).then(pl.col("sessions_attended")),
    )
