"""Trying another number shows what would flip; only an administrator saves it, and then the evaluation follows."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.access import scope_for
from dashboard.analytics.hazard_terms import RAISED
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.what_if import changed, rules_in_force, save_rule, what_if
from queries import caseload, people, retention
from queries.engine import reading
from queries.frames import read_frame
from tests.pages.conftest import words

SignIn = Callable[..., AppTest]


def viewer(username: str):
    with reading(runtime.engine()) as connection:
        found = people.viewer(connection, username, runtime.settings().today())
    assert found is not None
    return found


def standing(username: str) -> set[tuple[str, str]]:
    with reading(runtime.engine()) as connection:
        scope = scope_for(viewer(username))
        flags = read_frame(connection, caseload.flags(scope)).filter(pl.col("family") != "safety")
        codes = read_frame(connection, caseload.states(scope)).select("episode_id", "client_code")
    return set(flags.join(codes, on="episode_id").select("client_code", "signal").rows())


def test_what_would_flip_is_what_flips_once_it_is_saved(practice: Path) -> None:
    director, now = viewer("director"), runtime.settings().now()
    rules = rules_in_force(runtime.engine(), runtime.settings(), director.practice_id)
    before = standing("director")
    with reading(runtime.engine()) as connection:
        found = what_if(connection, scope_for(director), rules, changed(rules, "missed_of_recent", 1))
    assert found is not None
    assert found.rows.height > 0
    save_rule(runtime.engine(), runtime.settings(), viewer("admin"), "missed_of_recent", 1, now)
    after = standing("director")
    said = {(row["client_code"], row["signal"], row["newly"]) for row in found.rows.to_dicts()}
    assert said == {(*one, True) for one in after - before} | {(*one, False) for one in before - after}
    with reading(runtime.engine()) as connection:
        audit = connection.execute(text("SELECT username, detail FROM audit WHERE action = 'change rules'")).all()
    assert [tuple(row) for row in audit] == [("admin", "missed_of_recent: 2 to 1")]


def test_the_same_number_flips_nothing(practice: Path) -> None:
    director = viewer("director")
    rules = rules_in_force(runtime.engine(), runtime.settings(), director.practice_id)
    with reading(runtime.engine()) as connection:
        found = what_if(connection, scope_for(director), rules, rules)
    assert found is not None
    assert found.rows.is_empty()


@pytest.mark.parametrize("role", ["director", "supervisor"])
def test_only_an_administrator_saves_a_number(practice: Path, role: str) -> None:
    with pytest.raises(NotAllowed):
        save_rule(runtime.engine(), runtime.settings(), viewer(role), "missed_of_recent", 1, runtime.settings().now())


@pytest.mark.parametrize(("name", "value"), [("no_contact_days", 0), ("dropout_raised", 1.0), ("preferred_outcome", 1)])
def test_a_number_that_makes_no_sense_is_refused(practice: Path, name: str, value: float) -> None:
    rules = rules_in_force(runtime.engine(), runtime.settings(), 1)
    with pytest.raises(UnusableInput):
        changed(rules, name, value)


@pytest.mark.parametrize(("role", "sees_codes", "may_save"), [("director", True, False), ("admin", False, True)])
def test_the_page_shows_counts_to_all_and_codes_to_those_who_may(
    practice: Path, sign_in: SignIn, role: str, sees_codes: bool, may_save: bool
) -> None:
    app = sign_in(role, "about_signals")
    app.selectbox(key="what_if_name").select("missed_of_recent").run()
    app.number_input(key="what_if_missed_of_recent").set_value(1.0)
    next(button for button in app.button if button.label == "Show what would change").click()
    app.run()
    assert not app.exception
    said = unescape(words(app))
    assert "would be raised" in said
    assert ("What would change, by signal" in said) is sees_codes
    assert any(button.label == "Save it for this practice" for button in app.button) is may_save


def test_the_limit_in_words_is_the_one_that_was_saved(practice: Path, sign_in: SignIn) -> None:
    save_rule(runtime.engine(), runtime.settings(), viewer("admin"), "dropout_days", 77, runtime.settings().now())
    assert "no session for 77 days" in unescape(words(sign_in("director", "retention"))).lower()


def test_the_overview_counts_a_raised_chance_in_the_same_episodes_as_retention(practice: Path) -> None:
    director = viewer("director")
    with reading(runtime.engine()) as connection:
        scope = scope_for(director)
        here = read_frame(connection, caseload.states(scope))
        there = read_frame(connection, retention.episodes(scope)).filter(pl.col("closed_on").is_null())
    counted = (pl.col("dropout_relative") > RAISED) & ~pl.col("dropout").fill_null(False)
    assert set(here.filter(counted)["public_id"]) == set(there.filter(counted)["public_id"])
