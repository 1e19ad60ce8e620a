"""Signs of a growth goal: what counts and what does not, who may read and write it, and its words."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.access import Role, Viewer, can_read_goal, can_write_goal, check_can_write_goal
from dashboard.analytics.growth_signs import (
    SIGN_SESSIONS,
    SIGN_STATES,
    SIGNS,
    Part,
    sign_value,
    value_before,
    value_since,
)
from dashboard.errors import NotAllowed
from dashboard.ui.growth_blocks import goal_blocks
from dashboard.ui.view import Block, Cell, Facts, Fold, Para, Table

START = date(2026, 1, 5)
END = date(2026, 6, 30)
HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) **b**"


def held(*rows: tuple[int, int, str, float | None, float | None], every: int = 7) -> pl.DataFrame:
    """(episode, week, status, outcome, alliance); session numbers are counted."""
    found, counted = [], dict.fromkeys({row[0] for row in rows}, 0)
    for episode, week, status, outcome, alliance in rows:
        counted[episode] += status == "attended"
        number = counted[episode] if status == "attended" else None
        at = datetime.combine(START + timedelta(days=every * week), datetime.min.time()).replace(hour=9)
        found.append((episode, number, at, status, outcome, alliance))
    return pl.DataFrame(found, schema=SIGN_SESSIONS, orient="row")


def states(*rows: dict[str, Any]) -> pl.DataFrame:
    usual = {
        "episode_id": 1,
        "sessions_attended": 3,
        "closed_on": None,
        "ending": None,
        "rupture": "none",
        "rupture_since": None,
    }
    return pl.DataFrame([usual | row for row in rows], schema=SIGN_STATES, orient="row")


IN, OUT = date(2026, 3, 2), date(2026, 9, 1)
NOTHING = states()
AT = {"closed_on": IN}
CLOSED = states(AT)
CAME = "attended"


@pytest.mark.parametrize(
    ("sign", "sessions", "episodes", "value"),
    [
        ("alliance_each_session", held((1, 1, CAME, None, 30.0), (1, 2, CAME, 9.0, None)), NOTHING, (1, 2)),
        ("alliance_each_session", held((1, 1, "no_show", None, None), (1, 40, CAME, 9.0, 30.0)), NOTHING, (0, 0)),
        ("alliance_by_third", held(*[(1, n, CAME, None, 30.0 if n == 2 else None) for n in (1, 2, 3)]), NOTHING, (1, 1)),
        ("alliance_by_third", held(*[(1, n, CAME, None, 30.0 if n == 4 else None) for n in (1, 2, 3, 4)]), NOTHING, (0, 1)),
        ("alliance_by_third", held(*[(1, n, CAME, None, 30.0) for n in (1, 2)]), NOTHING, (0, 0)),
        ("outcome_at_last", held((1, 1, CAME, None, None), (1, 2, CAME, 9.0, None)), CLOSED, (1, 1)),
        ("outcome_at_last", held((1, 1, CAME, 9.0, None), (1, 2, CAME, None, None)), CLOSED, (0, 1)),
        ("outcome_at_last", held((1, 1, CAME, 9.0, None), (1, 2, "no_show", None, None)), CLOSED, (1, 1)),
        ("outcome_at_last", held((1, 1, CAME, 9.0, None)), states({"closed_on": OUT}), (0, 0)),
        ("outcome_at_last", held((1, 1, CAME, 9.0, None)), states({}), (0, 0)),
        ("missed_followed", held((1, 1, "no_show", None, None), (1, 3, CAME, None, None)), NOTHING, (1, 1)),
        ("missed_followed", held((1, 1, "late_cancelled", None, None), (1, 2, "booked", None, None)), NOTHING, (1, 1)),
        ("missed_followed", held((1, 1, "no_show", None, None), (1, 4, CAME, None, None)), NOTHING, (0, 1)),
        ("missed_followed", held((1, 1, "no_show", None, None), (1, 2, "no_show", None, None)), NOTHING, (0, 2)),
        ("missed_followed", held((1, 1, "no_show", None, None), (2, 2, CAME, None, None)), NOTHING, (0, 1)),
        ("missed_followed", held((1, 1, "cancelled_by_client", None, None)), NOTHING, (0, 0)),
        ("missed_followed", held((1, 24, "no_show", None, None)), NOTHING, (0, 0)),  # its days have not passed yet
        ("ended_as_planned", held(), states({**AT, "ending": "planned"}, {**AT, "ending": "mutual"}), (2, 2)),
        ("ended_as_planned", held(), states({**AT, "ending": "unilateral"}), (0, 1)),
        ("ended_as_planned", held(), states({**AT, "ending": "moved"}, {**AT, "ending": None}), (0, 0)),
        ("ended_as_planned", held(), states({**AT, "ending": "unknown"}, {"closed_on": OUT, "ending": "planned"}), (0, 0)),
        ("ended_as_planned", held(), states({**AT, "ending": "planned", "sessions_attended": 0}), (0, 0)),
        ("ruptures_repaired", held(), states({"rupture": "repaired", "rupture_since": IN}), (1, 1)),
        ("ruptures_repaired", held(), states({"rupture": "unrated", "rupture_since": IN}), (0, 1)),
        ("ruptures_repaired", held(), states({"rupture": "none"}, {"rupture": "open", "rupture_since": OUT}), (0, 0)),
    ],
)  # fmt: skip
def test_what_a_sign_counts(sign: str, sessions: pl.DataFrame, episodes: pl.DataFrame, value: tuple[int, int]) -> None:
    assert sign_value(sign, sessions, episodes, after=START, until=END) == Part(*value)


@pytest.mark.parametrize("sign", sorted(SIGNS))
def test_no_day_counts_before_and_since(sign: str) -> None:
    rows = [(e, w, "no_show" if w % 3 == 0 else "attended", 9.0, None) for e in range(4) for w in range(20)]
    episodes = states(
        *({"episode_id": e, "closed_on": START + timedelta(weeks=5 * e), "ending": "planned", "rupture": "repaired",
           "rupture_since": START + timedelta(weeks=4 * e)} for e in range(4))
    )  # fmt: skip
    sessions, day = held(*rows), START + timedelta(weeks=10)
    whole = sign_value(sign, sessions, episodes, after=day - timedelta(days=180), until=END)
    before, since = value_before(sign, sessions, episodes, day), value_since(sign, sessions, episodes, day, END)
    waiting = (
        2 * 4 if sign == "missed_followed" else 0
    )  # missed in the days before: not told apart yet when the goal is set
    assert before.n + since.n + waiting >= whole.n >= before.n + since.n


@pytest.mark.parametrize("sign", sorted(SIGNS))
def test_nothing_on_record_has_no_value(sign: str) -> None:
    found = sign_value(sign, held(), NOTHING, after=START, until=END)
    assert (found, found.value) == (Part(0, 0), None)


@given(st.permutations(range(24)), st.sampled_from(sorted(SIGNS)))
def test_the_order_of_rows_changes_no_sign(order: list[int], sign: str) -> None:
    rows = [(n % 4, n // 4, ("attended", "no_show", "attended")[n % 3], None if n % 5 else 9.0, 3.0) for n in range(24)]
    episodes = states(*({"episode_id": e, "closed_on": IN, "ending": "planned"} for e in range(4)))
    sessions = held(*rows)
    one, other = (
        sign_value(sign, frame, episodes, after=START - timedelta(1), until=END)
        for frame in (sessions, sessions[order])
    )
    assert one == other


# ------------------------------------------------------------------------------------------------- who

PEOPLE = {
    "the clinician": (Viewer("c", Role.CLINICIAN, 1, 1), True, True, True),
    "another clinician": (Viewer("o", Role.CLINICIAN, 1, 2), False, False, False),
    "their supervisor": (Viewer("s", Role.SUPERVISOR, 1, 3, frozenset({1})), False, False, True),
    "another supervisor": (Viewer("t", Role.SUPERVISOR, 1, 4, frozenset({2})), False, False, False),
    "a supervisor of their own": (Viewer("u", Role.SUPERVISOR, 1, 1, frozenset({2})), True, True, True),
    "the director": (Viewer("d", Role.DIRECTOR, 1), False, False, True),
    "an administrator": (Viewer("a", Role.ADMIN, 1), False, False, False),
    "an administrator with a record": (Viewer("b", Role.ADMIN, 1, 1), False, False, False),
}


@pytest.mark.parametrize("who", sorted(PEOPLE))
def test_a_goal_is_its_clinicians_own_until_it_is_shared(who: str) -> None:
    viewer, writes, reads, reads_shared = PEOPLE[who]
    assert can_write_goal(viewer, 1) is writes
    for shared, allowed in ((False, reads), (True, reads_shared)):
        assert can_read_goal(viewer, 1, shared) is allowed
    if not writes:
        with pytest.raises(NotAllowed):
            check_can_write_goal(viewer, 1)
    else:
        check_can_write_goal(viewer, 1)


# ------------------------------------------------------------------------------------------------- words

GOAL = {
    "goal_id": 1, "clinician_id": 1, "text": HOSTILE, "sign": "outcome_at_last", "value_at_start": 0.5, "n_at_start": 12,
    "set_on": START, "look_again_on": END, "shared": False, "closed_on": None, "closed_note": None,
}  # fmt: skip
SCHEMA = {
    "goal_id": pl.Int64(), "clinician_id": pl.Int64(), "text": pl.String(), "sign": pl.String(),
    "value_at_start": pl.Float64(), "n_at_start": pl.Int64(), "set_on": pl.Date(), "look_again_on": pl.Date(),
    "shared": pl.Boolean(), "closed_on": pl.Date(), "closed_note": pl.String(),
}  # fmt: skip


def goals(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([GOAL | row for row in rows], schema=SCHEMA, orient="row")


def facts(blocks: list[Block]) -> dict[str, str]:
    return dict(next(one for one in blocks if isinstance(one, Facts)).items)


def test_a_goal_stands_with_its_sign_at_the_start_and_since() -> None:
    blocks = goal_blocks(
        goals({}, {"goal_id": 0, "closed_on": END, "closed_note": HOSTILE}), 1, Part(3, 4), IN, own=True
    )
    assert Para(HOSTILE) in blocks
    said = facts(blocks)
    assert said["In the 180 days before 5 Jan 2026"] == "6 of 12 (50 %)"
    assert said["Since then"] == "3 of 4"
    assert said["Look again"] == "30 Jun 2026"
    assert said["Who can read it"] == "not shared"
    fold = blocks[-1]
    assert isinstance(fold, Fold)
    table = fold.blocks[0]
    assert isinstance(table, Table)
    assert table.rows == [
        [Cell(HOSTILE, sub="Outcome measured at the last session"), "5 Jan 2026 to 30 Jun 2026", HOSTILE]
    ]


def test_a_goal_that_is_due_says_so_and_an_unknown_sign_does_no_harm() -> None:
    blocks = goal_blocks(goals({"sign": "gone", "n_at_start": 0, "value_at_start": None}), 1, None, END, own=False)
    said = facts(blocks)
    assert said["Look again"].endswith("time to look at it together")
    assert said["Sign"] == "no longer counted"
    assert said["Since then"] == "nothing to count yet"
    assert "Who can read it" not in said


@pytest.mark.parametrize(
    ("own", "words"), [(True, "No goal is set."), (False, "No goal is set, or it is not shared with you.")]
)
def test_no_goal_is_said_alike_whether_there_is_none_or_it_is_kept(own: bool, words: str) -> None:
    assert Para(words) in goal_blocks(goals({"clinician_id": 2}), 1, None, END, own=own)
