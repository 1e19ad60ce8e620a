"""Where a practice gives clinicians a head start, nobody else is told of a signal by another door."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.access import FirstLook, first_look, scope_for
from dashboard.analytics.fit import BY_KEY, FIT_QUESTIONS, asked_only, resting_on
from dashboard.exporting import export_table
from dashboard.signals import BY_KEY as SIGNALS
from dashboard.what_if import changed, rules_in_force, what_if
from queries import caseload
from queries.engine import reading, writing
from queries.frames import read_frame
from tests.pages.conftest import words
from tests.pages.test_alliance import clinicians, states, viewer

SignIn = Callable[..., AppTest]
EVER = 10_000  # days: no signal of the tests' practice is as old
INFORMATION = {"new_area"}


def first_days(days: int) -> None:
    runtime.configure(replace(runtime.settings(), clinician_first_days=days), runtime.engine())


def exported(table: str, username: str | None) -> pl.DataFrame:
    made = export_table(
        runtime.engine(), runtime.settings(), table=table, username=username, as_of=None, kind="parquet", practice=None,
        now=runtime.settings().now(),
    )  # fmt: skip
    return pl.read_parquet(io.BytesIO(made))


def questions(asked: pl.Series) -> set[str]:
    return {key for one in asked.drop_nulls() for key in one.split(";")}


@pytest.mark.parametrize(
    ("family", "days_old", "state", "own", "shown"),
    [
        ("outcome", 2, "open", False, False),
        ("outcome", 3, "open", False, True),
        ("outcome", 0, "answered", False, True),
        ("outcome", 0, "snoozed", False, True),
        ("outcome", 0, "open", True, True),
        ("safety", 0, "open", False, True),
        ("data", 0, "open", False, False),
    ],
)
def test_the_clinician_sees_first_what_is_new_and_not_replied_to_save_safety(
    practice: Path, family: str, days_old: int, state: str, own: bool, shown: bool
) -> None:
    today = runtime.settings().today()
    director = replace(viewer("director"), clinician_id=7)
    first = first_look(director, 3, today)
    assert first is not None
    row = {
        "family": family,
        "raised_on": today - timedelta(days=days_old),
        "state": state,
        "clinician_id": 7 if own else 8,
    }
    assert first.shows(**row) is shown
    frame = pl.DataFrame([row])
    assert frame.filter(first.shows(**{name: pl.col(name) for name in row})).height == shown


@pytest.mark.parametrize("days", [0, 1, 30, 200, EVER])
def test_a_flag_is_either_shown_or_held_back(practice: Path, days: int) -> None:
    scope = scope_for(viewer("director"))
    first = FirstLook(None, runtime.settings().today() - timedelta(days=days))
    with reading(runtime.engine()) as connection:
        every = read_frame(connection, caseload.flags(scope)).select("episode_id", "signal")
        shown = read_frame(connection, caseload.flags(scope, first=first)).select("episode_id", "signal")
        held = read_frame(connection, caseload.held_back(scope, first))
    assert shown.height + held.height == every.height
    assert set(shown.rows()) | set(held.rows()) == set(every.rows())


@pytest.mark.parametrize("role", ["director", "supervisor"])
def test_an_export_holds_back_what_the_caseload_does(practice: Path, role: str) -> None:
    whole = {table: exported(table, role) for table in ("flags", "episodes")}
    first_days(EVER)
    flags, episodes = exported("flags", role), exported("episodes", role)
    own = viewer(role).clinician_id
    with reading(runtime.engine()) as connection:
        people = read_frame(connection, caseload.clinicians(scope_for(viewer(role))))
    name = people.filter(pl.col("clinician_id") == own)["source_id"].to_list()
    others = episodes.filter(~pl.col("clinician_id").is_in(name))
    assert set(flags.join(others, on="episode_id")["family"]) <= {"safety"}
    assert flags.filter(pl.col("family") == "safety").equals(whole["flags"].filter(pl.col("family") == "safety"))
    assert set(others.filter(pl.col("closed_on").is_null())["priority"]) <= {"no_signals", "not_enough_data"}
    assert questions(others["fit_questions"]) <= INFORMATION
    assert questions(whole["episodes"]["fit_questions"]) > INFORMATION, "otherwise this test shows nothing"
    kept = [column for column in episodes.columns if column not in ("priority", "fit_questions")]
    assert episodes.select(kept).equals(whole["episodes"].select(kept))


@pytest.mark.parametrize("table", ["flags", "episodes"])
def test_the_operator_and_the_clinician_wait_for_nobody(practice: Path, table: str) -> None:
    before = {name: exported(table, name) for name in (None, clinicians()[0])}
    first_days(EVER)
    for name, frame in before.items():
        assert exported(table, name).equals(frame)


@pytest.mark.parametrize("table", ["flags", "episodes"])
def test_a_head_start_that_has_passed_changes_nothing(practice: Path, table: str) -> None:
    before = exported(table, "director")
    with writing(runtime.engine()) as connection:
        newest = connection.execute(text("SELECT max(raised_on) FROM flag")).scalar_one()
        connection.execute(text("UPDATE flag SET raised_on = date(raised_on, '-2 days')"))
    first_days(1)
    after = exported(table, "director")
    assert newest is not None
    assert after.drop("raised_on", strict=False).equals(before.drop("raised_on", strict=False))


def test_the_fit_table_leaves_out_what_rests_on_a_signal_held_back(practice: Path, sign_in: SignIn) -> None:
    asked = {key for row in states("director") for key in str(row["fit_questions"] or "").split(";") if key}
    resting = [BY_KEY[key] for key in asked if BY_KEY[key].rests_on]
    assert resting
    first_days(EVER)
    said = unescape(words(sign_in("director", "alliance")))
    assert not [one.key for one in resting if one.title in said]
    assert "No fit question stands in these episodes." in said
    own = unescape(words(sign_in(clinicians()[0], "alliance")))
    mine = {key for row in states(clinicians()[0]) for key in str(row["fit_questions"] or "").split(";") if key}
    assert all(BY_KEY[key].title in own for key in mine)


def test_the_episode_page_leaves_out_what_rests_on_a_signal_held_back(practice: Path, sign_in: SignIn) -> None:
    row = next(
        row for row in states("director") if questions(pl.Series([row["fit_questions"]], dtype=pl.String)) - INFORMATION
    )
    key = next(key for key in str(row["fit_questions"]).split(";") if key not in INFORMATION)
    assert BY_KEY[key].title in unescape(words(sign_in("director", "episode", episode=str(row["public_id"]))))
    first_days(EVER)
    assert BY_KEY[key].title not in unescape(words(sign_in("director", "episode", episode=str(row["public_id"]))))


def test_what_if_counts_nothing_that_the_clinician_is_to_see_first(practice: Path) -> None:
    director = viewer("director")
    scope, today = scope_for(director), runtime.settings().today()
    rules = rules_in_force(runtime.engine(), runtime.settings(), director.practice_id)
    more, fewer = changed(rules, "missed_of_recent", 1), changed(rules, "stale_measure_days", 365)
    nobody = FirstLook(None, today - timedelta(days=EVER))
    with reading(runtime.engine()) as connection:
        for other in (more, fewer):
            whole = what_if(connection, scope, rules, other)
            held = what_if(connection, scope, rules, other, nobody)
            assert whole is not None
            assert held is not None
            assert whole.rows.height > 0
            assert held.rows.is_empty()
            passed = what_if(connection, scope, rules, other, FirstLook(None, today))
            assert passed is not None
            assert passed.rows.equals(whole.rows)


def test_what_would_already_have_stood_when_the_head_start_began_is_counted(practice: Path) -> None:
    """A missed appointment of weeks ago: raised then under the other number, so it is the clinician's news no longer."""
    director = viewer("director")
    scope, today = scope_for(director), runtime.settings().today()
    rules = rules_in_force(runtime.engine(), runtime.settings(), director.practice_id)
    other = changed(rules, "missed_of_recent", 1)
    with reading(runtime.engine()) as connection:
        found = [
            what_if(connection, scope, rules, other, FirstLook(None, today - timedelta(days=days)))
            for days in (EVER, 7, 0)
        ]
    counts = [one.rows.height for one in found if one is not None]
    assert counts[0] == 0
    assert 0 < counts[1] <= counts[2]


