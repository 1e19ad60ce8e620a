"""Replaying the past: looking at the days that matter says the same as looking at every day."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from dashboard.analytics.features import features
from dashboard.analytics.scoring import risk_answers
from dashboard.contracts import APPOINTMENTS, EPISODES, SAFETY_CHECKS, SCORES, STATUSES
from dashboard.replay import History, Replay, as_known, assess
from dashboard.replay.course import with_session_reached
from dashboard.replay.days import change_days
from dashboard.replay.known import LEAVES
from dashboard.replay.lives import flag_lives
from dashboard.signals import Context, evaluate
from tests.building import INSTRUMENTS, RULES, START

TODAY = START + timedelta(days=120)
VERSIONS = {"valid_from": pl.Date(), "valid_to": pl.Date()}


def history(
    episodes: list[dict[str, object]],
    appointments: list[dict[str, object]],
    scores: list[dict[str, object]],
    checks: list[dict[str, object]] | None = None,
) -> History:
    without = {name: dtype for name, dtype in EPISODES.schema.items() if name != "as_of"}
    return History(
        pl.DataFrame(episodes, schema={**without, **VERSIONS, "ending_known_from": pl.Date()}),
        pl.DataFrame(appointments, schema={**APPOINTMENTS.schema, **VERSIONS, "status_known_from": pl.Date()}),
        pl.DataFrame(scores, schema={**SCORES.schema, **VERSIONS}),
        pl.DataFrame(checks or [], schema=SAFETY_CHECKS.schema),
    )


def an_episode(**given: object) -> dict[str, object]:
    row: dict[str, object] = {
        "episode_id": 1,
        "client_id": 1,
        "clinician_id": 1,
        "opened_on": START,
        "kind": "individual",
        "valid_from": START,
    }
    return row | given


def a_visit(number: int, day: date, status: str = "attended", known: date | None = None) -> dict[str, object]:
    return {
        "episode_id": 1,
        "appointment_id": number,
        "starts_at": datetime.combine(day, datetime.min.time()),
        "status": status,
        "valid_from": min(known or day, day),
        "status_known_from": known or day,
    }


def a_score(day: date, value: float, known: date | None = None, instrument: str = "phq9", scale: str = "total",
            until: date | None = None) -> dict[str, object]:  # fmt: skip
    return {
        "episode_id": 1,
        "taken_on": day,
        "instrument": instrument,
        "scale": scale,
        "respondent": "client",
        "value": float(value),
        "valid_from": known or day,
        "valid_to": until,
    }


@st.composite
def histories(draw: st.DrawFn) -> History:
    days = sorted(draw(st.lists(st.integers(0, 110), min_size=0, max_size=12, unique=True)))
    visits = [
        a_visit(
            number,
            START + timedelta(days=day),
            draw(st.sampled_from(STATUSES)),
            START + timedelta(days=day + draw(st.sampled_from([0, 0, 3]))),
        )
        for number, day in enumerate(days)
    ]
    rated = []
    for day in days:
        taken = START + timedelta(days=day)
        late = draw(st.sampled_from([0, 0, 0, 4]))
        rated.append(a_score(taken, draw(st.integers(0, 27)), taken + timedelta(days=late)))
        if draw(st.booleans()):
            rated.append(a_score(taken, draw(st.sampled_from([20, 30, 34, 36, 40])), instrument="srs"))
        for scale, most in (("total", 60), ("bond", 20), ("goal", 20)) if draw(st.booleans()) else ():
            value = draw(st.integers(most // 2, most))
            rated.append(a_score(taken, value, taken + timedelta(days=late), instrument="wai_sr", scale=scale))
        if draw(st.integers(0, 5)) == 0:
            rated.append(a_score(taken, draw(st.integers(0, 3)), instrument="phq9", scale="item_9"))
    closed = draw(st.sampled_from([None, None, 90]))
    ending: dict[str, object] = (
        {}
        if closed is None
        else {
            "closed_on": START + timedelta(days=closed),
            "ending": draw(st.sampled_from(["planned", "unilateral", "unknown"])),
            "ending_known_from": START + timedelta(days=closed + draw(st.sampled_from([0, 9]))),
        }
    )
    away = [
        {"clinician_id": 1, "from_day": START + timedelta(days=first), "to_day": START + timedelta(days=first + length),
         "valid_from": START + timedelta(days=first - draw(st.sampled_from([0, 20])))}
        for first, length in draw(st.lists(st.tuples(st.integers(20, 110), st.integers(0, 30)), max_size=2))
    ]  # fmt: skip
    asked = draw(st.sampled_from([None, None, 30]))
    given: dict[str, object] = {"preference_met": draw(st.sampled_from(["yes", "no", None]))}
    if asked is not None:
        given["change_requested_on"] = START + timedelta(days=asked)
    told = history([an_episode(**ending, **given)], visits, rated)
    return replace(told, leave=pl.DataFrame(away, schema=LEAVES))


def lives_of(past: History, days: pl.DataFrame) -> pl.DataFrame:
    frames = as_known(past, days)
    found = features(frames, INSTRUMENTS, RULES)
    raised = evaluate(
        Context(found, risk_answers(frames.scores, INSTRUMENTS), frames.safety_checks, INSTRUMENTS, RULES)
    )
    lived = days.join(found.select(pl.col("episode_id").alias("unit")), on="unit", how="semi")
    return flag_lives(raised, lived)


@settings(max_examples=60, deadline=None)
@given(histories())
def test_the_days_that_matter_give_the_same_flag_lives_as_every_single_day(past: History) -> None:
    length = (TODAY - START).days + 1
    every = pl.DataFrame({"as_of": [START + timedelta(days=n) for n in range(length)]}).select(
        unit=pl.int_range(length, dtype=pl.Int64), episode_id=pl.lit(1, dtype=pl.Int64), as_of="as_of"
    )
    assert_frame_equal(lives_of(past, change_days(past, TODAY, RULES)), lives_of(past, every))


@settings(max_examples=30, deadline=None)
@given(histories(), st.integers(0, 119))
def test_flags_cleared_by_a_day_are_the_same_when_seen_from_later(past: History, back: int) -> None:
    day = START + timedelta(days=back)
    then = assess(past, day, INSTRUMENTS, RULES).flags.filter(pl.col("state") == "cleared")
    later = assess(past, TODAY, INSTRUMENTS, RULES).flags.filter(pl.col("cleared_on") <= day)
    assert_frame_equal(then, later)


def test_a_score_is_unknown_until_it_was_recorded_and_gone_once_corrected() -> None:
    past = history(
        [an_episode()],
        [a_visit(1, START)],
        [
            a_score(START, 14, START + timedelta(days=5), until=START + timedelta(days=20)),
            a_score(START, 9, START + timedelta(days=20)),
        ],
    )

    def baseline(days: int) -> float | None:
        return assess(past, START + timedelta(days=days), INSTRUMENTS, RULES).states["baseline"].item()

    assert [baseline(n) for n in (4, 5, 19, 20)] == [None, 14.0, 14.0, 9.0]


def test_an_appointment_reads_booked_until_its_status_was_known() -> None:
    past = history([an_episode()], [a_visit(1, START, known=START + timedelta(days=3))], [])

    def attended(days: int) -> int:
        return int(assess(past, START + timedelta(days=days), INSTRUMENTS, RULES).states["sessions_attended"].item())

    assert [attended(n) for n in (0, 2, 3)] == [0, 0, 1]


def test_an_episode_opened_later_is_not_there_before() -> None:
    past = history([an_episode(valid_from=START + timedelta(days=7))], [], [])
    assert assess(past, START + timedelta(days=6), INSTRUMENTS, RULES).states.is_empty()
    assert assess(past, START + timedelta(days=7), INSTRUMENTS, RULES).states.height == 1


def test_an_opening_dated_after_a_session_hides_no_limit_that_passes_after_it() -> None:
    past = history([an_episode()], [a_visit(1, START - timedelta(days=5))], [])
    grace = START - timedelta(days=5) + timedelta(days=RULES.booking_grace_days)
    flags = assess(past, TODAY, INSTRUMENTS, RULES).flags.filter(pl.col("signal") == "nothing_booked")
    assert flags["raised_on"].to_list() == [max(grace, START)]


def test_an_episode_whose_only_session_was_withdrawn_raises_no_chance_of_leaving() -> None:
    gone = a_visit(1, START) | {"valid_to": START + timedelta(days=5)}
    missed = [a_visit(n, START + timedelta(days=n), "no_show") for n in (2, 3)]
    past = history([an_episode(preference_met="no")], [gone, *missed], [])
    low = replace(RULES, dropout_raised=0.01)
    flags = assess(past, START + timedelta(days=9), INSTRUMENTS, low).flags.filter(pl.col("signal") == "dropout_raised")
    assert flags["cleared_on"].to_list() == [START + timedelta(days=5)]


def test_each_risk_answer_has_a_life_of_its_own() -> None:
    weeks = [START, START + timedelta(days=7)]
    past = history(
        [an_episode()],
        [a_visit(n, day) for n, day in enumerate(weeks)],
        [a_score(day, 1, scale="item_9") for day in weeks],
        [{"episode_id": 1, "signal": "risk_item", "since": START, "checked_on": START + timedelta(days=3)}],
    )
    flags = assess(past, START + timedelta(days=10), INSTRUMENTS, RULES).flags.filter(pl.col("family") == "safety")
    assert flags.select("since", "state", "cleared_on").rows() == [
        (START, "cleared", START + timedelta(days=3)),
        (START + timedelta(days=7), "open", None),
    ]


@pytest.mark.parametrize("as_of", [START, TODAY])
def test_a_practice_without_episodes_has_an_empty_evaluation(as_of: date) -> None:
    found = assess(history([], [], []), as_of, INSTRUMENTS, RULES)
    assert (found.states.height, found.flags.height, found.sessions.height) == (0, 0, 0)


def test_sessions_reached_are_counted_per_episode_however_many_episodes_there_are() -> None:
    count = 6_000
    days = pl.DataFrame(
        {
            "episode_id": [n for n in range(count) for _ in range(3)],
            "as_of": [START, START + timedelta(days=7), START + timedelta(days=14)] * count,
            "sessions_attended": [1, 3, 2] * count,
        },
        schema_overrides={"episode_id": pl.Int64, "sessions_attended": pl.Int64},
    )
    found = with_session_reached(days)
    assert found["reached"].to_list() == [1, 3, 3] * count
    assert found["new"].to_list() == [True, True, False] * count


def test_parts_come_in_order_and_together_say_the_same_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = range(1, 8)
    past = history(
        [an_episode(episode_id=n, client_id=n, preference_met="no" if n % 2 else None) for n in numbers],
        [a_visit(10 * n + k, START + timedelta(days=7 * k)) | {"episode_id": n} for n in numbers for k in range(n)],
        [a_score(START + timedelta(days=7 * k), 8 + n + k) | {"episode_id": n} for n in numbers for k in range(n)],
    )
    replay = Replay(past, TODAY, INSTRUMENTS, RULES)
    learned = replay.learn({})
    whole = replay.assess(learned)
    monkeypatch.setattr(sys.modules[Replay.__module__], "CHUNK", 2)
    parts = list(replay.parts(learned))
    assert [part.states["episode_id"].to_list() for part in parts] == [[1, 2], [3, 4], [5, 6], [7]]
    for name in ("states", "flags", "sessions"):
        assert_frame_equal(pl.concat([getattr(part, name) for part in parts]), getattr(whole, name))
    assert [part.states["episode_id"].to_list() for part in replay.parts(learned, [2, 5, 7])] == [[2, 5], [7]]
