"""Items to totals: prorating, reversing, scaling, and which of a total and its items counts."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from dashboard.analytics.scoring import disagreements, risk_answers, totals
from dashboard.contracts import SCORES
from dashboard.instruments import BUILT_IN

DAY = date(2026, 3, 2)


def rows(instrument: str, answers: dict[str, float], respondent: str = "client") -> pl.DataFrame:
    return SCORES.from_rows(
        [
            {
                "episode_id": 1,
                "taken_on": DAY,
                "instrument": instrument,
                "scale": scale,
                "respondent": respondent,
                "value": value,
            }
            for scale, value in answers.items()
        ]
    )


def items(values: list[float | None]) -> dict[str, float]:
    return {f"item_{place}": value for place, value in enumerate(values, start=1) if value is not None}


def value_of(frame: pl.DataFrame, scale: str = "total") -> tuple[float, bool] | None:
    found = totals(frame, BUILT_IN).filter(pl.col("scale") == scale)
    return None if found.is_empty() else (found["value"].item(), found["prorated"].item())


@pytest.mark.parametrize(
    ("instrument", "answers", "expected"),
    [
        ("phq9", [1] * 9, (9.0, False)),
        ("phq9", [1, 2, 3, 0, 1, 2, 3, 0, None], (14.0, True)),  # mean 1.5 x 9 = 13.5, rounded half up
        ("phq9", [1, 1, 1, 1, 1, 1, 1, 2, None], (10.0, True)),  # mean 9/8 x 9 = 10.125
        ("phq9", [1, 1, 1, 1, 1, 1, 1, None, None], None),  # two missing: no total
        ("gad7", [2, 2, 2, 2, 2, 2, None], (14.0, True)),
        ("gad7", [2, 2, 2, 2, 2, None, None], None),
        ("core10", [2] * 9 + [None], (20.0, True)),  # two of its items are reversed: 4 - 2 = 2
        ("core10", [0, 4, 4, 0, 0, 0, 0, 0, 0, 0], (0.0, False)),
        ("who5", [3, 3, 2, 2, 2], (48.0, False)),  # worked example 14: raw 12 is 48
        ("who5", [3, 3, 3, 2, 2], (52.0, False)),  # raw 13 is 52
        ("who5", [3, 3, 3, 2, None], None),  # no rule for a missing item
        ("srs", [9, 9, 9, None], None),
        ("pcl5", [1] * 18 + [None] * 2, (20.0, True)),
        ("pcl5", [1] * 17 + [None] * 3, None),
        ("wai_sr", [4] * 11 + [None], (48.0, True)),  # one missing in one subscale
        ("wai_sr", [None, 4, 4, None, 4, 4, 4, 4, 4, 4, 4, 4], (48.0, True)),  # item 1 of task and item 4 of goal
        ("wai_sr", [None, None, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4], None),  # two missing of task
    ],
)
def test_items_make_a_total_up_to_the_published_number_of_missing_ones(
    instrument: str, answers: list[float | None], expected: tuple[float, bool] | None
) -> None:
    assert value_of(rows(instrument, items(answers))) == expected


def test_wai_sr_subscales_use_the_published_items() -> None:
    """Goal 4, 6, 8, 11; task 1, 2, 10, 12; bond 3, 5, 7, 9 (Munder 2010 and a second source)."""
    answers = {f"item_{n}": 5.0 if n in (4, 6, 8, 11) else 1.0 if n in (1, 2, 10, 12) else 3.0 for n in range(1, 13)}
    frame = rows("wai_sr", answers)
    assert [value_of(frame, s) for s in ("goal", "task", "bond")] == [(20.0, False), (4.0, False), (12.0, False)]


def test_dass_scales_are_doubled_sums() -> None:
    frame = rows("dass21", items([1] * 21))
    assert [value_of(frame, s) for s in ("depression", "anxiety", "stress")] == [(14.0, False)] * 3


def test_where_items_and_total_disagree_the_items_count_and_the_row_is_reported() -> None:
    """Worked example 36 in our own files: items summing 12 with a total of 13."""
    frame = rows("phq9", items([2, 2, 2, 2, 2, 2, 0, 0, 0]) | {"total": 13.0})
    assert value_of(frame) == (12.0, False)
    found = disagreements(frame, BUILT_IN)
    assert found.select("given", "made").row(0) == (13.0, 12.0)


def test_a_total_stands_where_too_few_items_were_answered() -> None:
    frame = rows("phq9", items([2, None, None, None, None, None, None, None, None]) | {"total": 13.0})
    assert value_of(frame) == (13.0, False)
    assert disagreements(frame, BUILT_IN).is_empty()


def test_clients_and_clinicians_answers_are_never_mixed() -> None:
    both = pl.concat([rows("srs", items([9, 9, 9, 9])), rows("srs", items([5, 5, 5, 5]), "clinician")])
    found = totals(both, BUILT_IN).filter(pl.col("scale") == "total")
    assert dict(found.select("respondent", "value").iter_rows()) == {"client": 36.0, "clinician": 20.0}


def test_risk_answers_are_the_clients_own_and_keep_zeros() -> None:
    frame = pl.concat(
        [
            rows("phq9", items([0] * 8 + [1])),
            rows("core10", items([0] * 10)),
            rows("phq9", items([0] * 8 + [3]), "clinician"),
        ]
    )
    found = risk_answers(frame, BUILT_IN)
    assert found.select("instrument", "item", "value").rows() == [("core10", 6, 0.0), ("phq9", 9, 1.0)]


def test_no_scores_give_empty_totals_with_the_right_columns() -> None:
    assert totals(SCORES.empty(), BUILT_IN).is_empty()