def test_the_page_says_that_such_signals_are_not_counted(practice: Path, sign_in: SignIn) -> None:
    first_days(EVER)
    app = sign_in("director", "about_signals")
    app.selectbox(key="what_if_name").select("missed_of_recent").run()
    app.number_input(key="what_if_missed_of_recent").set_value(1.0)
    next(button for button in app.button if button.label == "Show what would change").click()
    app.run()
    said = unescape(words(app))
    assert "their clinicians are to see first are not counted" in said


def test_each_fit_question_rests_on_signals_that_exist() -> None:
    assert {signal for one in FIT_QUESTIONS for signal in one.rests_on} <= set(SIGNALS)
    assert {one.key for one in FIT_QUESTIONS if not one.rests_on} == INFORMATION


def test_questions_left_out_leave_the_days_of_the_others() -> None:
    rows = pl.DataFrame(
        {
            "episode_id": [1, 2, 3, 4],
            "fit_questions": ["change_requested;new_area;rupture_not_mended", "rupture_not_mended", None, "new_area"],
            "fit_since": ["2026-01-01;2026-01-02;2026-01-03", "2026-01-04", None, None],
        }
    )
    held = pl.DataFrame({"episode_id": [1, 2, 4], "signal": ["rupture_open", "rupture_open", "off_track"]})
    got = asked_only(rows, resting_on(held))
    assert got["fit_questions"].to_list() == ["change_requested;new_area", None, None, "new_area"]
    assert got["fit_since"].to_list()[0] == "2026-01-01;2026-01-02"
