"""What the alliance page is made of: falls and their words, quadrants, session 3, figures with nothing to draw."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from dashboard.analytics.alliance import MARKS_SCHEMA, marks
from dashboard.analytics.falls import FALLS_SCHEMA, falls
from dashboard.analytics.quadrants import QUADRANTS, quadrants
from dashboard.analytics.scoring import totals
from dashboard.analytics.third_session import POINTS_SCHEMA, cloud, points
from dashboard.charts.alliance_course import Fall, alliance_course, label
from dashboard.charts.alliance_outcome import Point, alliance_outcome
from dashboard.contracts import SCORES
from tests.building import INSTRUMENTS, one_row, scores, week

CALM = [37.0, 38.0, 37.0, 38.0]


def fell(rated: list[float | None], unrated: list[int] | None = None) -> pl.DataFrame:
    made = totals(SCORES.from_rows(scores(rated, "srs")), INSTRUMENTS)
    return falls(marks(made, INSTRUMENTS), unrated or [], INSTRUMENTS)


@pytest.mark.parametrize(
    ("after", "unrated", "word"),
    [
        ([28.0], [], "still lower"),
        ([28.0, 29.0], [], "still lower"),
        ([28.0, 29.0], [1], "not rated since"),
        ([28.0, 32.0], [], "recovering"),
        ([28.0, 37.0], [], "recovered"),
        ([28.0, 37.0], [1], "recovered"),
    ],
)
def test_a_fall_is_named_by_where_the_rating_is_now(after: list[float | None], unrated: list[int], word: str) -> None:
    got = one_row(fell([*CALM, *after], unrated))
    assert got["word"] == word
    assert (got["lowest"], got["latest"], got["since"]) == (28.0, after[-1], week(4))
    assert got["reference"] == pytest.approx(37.5, abs=0.5)


def test_without_a_fall_there_is_no_row() -> None:
    assert fell([*CALM, 37.0]).schema == FALLS_SCHEMA
    assert fell([*CALM, 37.0]).is_empty()
    assert falls(pl.DataFrame(schema=MARKS_SCHEMA), [], INSTRUMENTS).is_empty()


@pytest.mark.parametrize(
    ("first", "latest", "fallen", "ratings", "category", "expected"),
    [
        (0.70, 0.90, False, 5, "recovered", ("up", "better")),
        (0.90, 0.70, False, 5, "reliable_worsening", ("down", "worse")),
        (0.90, 0.95, True, 5, "reliable_improvement", ("down", "better")),
        (0.70, 0.80, False, 5, "no_reliable_change", ("same", "same")),
        (0.70, 0.8386, False, 5, "reliable_worsening", ("up", "worse")),
        (0.70, 0.8385, False, 5, "reliable_worsening", ("same", "worse")),
        (0.70, 0.90, False, 1, "not_enough_data", (None, None)),
        (None, None, None, 0, "recovered", (None, "better")),
    ],
)
def test_a_quadrant_needs_change_beyond_measurement_error(
    first: float | None, latest: float | None, fallen: bool | None, ratings: int, category: str, expected: Any
) -> None:
    """1.96 * sqrt(2) * .05 = .13859."""
    row = pl.DataFrame(
        {
            "episode_id": [1], "alliance_scores": [ratings], "alliance_first": [first], "alliance_latest": [latest],
            "sem": [0.05], "fallen": [fallen], "change_category": [category],
        },
        schema_overrides={"alliance_first": pl.Float64, "alliance_latest": pl.Float64, "fallen": pl.Boolean},
    )  # fmt: skip
    got = one_row(quadrants(row))
    assert (got["alliance"], got["symptoms"]) == expected


def test_the_four_quadrants_have_four_questions() -> None:
    assert {(one.alliance, one.symptoms) for one in QUADRANTS} == {
        (a, s) for a in ("up", "down") for s in ("better", "worse")
    }
    assert len({one.question for one in QUADRANTS}) == 4
    assert all(one.question.endswith("?") for one in QUADRANTS)


def test_session_three_is_read_on_the_questionnaires_own_range_and_in_reliable_changes() -> None:
    rows = pl.DataFrame(
        {
            "episode_id": [1, 2, 3, 4],
            "alliance_instrument": ["srs", "wai_sr", "srs", "sai"],
            "alliance": [36.0, 48.0, 50.0, 30.0],
            "outcome_instrument": ["phq9", "ors", "phq9", "phq9"],
            "change": [-6.0, -5.0, 1.0, 1.0],
        }
    )
    got = points(rows, INSTRUMENTS)
    assert got["episode_id"].to_list() == [1, 2]
    assert got["rating"].to_list() == [90.0, 75.0]
    assert got["change"].to_list() == pytest.approx(
        [1.0, -5.0 / (INSTRUMENTS["ors"].reliable_threshold or 1)], abs=1e-5
    )


@pytest.mark.parametrize(("count", "width"), [(0, None), (9, None), (10, 10.0), (29, 10.0), (30, 5.0)])
def test_a_practice_is_counts_in_coarse_steps_under_thirty_and_nothing_under_ten(
    count: int, width: float | None
) -> None:
    rows = [{"episode_id": n, "rating": 81.0, "change": 0.1} for n in range(count)]
    got = cloud(pl.DataFrame(rows, schema=POINTS_SCHEMA))
    assert got.episodes == count
    if width is None:
        assert got.cells.is_empty()
        assert got.mean is None
    else:
        assert got.cells["rating"].to_list() == [80 + width / 2]
        assert got.cells["episodes"].to_list() == [count]


def test_a_cell_of_fewer_than_three_is_left_out_and_the_edges_are_kept() -> None:
    rows = [{"episode_id": n, "rating": 100.0, "change": 9.0} for n in range(10)]
    rows += [{"episode_id": 20 + n, "rating": 5.0, "change": -9.0} for n in range(2)]
    got = cloud(pl.DataFrame(rows, schema=POINTS_SCHEMA)).cells
    assert got.rows() == [(95.0, 2.5, 10)]


TODAY = date(2026, 11, 20)
ONE = Fall("A-1", "SRS", "higher", 0.0, 40.0, TODAY - timedelta(days=9), 37.5, 28.0, 30.5, "recovering")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("count", [0, 1, 3, 25])
def test_the_figures_draw_nothing_one_and_many(theme: str, count: int) -> None:
    names = ("SRS", "WAI-SR")
    many = [Fall(**(vars(ONE) | {"code": f"A-{n}", "instrument": names[n % 2]})) for n in range(count)]
    course = alliance_course(many, rated=count, whose="your episodes", as_of=TODAY, theme=theme)
    assert len(course.numbers.rows) == count
    assert course.figure.layout.paper_bgcolor is None
    dots = [Point(f"A-{n}", 80.0 + n % 20, 0.5) for n in range(count)]
    outcome = alliance_outcome(
        dots,
        [(87.5, 1.5, 4)] if count else [],
        practice=31,
        middle=88.0,
        whose="your episodes",
        as_of=TODAY,
        theme=theme,
    )
    for panel in (course, outcome):
        assert panel.alt != panel.headline
        assert "as of 20 Nov 2026" in panel.subtitle
        assert f"n = {count}" in panel.subtitle
        assert panel.reading
    assert ".278 [.256, .299]" in outcome.reading
    assert all(trace.mode == "markers" for trace in outcome.figure.data), "no line through the dots"


def test_what_has_not_mended_stands_first() -> None:
    words = ["recovered", "recovering", "still lower", "not rated since"]
    many = [Fall(**(vars(ONE) | {"code": word, "word": word})) for word in words]
    panel = alliance_course(many, rated=9, whose="your episodes", as_of=TODAY, theme="light")
    assert [row[-1] for row in panel.numbers.rows] == ["still lower", "not rated since", "recovering", "recovered"]
    assert panel.headline == "3 of 4 marked falls not back near the client's own earlier level"


@pytest.mark.parametrize(
    ("code", "shown"), [("4F-210", "4F-210"), ("A" * 12, "A" * 12), ("A" * 13, "A" * 11 + "…"), ("<b>x", "&lt;b&gt;x")]
)
def test_a_code_beside_a_line_is_short_and_plain(code: str, shown: str) -> None:
    assert label(code) == shown
