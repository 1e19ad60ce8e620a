"""What a meeting proposes: order, minutes, what is left out, and the draw between equal cases."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from dashboard.meetings.agenda import CASES, FOR_TIME, ONE_EACH, STRATA, Proposed, propose, stratum
from dashboard.meetings.coverage import coverage, with_last_discussed
from dashboard.meetings.follow_up import due, scores_around
from dashboard.meetings.plans import KINDS, LENGTHS, plan_of
from dashboard.meetings.since import since

TODAY = date(2026, 11, 20)
FIXED = ("actions", "safety", "theme", "asking", "coverage", "practice")
CALM = {
    "clinician_id": 1,
    "priority": "no_signals",
    "signals": "",
    "raised_on": None,
    "unanswered": 0,
    "brought": False,
    "marked_well": False,
    "gained": False,
    "sessions_attended": 5,
    "opened_on": TODAY - timedelta(days=100),
    "last_discussed_on": TODAY - timedelta(days=10),
    "lacks_data": False,
}
FIRST = {"priority": "talk_first", "signals": "off_track;no_contact", "raised_on": TODAY, "unanswered": 2}
WORTH = {"priority": "worth_discussing", "signals": "off_track", "raised_on": TODAY, "unanswered": 1}


def cases(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{"episode_id": n} | CALM | row for n, row in enumerate(rows, 1)], schema=CASES)


def by_id(episode_id: int) -> float:
    return episode_id / 1000


def agenda(frame: pl.DataFrame, kind: str = "one_to_one", minutes: int = 60, **given: int) -> list[Proposed]:
    return propose(frame, plan_of(kind, minutes), minutes, by_id, **({"actions_due": 0, "safety": 0} | given))


def on(found: list[Proposed]) -> list[tuple[str, int | None]]:
    return [(one.kind, one.episode_id) for one in found if one.left_out is None]


def out(found: list[Proposed]) -> list[tuple[int | None, str | None]]:
    return [(one.episode_id, one.left_out) for one in found if one.left_out is not None]


def test_the_parts_come_in_the_order_of_the_meeting() -> None:
    found = agenda(
        cases(FIRST, WORTH, {"lacks_data": True}, {"gained": True}, {"last_discussed_on": None}),
        minutes=90,
        actions_due=2,
        safety=1,
    )
    assert on(found) == [
        ("actions", None),
        ("safety", None),
        ("gaps", None),
        ("case", 1),
        ("case", 2),
        ("well", 4),
        ("longest", 5),
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (CALM, None),
        (CALM | FIRST, STRATA[1]),
        (CALM | FIRST | {"last_discussed_on": TODAY}, STRATA[2]),
        (CALM | FIRST | {"last_discussed_on": None}, STRATA[1]),
        (CALM | WORTH, STRATA[3]),
        (CALM | WORTH | {"last_discussed_on": TODAY}, STRATA[4]),
        (CALM | FIRST | {"unanswered": 0}, STRATA[5]),
        (CALM | {"brought": True}, STRATA[0]),
        (CALM | FIRST | {"brought": True, "unanswered": 0}, STRATA[0]),
    ],
)
def test_equal_cases_share_a_stratum(row: dict[str, object], expected: str | None) -> None:
    assert stratum(row) == expected


def test_what_does_not_fit_is_left_out_with_its_reason_and_its_draw() -> None:
    found = agenda(cases(*[FIRST] * 6), minutes=60)
    assert sum(one.minutes for one in found if one.left_out is None) + plan_of("one_to_one", 60).apart <= 60
    assert out(found)
    assert all(reason == FOR_TIME for _, reason in out(found))
    assert all(one.draw is not None for one in found if one.kind == "case")


def test_the_draw_decides_between_equal_cases_and_nothing_else() -> None:
    frame = cases(FIRST, FIRST, WORTH)
    plan = plan_of("one_to_one", 60)
    upside_down = propose(frame, plan, 60, lambda one: -by_id(one), actions_due=0, safety=0)
    assert [one.episode_id for one in upside_down if one.kind == "case"][:2] == [2, 1]
    assert [one.episode_id for one in agenda(frame) if one.kind == "case"][:2] == [1, 2]


def test_who_was_drawn_out_and_stands_there_as_longest_undiscussed_counts_as_drawn_out() -> None:
    rows = [FIRST] * 5 + [FIRST | {"last_discussed_on": None, "opened_on": TODAY - timedelta(days=400)}]
    found = agenda(cases(*rows))
    longest = next(one for one in found if one.kind == "longest")
    assert (longest.episode_id, longest.drawn_in, longest.left_out) == (6, False, None)
    assert longest.stratum == STRATA[1]
    assert {one.drawn_in for one in found if one.kind == "case" and one.left_out is None} == {True}
    assert {one.drawn_in for one in found if one.left_out == FOR_TIME and one.kind == "case"} == {False}


def test_safety_has_no_draw_and_stays_however_short_the_meeting() -> None:
    found = agenda(cases(*[FIRST] * 9), minutes=10, safety=3, actions_due=1)
    safety = next(one for one in found if one.kind == "safety")
    assert safety.left_out is None
    assert safety.draw is None
    assert safety.stratum is None


def test_a_short_meeting_keeps_to_actions_safety_and_cases() -> None:
    found = agenda(cases(FIRST, FIRST, {"lacks_data": True}, {"gained": True}), minutes=30, actions_due=1, safety=1)
    assert [kind for kind, _ in on(found)] == ["actions", "safety", "case", "case"]
    assert [one.minutes for one in found if one.kind == "case"] == [9, 9]


def test_what_makes_room_first_is_the_longest_undiscussed_then_the_gain_then_the_gaps() -> None:
    frame = cases(FIRST, {"lacks_data": True}, {"gained": True}, {"last_discussed_on": None})
    plan = plan_of("one_to_one", 60)
    kinds = [
        {kind for kind, _ in on(propose(frame, plan, m, by_id, actions_due=0, safety=0))} for m in (40, 28, 22, 16)
    ]
    assert kinds == [
        {"case", "gaps", "well", "longest"},
        {"case", "gaps", "well"},
        {"case", "gaps"},
        {"case"},
    ]


def test_a_group_takes_one_case_by_rule_and_one_brought_of_each_clinician() -> None:
    rows = [FIRST | {"clinician_id": 1}, FIRST | {"clinician_id": 1}, FIRST | {"clinician_id": 2}]
    rows += [{"clinician_id": 1, "brought": True}, {"clinician_id": 1, "brought": True}]
    found = agenda(cases(*rows), "group", 90)
    assert [one for one in on(found) if one[0] == "case"] == [("case", 1), ("case", 3), ("case", 4)]
    assert out(found) == [(5, ONE_EACH), (2, ONE_EACH)]


def test_the_one_that_went_well_is_the_one_the_clinician_marked() -> None:
    found = agenda(cases({"gained": True}, {"marked_well": True}))
    assert ("well", 2) in on(found)


def test_the_longest_undiscussed_is_never_discussed_before_long_ago_and_nobody_on_the_agenda() -> None:
    found = agenda(
        cases(
            FIRST | {"last_discussed_on": None},
            {"last_discussed_on": None, "sessions_attended": 0},
            {"last_discussed_on": TODAY - timedelta(days=90)},
            {"last_discussed_on": None, "opened_on": TODAY - timedelta(days=5)},
        )
    )
    assert ("longest", 4) in on(found)


@settings(max_examples=150, deadline=None)
@given(
    some.lists(
        some.sampled_from([CALM, FIRST, WORTH, CALM | {"brought": True}, CALM | {"lacks_data": True, "gained": True}]),
        max_size=25,
    ),
    some.sampled_from(list(KINDS)),
    some.sampled_from([*LENGTHS, 5, 15]),
    some.integers(0, 3),
    some.integers(0, 3),
)
def test_every_case_with_a_reason_is_on_the_agenda_or_left_out_and_minutes_are_kept(
    rows: list[dict[str, Any]], kind: str, minutes: int, actions: int, safety: int
) -> None:
    frame = cases(*rows)
    plan = plan_of(kind, minutes)
    found = propose(frame, plan, minutes, by_id, actions_due=actions, safety=safety)
    named = [one.episode_id for one in found if one.episode_id is not None]
    assert len(named) == len(set(named))
    if plan.case:
        assert {row["episode_id"] for row in frame.to_dicts() if stratum(row)} <= set(named)
    kept = [one for one in found if one.left_out is None]
    fixed = sum(one.minutes for one in kept if one.kind in FIXED)
    rest = sum(one.minutes for one in kept) - fixed
    assert rest <= max(0, minutes - plan.apart - fixed)
    assert ("safety" in [one.kind for one in kept]) == (safety > 0)


def test_once_a_month_the_pattern_and_the_growth_goal_take_the_place_of_the_longest_undiscussed() -> None:
    frame = cases(FIRST, WORTH, {"last_discussed_on": None})
    usual, monthly = on(agenda(frame)), on(agenda(frame, pattern_due=True))
    assert ("longest", 3) in usual
    assert "pattern" not in {kind for kind, _ in usual}
    assert [kind for kind, _ in monthly][-2:] == ["pattern", "growth"]
    assert ("longest", 3) not in monthly
    assert [episode for kind, episode in monthly if kind == "case"] == [1, 2]  # two cases keep their time


@pytest.mark.parametrize(("kind", "minutes"), [("group", 90), ("one_to_one", 30), ("director", 30)])
def test_no_pattern_of_one_clinician_in_a_group_a_short_meeting_or_alone(kind: str, minutes: int) -> None:
    found = on(agenda(cases(FIRST, WORTH), kind, minutes, pattern_due=True))
    assert not {"pattern", "growth"} & {name for name, _ in found}


def test_a_director_alone_looks_at_the_practice_as_a_whole() -> None:
    found = agenda(cases(FIRST, WORTH), "director", 30, actions_due=1, safety=1)
    assert [one.kind for one in found] == ["actions", "safety", "coverage", "practice"]


def test_since_we_last_met_counts_what_changed_after_that_day() -> None:
    met = date(2026, 11, 1)
    before, after = met, met + timedelta(days=1)
    flags = pl.DataFrame(
        {
            "signal": ["stands before", "new", "cleared", "came and went", "risk_item"],
            "family": ["outcome", "outcome", "outcome", "outcome", "safety"],
            "raised_on": [before, after, before, after, after],
            "cleared_on": [None, None, after, after, None],
        }
    )
    states = pl.DataFrame(
        {
            "code": ["ended before", "ended", "measured", "measured before"],
            "closed_on": [before, after, None, None],
            "baseline_on": [None, None, after, before],
        }
    )
    found = since(flags, states, met)
    assert found.raised["signal"].to_list() == ["new"]
    assert found.cleared["signal"].to_list() == ["cleared"]
    assert found.ended["code"].to_list() == ["ended"]
    assert found.measured["code"].to_list() == ["measured"]
    assert not found.is_empty


def test_coverage_counts_who_was_discussed_in_four_weeks_and_who_never() -> None:
    states = pl.DataFrame({"episode_id": [1, 2, 3]})
    discussed = pl.DataFrame(
        {
            "episode_id": [1, 1, 2],
            "held_on": [TODAY - timedelta(days=40), TODAY - timedelta(days=27), TODAY - timedelta(days=28)],
        }
    )
    found = coverage(with_last_discussed(states, discussed), TODAY)
    assert (found.episodes, found.lately, found.never) == (3, 1, 1)


def test_scores_since_a_decision_begin_the_day_after_it() -> None:
    points = [(TODAY - timedelta(days=7), 18.0), (TODAY, 17.0), (TODAY + timedelta(days=7), 12.0)]
    found = scores_around(points, TODAY)
    assert found.before == (TODAY, 17.0)
    assert found.since == [(TODAY + timedelta(days=7), 12.0)]
    assert found.change == -5.0
    assert scores_around(points[:2], TODAY).change is None
    assert scores_around([], TODAY).before is None


def test_an_action_is_due_from_its_day_on_or_at_the_next_meeting_where_none_was_named() -> None:
    actions = pl.DataFrame(
        {
            "what": ["later", "today", "no day", "no day, agreed today", "done"],
            "state": ["open", "open", "open", "open", "done"],
            "look_again_on": [TODAY + timedelta(days=1), TODAY, None, None, TODAY],
            "agreed_on": [TODAY, TODAY, TODAY - timedelta(days=1), TODAY, TODAY],
        }
    )
    assert due(actions, TODAY)["what"].to_list() == ["today", "no day"]
