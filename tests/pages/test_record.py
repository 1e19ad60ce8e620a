"""About the signals, how well it does here: the same practice figures for every role, never a client among them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.access import Role, counting_scope, operator_scope, scope_for
from dashboard.analytics import refits
from dashboard.analytics.alert_burden import Burden, InTime, Ruptures
from dashboard.analytics.range_record import Part, RangeRecord
from dashboard.analytics.validation import Benefit, DropoutRecord, Landmark
from dashboard.counting import known_endings
from dashboard.instruments import registry
from dashboard.replay.learning import unlearned
from dashboard.ui.markup import markup
from dashboard.ui.record_parts import TITLE, record
from dashboard.ui.view import Figure
from dashboard.validating import Validation, validate
from pages.about_signals import build
from queries import caseload, models
from queries.engine import reading
from queries.frames import read_frame
from tests.pages.conftest import words
from tests.pages.test_pages import BLAME, episodes, some_clinician, viewer

SignIn = Callable[..., AppTest]
INSTRUMENTS = registry([])
DAY = date(2026, 11, 20)
RECORD = DropoutRecord(
    date(2026, 5, 1), 300, 2000, 80, 84.0, -0.05, 0.11, 0.9, 0.2, 0.66, 0.03, 0.0371, 0.0384,
    (Landmark(1, 300, 40, 0.64, 0.11, 0.12), Landmark(3, 200, 20, 0.66, 0.1, 0.11), Landmark(6, 0, 0, None, None, None)),
    (Benefit(0.05, 0.06, 0.05), Benefit(0.30, -0.001, -0.2)),
)  # fmt: skip
SAID = Validation(
    DAY,
    unlearned(INSTRUMENTS),
    INSTRUMENTS,
    400,
    RECORD,
    [
        RangeRecord("phq9", 100, 600, 420, 150, (0.21, 0.29), (Part("lower", (3, 11), 600, 420, 150),)),
        RangeRecord("gad7", 3, 9, 8, 1, None, (), "fewer than 20 later episodes with two scores"),
    ],
    Burden(date(2026, 5, 1), DAY, 200, 30, 400),
    InTime(80, 12, 15, 30, 12),
    Ruptures(100, 3),
)


def html(said: Validation | None) -> str:
    return unescape(markup([block for block in record(said, None) if not isinstance(block, Figure)]))


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_every_role_reads_the_practices_record_and_no_client(practice: Path, sign_in: SignIn, role: str) -> None:
    codes = {str(e["client_code"]) for e in episodes("director")}
    said = unescape(words(sign_in(role if role != "clinician" else some_clinician(), "about_signals")))
    part = said[said.index(TITLE) : said.index("This practice's numbers")]
    assert "Chance of an ending without agreement" in part
    assert "Larsson 2018" in part
    assert "Expected range" in part
    assert not [code for code in codes if code in part]


def test_a_clinician_and_a_director_read_the_same(practice: Path, sign_in: SignIn) -> None:
    def part(username: str) -> str:
        said = unescape(words(sign_in(username, "about_signals")))
        return said[said.index(TITLE) : said.index("This practice's numbers")]

    assert part("director") == part(some_clinician()) == part("admin")


def test_counts_of_the_page_are_those_of_the_whole_practice(practice: Path) -> None:
    with reading(runtime.engine()) as connection:
        scope = counting_scope(viewer("admin"))
        found = read_frame(connection, caseload.evaluation(operator_scope(scope.practice_id))).to_dicts()[0]
        said = validate(connection, scope, runtime.settings().rules, found["id"], found["as_of"])
    assert said.dropout.events < 50
    assert "can't be shown yet" in html(said)
    assert "mostly published priors" in html(said)


def test_with_enough_endings_all_figures_are_said_in_words() -> None:
    said = html(SAID)
    assert "80 came" in said
    assert "84 endings without agreement" in said
    assert "0.66 (0.60 to 0.72)" in said
    assert "0.90 (0.51 to 1.29)" in said
    assert "nearer to what came" in said
    assert "Session 6" in said
    assert "“May end without agreement” 0.15 times, all signals but data and safety 2.0 times" in said
    assert "12 of 80 (15 %)" in said
    assert "as many as estimated, within chance" in said


def test_a_range_off_by_more_than_three_points_is_called_miscalibrated_and_few_scores_are_not_judged() -> None:
    said = html(SAID)
    assert "Band miscalibrated: PHQ-9." in said
    assert "150 of 600 (25 %)" in said
    assert "fewer than 20 later episodes" in said
    assert "GAD-7" in said


def test_a_share_of_ruptures_outside_what_is_credible_asks_to_check_the_measure() -> None:
    assert "outside 5 to 50 %" in html(SAID)
    assert "outside 5 to 50 %" not in html(replace(SAID, ruptures=Ruptures(100, 25)))
    assert "too few to compare" in html(replace(SAID, ruptures=Ruptures(5, 1)))


def test_more_or_fewer_than_estimated_is_said_only_beyond_chance() -> None:
    more = replace(RECORD, intercept=0.5, intercept_error=0.1)
    fewer = replace(RECORD, intercept=-0.5, intercept_error=0.1)
    assert "more than estimated" in html(replace(SAID, dropout=more))
    assert "fewer than estimated" in html(replace(SAID, dropout=fewer))


def test_a_warning_stands_before_the_figures() -> None:
    warned = html(
        replace(SAID, dropout=replace(RECORD, warnings=("An AUC of 0.91 is higher than such estimates can be.",)))
    )
    assert warned.index("An AUC of 0.91") < warned.index("Telling apart")


def test_nothing_evaluated_and_nothing_judged_have_words() -> None:
    assert "Nothing has been evaluated yet" in html(None)
    nothing = DropoutRecord(None, 0, 0, 0, 0.0, None, None, why="no later session has been judged yet")
    bare = replace(
        SAID, dropout=nothing, ranges=[], burden=Burden(None, DAY, 0, 0, 0), in_time=InTime(0, 0, 0, 0, 0),
        ruptures=Ruptures(0, 0),
    )  # fmt: skip
    said = html(bare)
    assert "no later session has been judged yet" in said
    assert "no episode has an outcome score" in said
    assert "published priors" in said


def test_no_word_of_it_blames_or_ranks() -> None:
    assert not BLAME.findall(re.sub(r"<[^>]+>", " ", html(SAID)))


def test_the_figure_stands_on_the_page_where_there_are_tenths() -> None:
    from dashboard.settings import Rules
    from dashboard.ui.reading import Standing

    tenths = pl.DataFrame({"tenth": [1], "sessions": [2000], "expected": [0.04], "left": [80]})
    said = replace(SAID, dropout=replace(RECORD, tenths=tenths))
    now = Standing(DAY, "abc", None)
    view = build(now, {}, INSTRUMENTS, Rules(), said, sees_counts=True, chart_theme="dark")
    assert [block.panel.key for block in view.blocks if isinstance(block, Figure)] == ["calibration"]


@pytest.mark.parametrize("more", [0, 1])
def test_every_page_counts_the_same_endings_before_it_calls_the_estimate_mostly_published(
    practice: Path, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    with reading(runtime.engine()) as connection:
        scope = counting_scope(viewer("director"))
        known = known_endings(connection, scope)
        fitted = models.in_force(connection, 1, runtime.settings().today())
        states = read_frame(connection, caseload.states(scope))
    assert fitted is not None
    assert fitted.hazard.rows, "otherwise no page has anything to say"
    monkeypatch.setattr(refits, "SETTLED", known + more)
    opened = str(states.filter(pl.col("dropout_next_4").is_not_null())["public_id"][0])
    said = [
        unescape(words(sign_in("director", page, **given)))
        for page, given in (("retention", {}), ("about_signals", {}), ("episode", {"episode": opened}))
    ]
    assert [("mostly published priors" in one) for one in said] == [bool(more)] * 3


@pytest.mark.parametrize("username", ["director", "clinician"])
def test_known_endings_are_those_of_the_practice_for_everyone_who_may_read_and_none_for_others(
    practice: Path, username: str
) -> None:
    who = viewer(username if username == "director" else some_clinician())
    with reading(runtime.engine()) as connection:
        whole = known_endings(connection, counting_scope(who))
        assert known_endings(connection, scope_for(who)) == whole > 0
        assert known_endings(connection, scope_for(viewer("admin"))) == 0
