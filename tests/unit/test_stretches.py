"""Whether an episode's days are read in one stretch or one by one, every day says the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from dashboard.analytics.features import features, features_of
from dashboard.contracts import STATUSES
from dashboard.replay import History, as_known
from dashboard.replay.days import change_days
from dashboard.replay.known import LEAVES
from dashboard.replay.stretches import one_by_one, stretches
from tests.building import INSTRUMENTS, RULES, START
from tests.unit.test_replay import a_score, a_visit, an_episode, history, lives_of

LENGTH = 100
RATINGS = {
    "phq9": ("total", "item_1", "item_9"),
    "core10": ("total",),
    "srs": ("total",),
    "wai_sr": ("total", "bond", "goal", "task"),
}
MOST = {"total": 20, "item_1": 3, "item_9": 3}
LATE = st.sampled_from([0, 0, 0, 0, 2, 9])


def _versions(draw: st.DrawFn, row: dict[str, Any], changed: dict[str, Any]) -> list[dict[str, Any]]:
    """A row as it stood, or withdrawn after a while, or corrected then."""
    fate = draw(st.sampled_from(["stands"] * 6 + ["withdrawn", "corrected"]))
    if fate == "stands":
        return [row]
    gone = row["valid_from"] + timedelta(days=draw(st.integers(1, 30)))
    after = [row | changed | {"valid_from": gone}] if fate == "corrected" else []
    return [row | {"valid_to": gone}, *after]


@st.composite
def messy_histories(draw: st.DrawFn) -> History:
    visits: list[dict[str, Any]] = []
    rated: list[dict[str, Any]] = []
    for number, at in enumerate(sorted(draw(st.lists(st.integers(-4, LENGTH - 5), max_size=8)))):
        day = START + timedelta(days=at)
        status = draw(st.sampled_from(STATUSES))
        known = day + timedelta(days=draw(st.sampled_from([0, 0, 0, 3, 10, -2])))
        booked = min(known, day - timedelta(days=draw(st.sampled_from([0, 0, 7, 20]))))
        visit = a_visit(number, day, status, known) | {"valid_from": booked}
        if draw(st.integers(0, 9)) == 0:
            visit["status_known_from"] = None
        moved = datetime.combine(day + timedelta(days=draw(st.sampled_from([-3, 0, 5]))), datetime.min.time())
        visits += _versions(draw, visit, {"starts_at": moved, "status": draw(st.sampled_from(STATUSES))})
    for at in sorted(draw(st.lists(st.integers(0, LENGTH - 5), max_size=8, unique=True))):
        day = START + timedelta(days=at)
        for instrument in draw(st.lists(st.sampled_from(sorted(RATINGS)), max_size=3, unique=True)):
            late = timedelta(days=draw(LATE))
            for scale in RATINGS[instrument]:
                score = a_score(day, draw(st.integers(0, MOST.get(scale, 20))), day + late, instrument, scale)
                rated += _versions(draw, score, {"value": 4.0}) if draw(st.integers(0, 5)) else []
    episode = an_episode(valid_from=START - timedelta(days=draw(st.sampled_from([0, 4]))))
    if draw(st.booleans()):
        episode |= {
            "closed_on": START + timedelta(days=70),
            "ending": draw(st.sampled_from(["planned", "unilateral"])),
            "ending_known_from": START + timedelta(days=draw(st.sampled_from([70, 80]))),
        }
    told = history(_versions(draw, episode, {"clinician_id": 2}), visits, rated)
    away = {"clinician_id": 1, "from_day": START + timedelta(days=30), "to_day": START + timedelta(days=40)}
    away["valid_from"] = START + timedelta(days=draw(st.sampled_from([20, 35])))
    return replace(told, leave=pl.DataFrame([away] * draw(st.integers(0, 1)), schema=LEAVES))


def every_day(length: int = LENGTH) -> pl.DataFrame:
    return pl.DataFrame({"as_of": [START + timedelta(days=n) for n in range(-4, length)]}).select(
        unit=pl.int_range(pl.len(), dtype=pl.Int64), episode_id=pl.lit(1, dtype=pl.Int64), as_of="as_of"
    )


@pytest.mark.parametrize("preferred", ["", "core10"])
@settings(max_examples=60, deadline=None)
@given(messy_histories())
def test_every_day_says_the_same_read_in_one_stretch_or_one_by_one(preferred: str, past: History) -> None:
    days, rules = every_day(), replace(RULES, preferred_outcome=preferred)
    read_on = features_of(stretches(past, days), INSTRUMENTS, rules)
    assert_frame_equal(
        read_on, features_of(stretches(past, days, one_by_one(days)), INSTRUMENTS, rules), check_exact=True
    )
    assert_frame_equal(read_on, features(as_known(past, days), INSTRUMENTS, rules), check_exact=True)


@settings(max_examples=60, deadline=None)
@given(messy_histories())
def test_the_days_that_matter_miss_nothing_of_a_messy_past(past: History) -> None:
    last = START + timedelta(days=LENGTH - 1)
    assert_frame_equal(lives_of(past, change_days(past, last, RULES)), lives_of(past, every_day()))


def begun(visits: list[dict[str, Any]], scores: list[dict[str, Any]]) -> list[int]:
    """Days after START on which a stretch begins."""
    asked = stretches(history([an_episode()], visits, scores), every_day()).asked
    first = asked.group_by("stretch").agg(pl.col("as_of").min())["as_of"].sort()
    return [(day - START).days for day in first.to_list()]


def after(days: int) -> Any:
    return START + timedelta(days=days)


def test_weekly_rows_recorded_on_their_day_or_in_order_are_one_stretch() -> None:
    weeks = [after(7 * n) for n in range(4)]
    assert begun([a_visit(n, day) for n, day in enumerate(weeks)], [a_score(day, 9) for day in weeks]) == [0]
    late = [a_visit(n, day, known=day + timedelta(days=3)) for n, day in enumerate(weeks)]
    assert begun(late, []) == [0]


def test_a_stretch_begins_where_something_earlier_is_recorded_or_anything_withdrawn() -> None:
    visits = [a_visit(0, START), a_visit(1, after(7))]
    assert begun(visits, [a_score(START, 9, after(10))]) == [0, 10]
    assert begun(visits, [a_score(START, 9, until=after(20))]) == [0, 20]
    # a session and a score of one day that became known apart
    assert begun(visits, [a_score(after(7), 9, after(8))]) == [0, 8]


def test_a_booking_ahead_begins_no_stretch_and_is_the_next_one_until_its_day() -> None:
    ahead = [a_visit(n, after(at), known=after(at)) | {"valid_from": START} for n, at in enumerate((7, 14))]
    assert begun(ahead, []) == [0]
    days = every_day(16)
    found = features_of(stretches(history([an_episode()], ahead, []), days), INSTRUMENTS, RULES)
    on = dict(found.select("as_of", "next_booked_on").iter_rows())
    assert [on[after(n)] for n in (0, 6, 7, 13, 14)] == [after(7), after(7), after(14), after(14), None]
