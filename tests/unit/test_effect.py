"""Did discussing help: who is compared with whom, what regression to the mean would bring, and when nothing may be said."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from dashboard.charts.discussing import discussing
from dashboard.instruments import BUILT_IN
from dashboard.meetings.effect import CASES, ENOUGH, PAIRS, drawn_pairs, effect, matched_pairs, regression
from dashboard.meetings.followed import followed, four_apart, standardised

MET = date(2026, 9, 1)
CASE: dict[str, Any] = {
    "meeting_id": 1,
    "client_id": 1,
    "clinician_id": 1,
    "instrument": "phq9",
    "stratum": "worth discussing",
    "drawn_in": None,
    "discussed": False,
    "family": "outcome",
    "band": 1,
    "before": -2.0,
    "after": -1.5,
}
NONE = pl.DataFrame(schema={"before": pl.Float64(), "after": pl.Float64()})


def cases(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([CASE | {"client_id": n} | row for n, row in enumerate(rows, 1)], schema=CASES)


def test_in_a_group_a_draw_is_compared_within_one_caseload() -> None:
    found = drawn_pairs(cases({"drawn_in": True}, {"drawn_in": False, "clinician_id": 2}))
    assert found.is_empty()


def test_a_draw_is_compared_within_its_meeting_and_stratum_alone() -> None:
    found = drawn_pairs(
        cases(
            {"drawn_in": True, "after": 0.0},
            {"drawn_in": False},
            {"drawn_in": False},
            {"meeting_id": 2, "drawn_in": True},
            {"meeting_id": 3, "drawn_in": False},
            {"stratum": "talk about first", "drawn_in": True},
            {"drawn_in": None, "discussed": True},
        )
    )
    assert found.sort("client_id").select("client_id", "treated", "change", "weight").rows() == [
        (1, True, 2.0, 1.0),
        (2, False, 0.5, 0.5),
        (3, False, 0.5, 0.5),
    ]


def test_a_draw_counts_as_it_fell_whatever_people_did_afterwards() -> None:
    found = drawn_pairs(cases({"drawn_in": True, "discussed": False}, {"drawn_in": False, "discussed": True}))
    assert dict(found.select("client_id", "treated").iter_rows()) == {1: True, 2: False}


def test_matched_cases_are_alike_near_and_used_once_the_same_clinician_first() -> None:
    found = matched_pairs(
        cases(
            {"discussed": True},
            {"before": -2.1, "clinician_id": 2},
            {"before": -2.4},
            {"before": -1.9, "clinician_id": 2},
            {"before": -2.6},
            {"band": 2},
            {"family": "alliance"},
            {"instrument": "gad7"},
            {"discussed": True, "before": -2.05},
        )
    )
    pairs = found.filter(~pl.col("treated")).group_by("pair").agg(pl.col("client_id").sort()).sort("pair")
    assert pairs["client_id"].to_list() == [[2, 3], [4]] or pairs["client_id"].to_list() == [[3, 4], [2]]
    assert found.filter(~pl.col("treated"))["client_id"].is_unique().all()
    assert found.columns == list(PAIRS)


def test_under_thirty_pairs_only_the_count_still_needed_is_given() -> None:
    rows = [{"drawn_in": bool(n % 2), "meeting_id": n // 2} for n in range(2 * (ENOUGH - 1))]
    found = effect(cases(*rows), NONE)
    assert (found.pairs, found.needed, found.discussed) == (ENOUGH - 1, 1, None)
    assert effect(cases(), NONE).needed == ENOUGH


def _population(seed: int, gain: float, n: int = 400) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Scores with correlation .6; the lowest are flagged, half of them drawn and given ``gain``."""
    draw = np.random.default_rng(seed)
    rho, mean = 0.6, -1.0
    before = draw.normal(mean, 1.0, n)
    after = mean + rho * (before - mean) + draw.normal(0, (1 - rho**2) ** 0.5, n)
    rows = []
    for place in np.flatnonzero(before < mean - 0.5):
        into = bool(draw.integers(2))
        rows.append(
            {"client_id": int(place), "meeting_id": int(place) % 20, "drawn_in": into, "discussed": into,
             "before": before[place], "after": after[place] + gain * into}
        )  # fmt: skip
    return pl.DataFrame([CASE | row for row in rows], schema=CASES), pl.DataFrame({"before": before, "after": after})


