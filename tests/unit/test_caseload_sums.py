"""Caseloads in counts: expected endings, order of rows, small caseloads without percentages."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.analytics.caseload import CASELOADS, caseloads, expected_endings
from dashboard.ui.caseload_sums import caseload_blocks
from dashboard.ui.view import Cell, Para, Table

AS_OF = date(2026, 11, 20)
SCHEMA = {
    "clinician_id": pl.Int64(),
    "dropout": pl.Boolean(),
    "on_track": pl.String(),
    "latest_on": pl.Date(),
    "dropout_next_session": pl.Float64(),
}


def states(*rows: dict[str, Any]) -> pl.DataFrame:
    usual = {
        "clinician_id": 1,
        "dropout": None,
        "on_track": "on_track",
        "latest_on": AS_OF,
        "dropout_next_session": 0.1,
    }
    return pl.DataFrame([usual | row for row in rows], schema=SCHEMA, orient="row")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_the_interval_is_that_of_every_way_it_could_go(chances: list[float]) -> None:
    odds = np.zeros(len(chances) + 1)
    for which in product((0, 1), repeat=len(chances)):
        odds[sum(which)] += np.prod([p if one else 1 - p for p, one in zip(chances, which, strict=True)])
    found = expected_endings(np.array(chances))
    assert found is not None
    assert found.mean == pytest.approx(sum(chances))
    assert odds[: found.low].sum() <= 0.1 + 1e-9
    assert odds[found.high + 1 :].sum() <= 0.1 + 1e-9
    assert 0 <= found.low <= found.high <= len(chances)


def test_equal_chances_give_the_binomial() -> None:
    found = expected_endings(np.full(20, 0.05))  # R: qbinom(c(.1, .9), 20, .05) -> 0, 2
    assert found is not None
    assert (found.low, found.high) == (0, 2)
    assert expected_endings(np.array([])) is None


@pytest.mark.parametrize(
    ("row", "counted"),
    [
        ({}, {"active": 1, "judged": 1, "off_track": 0, "unmeasured": 0, "estimated": 1}),
        ({"on_track": "not_on_track"}, {"off_track": 1, "judged": 1}),
        ({"on_track": "not_enough_data"}, {"off_track": 0, "judged": 0}),
        ({"on_track": None}, {"judged": 0}),
        ({"latest_on": AS_OF - timedelta(days=30)}, {"unmeasured": 0}),
        ({"latest_on": AS_OF - timedelta(days=31)}, {"unmeasured": 1}),
        ({"latest_on": None}, {"unmeasured": 1}),
        ({"dropout_next_session": None}, {"estimated": 0, "expected": None, "low": None}),
        ({"dropout": True, "on_track": "not_on_track"}, {"active": 0, "silent": 1, "off_track": 0, "estimated": 0}),
        ({"dropout": False}, {"active": 1, "silent": 0}),
    ],
)
def test_what_is_counted_of_an_open_episode(row: dict[str, Any], counted: dict[str, Any]) -> None:
    found = caseloads(states(row), [1], AS_OF).row(0, named=True)
    assert {name: found[name] for name in counted} == counted


@given(st.permutations(range(6)))
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    rows = [{"clinician_id": n % 2, "dropout_next_session": 0.05 * n, "dropout": n == 4} for n in range(6)]
    assert caseloads(states(*(rows[n] for n in order)), [1, 0], AS_OF).equals(caseloads(states(*rows), [1, 0], AS_OF))


def test_nobody_asked_for_gives_an_empty_frame_and_somebody_without_episodes_noughts() -> None:
    assert caseloads(states(), [], AS_OF).schema == pl.Schema(CASELOADS)
    assert caseloads(states(), [7], AS_OF).row(0) == (7, 0, 0, 0, 0, 0, 0, None, None, None)


PEOPLE = [
    {"clinician_id": 2, "public_id": "b", "display_name": "Zoe", "source_id": "2"},
    {"clinician_id": 1, "public_id": "a", "display_name": "adam <b>", "source_id": "1"},
    {"clinician_id": 3, "public_id": "c", "display_name": None, "source_id": "M3"},
]


def test_rows_stand_by_name_and_small_caseloads_in_counts() -> None:
    given_states = states(*[{"clinician_id": 2}] * 12, {"on_track": "not_on_track"}, *[{"dropout": True}] * 2)
    blocks = caseload_blocks(caseloads(given_states, [1, 2, 3], AS_OF), PEOPLE)
    table = blocks[1]
    assert isinstance(table, Table)
    assert [row[0].text for row in table.rows if isinstance(row[0], Cell)] == ["adam <b>", "Zoe"]
    first, second = table.rows
    assert isinstance(first[1], Cell)
    assert (first[1].text, first[1].sub) == ("1", "2 more silent beyond the limit")
    assert isinstance(first[2], Cell)
    assert first[2].text == "1 of 1"
    assert second[3] == "0 of 12 (0 %)"
    assert isinstance(second[4], Cell)
    assert (second[4].text, second[4].sub) == ("about 1.2 of 12", "0 to 3")
    assert table.note.endswith("1 clinician without an open episode.")


def test_an_empty_practice_is_said_in_words() -> None:
    assert isinstance(caseload_blocks(caseloads(states(), [1], AS_OF), PEOPLE)[1], Para)
