"""Groups of clients: nobody can work out a count that is not printed, whatever else they know."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from dashboard.access import Role, Viewer, can_audit_practice, check_can_audit_practice
from dashboard.analytics.equity import (
    ATTRIBUTES,
    AUDIT,
    EQUITY_EPISODES,
    GROUPS,
    NOT_RECORDED,
    audit,
    by_group,
    poisson_ratio,
    with_groups,
)
from dashboard.analytics.small_groups import sized_groups, told_groups
from dashboard.analytics.validation import EPISODES_JUDGED, SESSIONS_JUDGED
from dashboard.errors import NotAllowed
from dashboard.ui.equity_blocks import FEWER, MORE, NAMES, WITHIN, equity_blocks
from dashboard.ui.view import Block, Cell, Fold, Para, Table

AS_OF = date(2026, 11, 20)
HOSTILE = "<img src=x onerror=alert(1)> [x](javascript:alert(1))"


def episodes(*rows: dict[str, Any]) -> pl.DataFrame:
    usual = {
        "opened_on": date(2026, 1, 5), "closed_on": date(2026, 6, 1), "ending": "planned", "sessions_attended": 8,
        "dropout": False, "scores": 4, "alliance_scores": 3, "birth_year": 1990, "gender": "woman", "ethnicity": None,
        "kind": "individual", "first_mode": "video",
    }  # fmt: skip
    return pl.DataFrame(
        [{"episode_id": n} | usual | row for n, row in enumerate(rows)], schema=EQUITY_EPISODES, orient="row"
    )


def tables(blocks: list[Block]) -> list[Table]:
    found = [one for one in blocks if isinstance(one, Table)]
    for one in blocks:
        found += tables(list(one.blocks)) if isinstance(one, Fold) else []
    return found


# ------------------------------------------------------------------------------------------------- groups


@pytest.mark.parametrize(
    ("row", "attribute", "group"),
    [
        ({"birth_year": 1997}, "age_band", "under 30"),
        ({"birth_year": 1996}, "age_band", "30 to 44"),
        ({"birth_year": 1982}, "age_band", "30 to 44"),
        ({"birth_year": 1981}, "age_band", "45 to 64"),
        ({"birth_year": 1961}, "age_band", "65 and over"),
        ({"birth_year": None}, "age_band", NOT_RECORDED),
        ({"birth_year": 2027}, "age_band", NOT_RECORDED),
        ({"birth_year": 1800}, "age_band", NOT_RECORDED),
        ({"gender": None}, "gender", NOT_RECORDED),
        ({"gender": "  "}, "gender", NOT_RECORDED),
        ({"gender": "Not Recorded"}, "gender", NOT_RECORDED),
        ({"gender": " non  binary "}, "gender", "non binary"),
        ({"ethnicity": HOSTILE}, "ethnicity", HOSTILE),
        ({"first_mode": None}, "first_mode", NOT_RECORDED),
        ({"kind": "couple"}, "kind", "couple"),
    ],
)
def test_every_episode_is_in_one_group_of_each_attribute(row: dict[str, Any], attribute: str, group: str) -> None:
    assert with_groups(episodes(row))[attribute].to_list() == [group]


def test_capitals_and_spaces_make_no_group_of_their_own() -> None:
    found = with_groups(episodes({"gender": "Woman"}, {"gender": "woman "}, {"gender": "WOMAN"}))
    assert found["gender"].n_unique() == 1


def test_somebody_never_seen_belongs_to_no_group() -> None:
    assert with_groups(episodes({"sessions_attended": 0})).is_empty()
    assert by_group(episodes()).schema == pl.Schema(GROUPS)


# ------------------------------------------------------------------------------------------------- withholding


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        ({"a": 20, "b": 30}, {"a", "b"}),
        ({"a": 7, "b": 30, "c": 40}, {"c"}),
        ({"a": 7, "b": 30}, set()),
        ({"a": 3, "b": 2, "c": 40, "d": 50}, {"d"}),  # beside either of the two there is too little: c goes as well
        ({"a": 7, "b": 7, "c": 40}, {"c"}),
        ({}, set()),
    ],
)
def test_a_small_group_takes_a_second_one_with_it(sizes: dict[str, int], kept: set[str]) -> None:
    assert sized_groups(sizes) == kept


Table3 = dict[str, list[tuple[int, int, int]]]


def possible(
    table: Table3, group: str, measure: int, side: int, sized: frozenset[str], told: list[frozenset[str]]
) -> tuple[float, float]:
    """Least and most a count can be for a reader who knows all totals, the sizes of ``sized`` and every printed count exactly."""
    names, measures = sorted(table), len(told)
    place = {
        (g, m, s): i for i, (g, m, s) in enumerate((g, m, s) for g in names for m in range(measures) for s in range(3))
    }
    equal, right = [], []

    def fix(cells: dict[tuple[str, int, int], float], value: float) -> None:
        row = np.zeros(len(place))
        for cell, times in cells.items():
            row[place[cell]] += times
        equal.append(row)
        right.append(value)

    for m in range(measures):
        for s in range(3):
            fix({(g, m, s): 1.0 for g in names}, sum(table[g][m][s] for g in names))
        for g in told[m]:
            fix({(g, m, 0): 1.0}, table[g][m][0])
            fix({(g, m, 1): 1.0}, table[g][m][1])
    for g in names:
        for m in range(1, measures):
            fix({**{(g, 0, s): 1.0 for s in range(3)}, **{(g, m, s): -1.0 for s in range(3)}}, 0)
        if g in sized:
            fix({(g, 0, s): 1.0 for s in range(3)}, sum(table[g][0]))
    goal = np.zeros(len(place))
    goal[place[(group, measure, side)]] = 1
    found = []
    for sign in (1, -1):
        solved = linprog(sign * goal, A_eq=np.array(equal), b_eq=right, bounds=(0, None))
        assert solved.status == 0
        found.append(sign * solved.fun)
    return found[0], found[1]


@settings(max_examples=60)
@given(st.data(), st.integers(2, 5), st.integers(1, 3))
def test_no_withheld_count_can_be_worked_out(data: st.DataObject, groups: int, measures: int) -> None:
    table: Table3 = {}
    for g in range(groups):
        size = data.draw(st.one_of(st.integers(1, 12), st.integers(10, 60)))
        sides = []
        for _ in range(measures):
            yes = data.draw(st.integers(0, size))
            unknown = data.draw(st.one_of(st.just(0), st.integers(0, size - yes)))
            sides.append((yes, size - yes - unknown, unknown))
        table[f"g{g}"] = sides
    sized = sized_groups({g: sum(sides[0]) for g, sides in table.items()})
    told = [told_groups({g: sides[m][:2] for g, sides in table.items()}, sized) for m in range(measures)]
    for m in range(measures):
        assert told[m] <= sized
        if not told[m]:
            continue  # nothing of it is printed
        for g in set(table) - told[m]:
            for side in (0, 1):
                if table[g][m][side] <= 7:
                    least, most = possible(table, g, m, side, sized, told)
                    assert (least <= 1e-6, most >= 7 - 1e-6) == (True, True), (table, g, m, side, sized, told)


def test_what_is_printed_is_rounded_and_shares_come_from_it() -> None:
    rows = [{"gender": "man", "dropout": n < 12, "ending": "unilateral" if n < 12 else "planned"} for n in range(31)]
    rows += [{"gender": "woman", "dropout": n < 9, "ending": "unilateral" if n < 9 else "planned"} for n in range(42)]
    found = by_group(episodes(*rows)).filter((pl.col("attribute") == "gender") & (pl.col("measure") == "left"))
    assert found.select("group", "yes", "of").rows() == [("man", 10, 30), ("woman", 10, 45)]
    assert found["share"].to_list() == pytest.approx([1 / 3, 2 / 9])


def test_groups_stand_in_the_order_of_their_words_and_not_recorded_last() -> None:
    years = (1940, 1970, 1990, 2005, None)
    kinds = (("video", "b"), ("in_person", "a"), ("phone", None))
    rows = [{"birth_year": year, "first_mode": mode, "gender": gender} for year in years for mode, gender in kinds]
    found = by_group(episodes(*rows))
    named: dict[str, list[str]] = {}
    for attribute, group in found.select("attribute", "group").unique(maintain_order=True).rows():
        named.setdefault(attribute, []).append(group)
    assert named["age_band"] == ["under 30", "30 to 44", "45 to 64", "65 and over", NOT_RECORDED]
    assert named["first_mode"] == ["in_person", "video", "phone"]
    assert named["gender"] == ["a", "b", NOT_RECORDED]
    assert list(named) == list(ATTRIBUTES)


@given(st.permutations(range(40)))
def test_the_order_of_episodes_changes_nothing(order: list[int]) -> None:
    rows = [
        {
            "episode_id": n,
            "gender": ("Man", "man", "x", None)[n % 4],
            "dropout": n % 3 == 0,
            "scores": n % 4,
            "birth_year": 1950 + n,
        }
        for n in range(40)
    ]
    assert by_group(episodes(*(rows[n] for n in order))).equals(by_group(episodes(*rows)))


# ------------------------------------------------------------------------------------------------- the estimate by group


def test_the_exact_limits_are_the_published_ones() -> None:
    # science, test 28 (FunnelPlotR): with as many observed as expected, the limits of the ratio around 15, 20 and 30 mirror these
    assert poisson_ratio(10, 10)[1:] == pytest.approx((0.4795, 1.8390), abs=1e-4)  # Garwood 1936: 4.795 to 18.390
    assert poisson_ratio(0, 10) == (0.0, 0.0, pytest.approx(0.36889, abs=1e-4))


def judged(left: list[bool], hazard: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    known = [
        {"episode_id": n, "client_id": n, "clinician_id": 1, "opened_on": date(2026, 1, 5), "closed_on": date(2026, 6, 1),
         "ending": "unilateral" if went else "planned", "sessions_attended": 4, "last_attended_on": date(2026, 2, 2),
         "dropout": went}
        for n, went in enumerate(left)
    ]  # fmt: skip
    held = [
        {
            "episode_id": n,
            "session_number": s + 1,
            "day": date(2026, 1, 12) + timedelta(weeks=s),
            "dropout_hazard": hazard,
        }
        for n in range(len(left))
        for s in range(4)
    ]
    return EPISODES_JUDGED.from_rows(known), pl.DataFrame(held, schema=SESSIONS_JUDGED.schema, orient="row")


@pytest.mark.parametrize(
    ("share_left", "hazard", "said"),
    [(0.5, 0.05, MORE), (0.2, 0.05, WITHIN), (0.2, 0.20, FEWER), (0.2, 0.001, None), (0.05, 0.1, None)],
)
def test_observed_and_estimated_by_group_are_a_question(share_left: float, hazard: float, said: str | None) -> None:
    groups = ["man", "woman"] * 100
    left = [n // 2 < 100 * share_left for n in range(200)]
    frame = episodes(*({"gender": one} for one in groups))
    every = audit(frame, *judged(left, hazard), AS_OF)
    assert every.schema == pl.Schema(AUDIT)
    found = every.filter(pl.col("attribute") == "gender")
    assert found["group"].to_list() == ["man", "woman"]
    questions = [
        row[2] for table in tables(equity_blocks(by_group(frame), found)) for row in table.rows if len(row) == 3
    ]
    assert (said in questions) if said else not questions


def test_an_episode_without_an_estimate_counts_in_no_audit() -> None:
    known, held = judged([True] * 30, 0.1)
    nothing = held.with_columns(dropout_hazard=pl.lit(None, pl.Float64))
    assert audit(episodes(*[{}] * 30), known, nothing, AS_OF)["ratio"].null_count() == len(ATTRIBUTES)


# ------------------------------------------------------------------------------------------------- words


def test_every_attribute_has_words_and_the_text_of_a_group_stays_text() -> None:
    assert set(NAMES) == set(ATTRIBUTES)
    rows = [
        {"gender": g, "dropout": n % 2 == 0, "ending": ("unilateral", "planned")[n % 2], "scores": n % 3}
        for g in (HOSTILE, "b")
        for n in range(40)
    ]
    blocks = equity_blocks(by_group(episodes(*rows)), pl.DataFrame(schema=AUDIT))
    gender = next(one for one in tables(blocks) if one.caption == "Gender")
    assert gender.rows[0][0] == HOSTILE
    assert isinstance(gender.rows[0][1], Cell)
    assert gender.rows[0][1].text.startswith("about ")
    assert any(isinstance(one, Para) and one.text == "Ethnicity: not recorded for any episode." for one in blocks)


def test_small_groups_are_named_without_a_number_and_nothing_is_said_of_an_empty_practice() -> None:
    rows = [
        {"gender": g, "scores": n % 3, "alliance_scores": n % 2}
        for g, many in (("a", 60), ("b", 3), ("c", 20))
        for n in range(many)
    ]
    blocks = equity_blocks(by_group(episodes(*rows)), pl.DataFrame(schema=AUDIT))
    gender = next(one for one in tables(blocks) if one.caption == "Gender")
    assert [row[0] for row in gender.rows] == ["A"]
    assert gender.note == "Not shown in any column: B, C."
    assert isinstance(equity_blocks(by_group(episodes()), pl.DataFrame(schema=AUDIT))[1], Para)


@pytest.mark.parametrize("role", list(Role))
def test_only_a_director_looks_at_the_practice_by_groups(role: Role) -> None:
    viewer = Viewer("x", role, 1, 1, frozenset({2}))
    assert can_audit_practice(viewer) is (role is Role.DIRECTOR)
    if role is not Role.DIRECTOR:
        with pytest.raises(NotAllowed):
            check_can_audit_practice(viewer)
    else:
        check_can_audit_practice(viewer)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans(), st.integers(0, 3), st.integers(1, 3)), max_size=120))
def test_what_leaves_is_rounded_and_never_from_seven_or_fewer(drawn: list[tuple[str, bool, int, int]]) -> None:
    rows = [
        {
            "gender": g,
            "dropout": left,
            "ending": "unilateral" if left else "planned",
            "scores": n,
            "sessions_attended": held,
        }
        for g, left, n, held in drawn
    ]
    said = by_group(episodes(*rows)).drop_nulls("yes")
    for row in said.to_dicts():
        assert row["yes"] % 5 == 0
        assert row["of"] % 5 == 0
        assert row["yes"] >= 10
        assert row["of"] - row["yes"] >= 10
        assert row["low"] <= row["share"] <= row["high"]