def test_without_any_effect_discussed_cases_improve_as_regression_to_the_mean_alone_would_have_it() -> None:
    found = [effect(*_population(seed, 0.0)) for seed in range(20)]
    assert all(one.how == "drawn" for one in found)
    assert np.mean([one.discussed for one in found]) > 0.3
    assert np.mean([one.discussed - one.expected for one in found]) == pytest.approx(0, abs=0.05)
    assert sum(one.low <= 0 <= one.high for one in found) >= 16


def test_a_true_effect_is_found_and_is_what_was_put_in() -> None:
    found = [effect(*_population(seed, 0.5)) for seed in range(20)]
    assert np.mean([one.difference for one in found]) == pytest.approx(0.5, abs=0.08)


def test_regression_to_the_mean_agrees_with_the_published_expectation() -> None:
    # Barnett 2005: expected RTM = (sigma_w^2 / sigma_t) C(z), C(z) = phi(z) / (1 - Phi(z)), z = (cut - mu) / sigma_t
    rho, cut = 0.6, 0.8
    draw = np.random.default_rng(1)
    before = draw.normal(0, 1, 400_000)
    after = rho * before + draw.normal(0, (1 - rho**2) ** 0.5, len(before))
    known = regression(pl.DataFrame({"before": before, "after": after}))
    assert known is not None
    expected = -(1 - rho) * stats.norm.pdf(cut) / (1 - stats.norm.cdf(cut))
    above = before[before > cut]
    assert np.mean([known.change(one) for one in above[:20_000]]) == pytest.approx(expected, abs=0.01)
    assert regression(NONE) is None


def _sessions(scores: list[float | None], start: date = MET - timedelta(days=21)) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "episode_id": [1] * len(scores),
            "session_number": range(1, len(scores) + 1),
            "day": [start + timedelta(days=7 * n) for n in range(len(scores))],
            "outcome": scores,
            "instrument": ["phq9"] * len(scores),
        },
        schema_overrides={"session_number": pl.Int64(), "outcome": pl.Float64(), "episode_id": pl.Int64()},
    )


ITEM = pl.DataFrame(
    {
        "meeting_id": [1], "held_on": [MET], "episode_id": [1], "client_id": [7], "clinician_id": [3], "stratum": ["x"],
        "drawn_in": [True], "discussed": [True], "signals": ["off_track;ceiling"],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([20, 19, 18, 17, 16, 15, 14, 13], (17, 13, 0)),  # met on the day of session 4: before 17, after session 8
        (
            [20, 19, 18, None, 16, 15, None, None],
            (18, 15, 0),
        ),  # missing ones: the last known before, and among the four
        ([20, 19, 18, 17, 16, 15, 14], None),  # three sessions since: not yet measurable
        ([None, None, None, None, 16, 15, 14, 13], None),  # nothing before
        ([20, 19, 18, 17, None, None, None, None], None),  # nothing after
    ],
)
def test_a_case_is_followed_for_four_attended_sessions(
    scores: list[float | None], expected: tuple[int, int, int] | None
) -> None:
    sessions = standardised(_sessions(scores), dict(BUILT_IN))
    found = followed(ITEM, sessions)
    if expected is None:
        assert found.is_empty()
        return
    sd = BUILT_IN["phq9"].sd_clinical
    assert found.select("before", "after", "band", "family").rows() == [
        (pytest.approx(-expected[0] / sd), pytest.approx(-expected[1] / sd), expected[2], "outcome")
    ]


def test_pairs_four_sessions_apart_leave_out_what_was_not_measured() -> None:
    sessions = standardised(_sessions([20, None, 18, 17, 16, 15]), dict(BUILT_IN))
    sd = BUILT_IN["phq9"].sd_clinical
    assert four_apart(sessions).rows() == [(pytest.approx(-20 / sd), pytest.approx(-16 / sd))]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_figure_says_the_difference_its_interval_and_what_chance_would_do(theme: str) -> None:
    panel = discussing(effect(*_population(3, 0.0)), as_of=MET, theme=theme)
    assert "pairs" in panel.subtitle
    assert "regression to the mean" in str(panel.figure.layout.annotations)
    assert any("95 %" in cell for row in panel.numbers.rows for cell in row)
