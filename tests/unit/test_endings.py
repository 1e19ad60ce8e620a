"""The five dropout definitions, kept apart, and censoring (science notes, section 5.2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dashboard.analytics.features import features
from tests.building import INSTRUMENTS, RULES, START, episode, frames, one_row, scores, visits, week

D = ("d1_unilateral", "d2_no_return", "d3_missed_last", "d4_below_planned", "d5_not_improved")
LIMIT = timedelta(days=RULES.dropout_days)
FOUR = ["attended"] * 4


def ended(statuses: list[str], days: int, rated: list[float | None] | None = None, **given: Any) -> dict[str, Any]:
    as_of = START + timedelta(days=days)
    made = frames([episode(as_of=as_of, **given)], visits(statuses), scores(rated or []))
    return one_row(features(made, INSTRUMENTS, RULES))


LAST = 21  # the day of the fourth weekly session
CLOSED = {"closed_on": week(4)}


@pytest.mark.parametrize(
    ("words", "statuses", "days", "given", "expected"),
    [
        ("open, seen lately", FOUR, LAST, {}, (None, False, False, None, None)),
        ("open, one day short of the limit", FOUR, LAST + 41, {}, (None, False, False, None, None)),
        ("open, silent for the limit", FOUR, LAST + 42, {}, (None, True, False, None, None)),
        ("a booking ahead", [*FOUR, "booked"], LAST, {}, (None, False, False, None, None)),
        ("coded unilateral", FOUR, LAST + 10, CLOSED | {"ending": "unilateral"}, (True, False, False, None, None)),
        ("coded planned, long ago", FOUR, LAST + 90, CLOSED | {"ending": "planned"}, (False, False, False, None, None)),
        ("coded mutual, long ago", FOUR, LAST + 90, CLOSED | {"ending": "mutual"}, (False, False, False, None, None)),
        ("closed without a code", FOUR, LAST + 42, CLOSED, (None, True, False, None, None)),
        ("closed as unknown", FOUR, LAST + 42, CLOSED | {"ending": "unknown"}, (None, True, False, None, None)),
        ("missed the last and closed", [*FOUR, "no_show"], LAST + 8, CLOSED, (None, False, True, None, None)),
        ("cancelled late and silent", [*FOUR, "late_cancelled"], LAST + 42, {}, (None, True, True, None, None)),
        ("missed the last, open, lately", [*FOUR, "no_show"], LAST + 8, {}, (None, False, False, None, None)),
        (
            "fewer than planned",
            FOUR,
            LAST + 8,
            CLOSED | {"ending": "planned", "planned_sessions": 8},
            (False, False, False, True, None),
        ),
        (
            "as many as planned",
            FOUR,
            LAST + 8,
            CLOSED | {"ending": "mutual", "planned_sessions": 4},
            (False, False, False, False, None),
        ),
        (
            "transferred: not counted by the last two",
            FOUR,
            LAST + 8,
            CLOSED | {"ending": "transferred", "planned_sessions": 8},
            (False, False, False, None, None),
        ),
    ],
)
def test_each_definition_says_its_own_thing(
    words: str, statuses: list[str], days: int, given: dict[str, Any], expected: tuple[bool | None, ...]
) -> None:
    found = ended(statuses, days, **given)
    assert tuple(found[name] for name in D) == expected, words


@pytest.mark.parametrize(
    ("rated", "ending", "expected"),
    [
        ([18, 18, 17, 16], "planned", True),
        ([18, 18, 17, 9], "unilateral", False),  # left improved
        ([18, 17, 16, 12], "unilateral", False),  # reliably improved although still clinical
        ([8, 8, 8, 9], "planned", False),  # last score not clinical
        ([18], "planned", None),  # under two scores
        ([18, 18, 17, 16], "moved", None),
    ],
)
def test_ended_not_improved_needs_two_scores_and_a_clinical_last_one(
    rated: list[float | None], ending: str, expected: bool | None
) -> None:
    assert ended(FOUR, LAST + 8, rated, closed_on=week(4), ending=ending)["d5_not_improved"] is expected


@pytest.mark.parametrize(
    ("statuses", "days", "given", "dropout", "dropout_session", "censored_session"),
    [
        (FOUR, LAST + 8, CLOSED | {"ending": "unilateral"}, True, 4, None),
        (FOUR, LAST + 8, CLOSED | {"ending": "planned"}, False, None, 4),
        (FOUR, LAST + 41, {}, False, None, 4),  # within the limit and open: censored, not a non-event
        (FOUR, LAST + 42, {}, True, 4, None),
        (FOUR, LAST + 42, CLOSED | {"ending": "unknown"}, True, 4, None),
        (["no_show", "no_show"], 60, {}, None, None, None),  # never started: nobody to drop out
    ],
)
def test_dropout_is_the_coded_ending_else_no_return(
    statuses: list[str],
    days: int,
    given: dict[str, Any],
    dropout: bool | None,
    dropout_session: int | None,
    censored_session: int | None,
) -> None:
    found = ended(statuses, days, **given)
    assert (found["dropout"], found["dropout_session"], found["censored_session"]) == (
        dropout,
        dropout_session,
        censored_session,
    )


def test_an_ending_of_a_later_day_is_not_known_on_an_earlier_one() -> None:
    assert ended(FOUR, LAST)["is_open"] is True
