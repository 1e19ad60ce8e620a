"""After a change of clinician: which episode is the next one, and what may be compared."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl

from dashboard.meetings.transfers import TRANSFERS, WITHIN_DAYS, transfers

CLOSED = date(2026, 6, 1)
PAIR: dict[str, Any] = {
    "public_id": "new",
    "client_code": "4F-1",
    "before_public_id": "old",
    "before_change_requested_on": None,
    "before_clinician_id": 1,
    "before_closed_on": CLOSED,
    "before_opened_on": CLOSED - timedelta(days=90),
    "before_alliance_instrument": "srs",
    "before_alliance_latest": 30.0,
    "before_outcome_instrument": "phq9",
    "before_latest": 18.0,
    "before_sessions_attended": 9,
    "clinician_id": 2,
    "closed_on": None,
    "opened_on": CLOSED + timedelta(days=7),
    "alliance_instrument": "srs",
    "alliance_latest": 37.0,
    "outcome_instrument": "gad7",
    "latest": 9.0,
    "sessions_attended": 4,
}
KINDS = {"before_change_requested_on": pl.Date(), "closed_on": pl.Date()}


def pairs(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([PAIR | row for row in rows], schema_overrides=KINDS)


def test_only_the_same_questionnaire_is_compared() -> None:
    row = transfers(pairs({})).row(0, named=True)
    assert (row["before_alliance"], row["alliance"]) == (30.0, 37.0)
    assert (row["before_score"], row["score"]) == (None, None)
    assert row["is_open"]
    assert not row["asked"]


def test_the_nearest_next_episode_counts_and_a_much_later_one_is_a_new_start() -> None:
    later = {"public_id": "later", "opened_on": CLOSED + timedelta(days=60)}
    assert transfers(pairs(later, {}))["public_id"].to_list() == ["new"]
    too_late = {"opened_on": CLOSED + timedelta(days=WITHIN_DAYS + 1)}
    found = transfers(pairs(too_late))
    assert found.is_empty()
    assert found.schema == pl.Schema(TRANSFERS)


def test_a_request_before_the_change_is_said() -> None:
    assert transfers(pairs({"before_change_requested_on": CLOSED}))["asked"].to_list() == [True]
