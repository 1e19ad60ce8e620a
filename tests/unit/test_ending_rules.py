"""What became of an episode by each definition, how often, and how far definitions agree."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from dashboard.analytics.ending_rules import (
    DEFINITIONS,
    FEW,
    FEW_PAIRS,
    agreement,
    before_the_first_session,
    by_definition,
    kappa,
    rates,
)

DAY = date(2026, 3, 2)
D = ("d1_unilateral", "d2_no_return", "d3_missed_last", "d4_below_planned", "d5_not_improved")
SCHEMA = {
    "sessions_attended": pl.Int64,
    "closed_on": pl.Date,
    "ending": pl.String,
    **dict.fromkeys(D, pl.Boolean),
    "dropout": pl.Boolean,
}


def states(*rows: dict[str, Any]) -> pl.DataFrame:
    base = dict.fromkeys(SCHEMA) | {"sessions_attended": 4}
    return pl.DataFrame([base | row for row in rows], schema=SCHEMA)


OPEN = {"d2_no_return": False, "d3_missed_last": False, "dropout": False}
SILENT = {"d2_no_return": True, "d3_missed_last": True, "dropout": True}
PLANNED = {"closed_on": DAY, "ending": "planned", "d1_unilateral": False, **OPEN, "d4_below_planned": True}
LEFT_CODED = {"closed_on": DAY, "ending": "unilateral", "d1_unilateral": True, **OPEN, "dropout": True}
MOVED = {"closed_on": DAY, "ending": "moved", "d1_unilateral": False, **OPEN}
UNCODED = {"closed_on": DAY, "ending": "unknown", **OPEN, "d5_not_improved": True}


@pytest.mark.parametrize(
    ("words", "row", "expected"),
    [
        # in the order own, d1 ... d5
        ("open", OPEN, ["not_known_yet"] * 6),
        ("open and silent", SILENT, ["left", "not_known_yet", "left", "left", "not_known_yet", "not_known_yet"]),
        ("planned, below the plan", PLANNED, ["agreed", "agreed", "agreed", "agreed", "left", None]),
        # no return is not known before the limit has passed, whatever the code
        ("coded unilateral", LEFT_CODED, ["left", "left", "not_known_yet", "otherwise", None, None]),
        ("moved", MOVED, ["otherwise"] * 6),
        ("closed without a code", UNCODED, ["not_known_yet", None, "not_known_yet", "otherwise", None, "left"]),
    ],
)
def test_each_definition_sees_its_own_ending(words: str, row: dict[str, Any], expected: list[str | None]) -> None:
    found = [by_definition(states(row), definition)["outcome"][0] for definition in DEFINITIONS]
    assert found == expected, words


def test_somebody_never_seen_is_in_no_curve_but_in_the_stage_before() -> None:
    never, waits = {"sessions_attended": 0, "closed_on": DAY}, {"sessions_attended": 0}
    frame = states(never, waits, waits, OPEN)
    assert by_definition(frame, "own").height == 1
    assert before_the_first_session(frame) == {"opened": 4, "seen": 1, "closed_unseen": 1, "waiting": 2}
    assert before_the_first_session(states().clear()) == {"opened": 0, "seen": 0, "closed_unseen": 0, "waiting": 0}


def test_rates_count_what_each_definition_can_judge_and_say_no_share_of_few() -> None:
    found = {row["definition"]: row for row in rates(states(*[PLANNED] * 6, *[LEFT_CODED] * 4, OPEN)).to_dicts()}
    assert (found["own"]["left"], found["own"]["judged"], found["own"]["share"]) == (4, FEW, 0.4)
    assert found["own"]["low"] == pytest.approx(0.1682, abs=5e-4)
    assert found["own"]["high"] == pytest.approx(0.6873, abs=5e-4)
    assert (found["d2"]["left"], found["d2"]["judged"], found["d2"]["share"]) == (0, 6, None)
    assert (found["d4"]["left"], found["d4"]["judged"], found["d4"]["low"]) == (6, 6, None)
    assert (found["d5"]["left"], found["d5"]["judged"]) == (0, 0)


def test_rates_of_nothing_are_counts_of_none() -> None:
    assert rates(states().clear()).select("left", "judged").sum().row(0) == (0, 0)


def booleans(text: str) -> pl.Series:
    return pl.Series([one == "1" for one in text])


def test_kappa_is_that_of_the_worked_example() -> None:
    # science 10, item 22: po .80, pe .52
    assert kappa(booleans("1100100100"), booleans("1000101100")) == pytest.approx(0.5833, abs=1e-4)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("1100", "1100", 1.0), ("1100", "0011", -1.0), ("1111", "1111", None), ("", "", None)],
)
def test_kappa_at_its_ends(one: str, other: str, expected: float | None) -> None:
    assert kappa(booleans(one).cast(pl.Boolean), booleans(other).cast(pl.Boolean)) == expected


def test_kappa_leaves_out_pairs_that_one_cannot_judge() -> None:
    one, other = pl.Series([True, None, False, True]), pl.Series([True, True, False, None], dtype=pl.Boolean)
    assert kappa(one, other) == 1.0


def test_agreement_is_left_out_under_the_minimum_of_pairs() -> None:
    both = LEFT_CODED | {"d3_missed_last": True}
    few = agreement(states(*[both] * 5, *[PLANNED] * (FEW_PAIRS - 6)))
    enough = agreement(states(*[both] * 5, *[PLANNED] * (FEW_PAIRS - 5)))
    pair = (pl.col("one") == "d1") & (pl.col("other") == "d3")
    assert few.height == enough.height == 10
    assert few.filter(pair).select("judged", "same", "both", "kappa").row(0) == (FEW_PAIRS - 1, FEW_PAIRS - 1, 5, None)
    assert enough.filter(pair)["kappa"].to_list() == [1.0]
    # everyone gets the same answer from d4: kappa is not defined
    assert enough.filter((pl.col("one") == "d1") & (pl.col("other") == "d4"))["kappa"].to_list() == [None]
