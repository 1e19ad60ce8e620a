"""A reply counts for the flag that stood when it was given, and a snooze only until its day."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from dashboard.replay.answers import REPLIES, with_answers

RAISED = date(2026, 5, 4)
FLAG = {"episode_id": 1, "signal": "missed_appointments", "raised_on": RAISED, "state": "open"}


def day(number: int) -> date:
    return RAISED + timedelta(days=number)


def said(kind: str, on: int, until: int | None = None, signal: str = "missed_appointments") -> dict[str, object]:
    return {
        "episode_id": 1,
        "signal": signal,
        "kind": kind,
        "until_day": None if until is None else day(until),
        "replied_on": day(on),
    }


@pytest.mark.parametrize(
    ("words", "replies", "as_of", "state"),
    [
        ("no reply", [], 9, "open"),
        ("answered", [said("answered", 2)], 9, "answered"),
        ("answered on the day it was raised", [said("answered", 0)], 9, "answered"),
        ("a reply to an earlier life of the signal", [said("answered", -1)], 9, "open"),
        ("a reply given later is not known yet", [said("answered", 10)], 9, "open"),
        ("put off", [said("snoozed", 2, until=10)], 9, "snoozed"),
        ("put off until today", [said("snoozed", 2, until=9)], 9, "open"),
        ("put off, then answered", [said("snoozed", 2, until=20), said("answered", 3)], 9, "answered"),
        ("answered, then put off", [said("answered", 2), said("snoozed", 3, until=20)], 9, "snoozed"),
        ("a reply to another signal", [said("answered", 2, signal="no_contact")], 9, "open"),
    ],
)
def test_the_newest_reply_since_the_flag_was_raised_gives_its_state(
    words: str, replies: list[dict[str, object]], as_of: int, state: str
) -> None:
    lives = pl.DataFrame([FLAG], schema_overrides={"episode_id": pl.Int64})
    found = with_answers(lives, pl.DataFrame(replies, schema=REPLIES), day(as_of))
    assert found["state"].to_list() == [state], words


def test_a_cleared_flag_stays_cleared_whatever_was_said() -> None:
    lives = pl.DataFrame([FLAG | {"state": "cleared"}], schema_overrides={"episode_id": pl.Int64})
    replies = pl.DataFrame([said("answered", 2)], schema=REPLIES)
    assert with_answers(lives, replies, day(9))["state"].to_list() == ["cleared"]
