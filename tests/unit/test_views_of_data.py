"""Completeness, waiting, the change table, gaps in lines: what the pages show beside the signals."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.analytics.changes import changes
from dashboard.analytics.completeness import by_month, waiting
from dashboard.analytics.scoring import totals
from dashboard.charts.gaps import breaks
from dashboard.contracts import SCORES, TOTALS
from tests.building import INSTRUMENTS, START, scores, week


def diary(days: list[tuple[int, date]]) -> pl.DataFrame:
    return pl.DataFrame(days, schema={"episode_id": pl.Int64(), "day": pl.Date()}, orient="row")


def measured(rows: list[tuple[int, date, str]]) -> pl.DataFrame:
    return pl.DataFrame(
        rows, schema={"episode_id": pl.Int64(), "taken_on": pl.Date(), "kind": pl.String()}, orient="row"
    )


def test_a_score_answered_before_a_session_belongs_to_that_session() -> None:
    found = by_month(
        diary([(1, week(0)), (1, week(1)), (1, week(2))]),
        measured([(1, week(0), "outcome"), (1, week(1) - timedelta(days=2), "alliance"), (1, week(3), "outcome")]),
    )
    assert found.rows() == [(date(2026, 1, 1), 3, 1, 1)]


def test_several_scores_of_one_session_count_once_and_months_stand_in_order() -> None:
    found = by_month(
        diary([(1, date(2026, 2, 3)), (2, date(2026, 1, 5)), (2, date(2026, 2, 3))]),
        measured(
            [(1, date(2026, 2, 3), "outcome"), (1, date(2026, 2, 2), "outcome"), (2, date(2026, 1, 5), "outcome")]
        ),
    )
    assert found.rows() == [(date(2026, 1, 1), 1, 1, 0), (date(2026, 2, 1), 2, 1, 0)]


def test_without_sessions_there_are_no_months() -> None:
    assert by_month(diary([]), measured([(1, week(0), "outcome")])).is_empty()


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 60)), max_size=30), st.integers(0, 100))
def test_coverage_is_never_more_than_the_sessions(days: list[tuple[int, int]], shift: int) -> None:
    sessions = diary([(e, START + timedelta(days=d)) for e, d in days])
    rated = measured([(e, START + timedelta(days=(d + shift) % 61), "outcome") for e, d in days])
    found = by_month(sessions, rated)
    assert (found["with_outcome"] <= found["sessions"]).all()
    assert found["sessions"].sum() == sessions.unique().height


def test_waiting_counts_referred_seen_and_never_seen() -> None:
    episodes = pl.DataFrame(
        {
            "episode_id": [1, 2, 3],
            "referred_on": [START - timedelta(days=10), START - timedelta(days=30), None],
            "opened_on": [START, START, START],
        }
    )
    found = waiting(episodes, diary([(1, START), (2, START), (2, week(1))]))
    assert (found["episodes"], found["referred"], found["seen"], found["never_seen"]) == (3, 2, 2, 1)
    assert (found["waited"], found["median_days"], found["ninth_in_ten_days"]) == (2, 20.0, 30.0)


def test_waiting_is_empty_where_no_referral_is_known() -> None:
    episodes = pl.DataFrame(
        {"episode_id": [1], "referred_on": [None], "opened_on": [START]},
        schema={"episode_id": pl.Int64(), "referred_on": pl.Date(), "opened_on": pl.Date()},
    )
    assert waiting(episodes, diary([(1, START)]))["median_days"] is None


def test_the_change_table_has_every_scale_outcome_first_and_judges_totals_only() -> None:
    rated = [
        *scores([18, 12]),
        *scores([36, 30], "srs"),
        *scores([50.0], "wai_sr"),
        *({**row, "scale": "bond"} for row in scores([16, 8], "wai_sr")),
    ]
    found = changes(totals(SCORES.from_rows(rated), INSTRUMENTS), INSTRUMENTS)
    assert found["instrument"].to_list() == ["phq9", "srs", "wai_sr", "wai_sr"]
    assert found["scale"].to_list() == ["total", "total", "total", "bond"]
    assert found["change"].to_list() == [-6.0, -6.0, None, -8.0]
    assert found["change_category"].to_list() == ["reliable_improvement", *["not_enough_data"] * 3]
    assert found["crossed"].to_list()[0] is False


def test_no_scores_give_an_empty_change_table() -> None:
    assert changes(TOTALS.empty(), INSTRUMENTS).is_empty()


@pytest.mark.parametrize(
    ("days", "sessions", "expected"),
    [
        ([0, 1, 2], [0, 1, 2], [False, False, False]),
        ([0, 2], [0, 1, 2], [False, True]),  # session 1 went unrated
        ([0, 1], [0, 1, 2], [False, False]),
        ([0, 5], [0], [False, False]),  # no session in between
        ([], [0, 1], []),
    ],
)
def test_a_line_breaks_where_a_session_went_unrated(days: list[int], sessions: list[int], expected: list[bool]) -> None:
    assert breaks([week(n) for n in days], [week(n) for n in sessions]) == expected
