"""The calibration figure: full, empty, one row, light and dark."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from dashboard.analytics.validation import TENTH
from dashboard.charts.calibration import calibration_by_tenth

DAY = date(2026, 11, 20)


def tenths(rows: list[tuple[int, int, float, int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=TENTH, orient="row")


FULL = [(n, 100, n / 100, n) for n in range(1, 11)]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "rows", [[], [(1, 200, 0.03, 6)], [(1, 200, 0.03, 0)], FULL], ids=["empty", "one", "none", "ten"]
)
def test_it_draws_with_everything_that_stands_beside_a_figure(
    rows: list[tuple[int, int, float, int]], theme: str
) -> None:
    panel = calibration_by_tenth(tenths(rows), since=date(2026, 5, 1), as_of=DAY, theme=theme)
    assert len(panel.numbers.rows) == len(rows)
    assert list(panel.figure.data[1].x) == pytest.approx([100 * row[2] for row in rows])
    assert f"n = {sum(row[1] for row in rows):,} sessions" in panel.subtitle
    assert "as of 20 Nov 2026" in panel.subtitle
    assert panel.headline in panel.alt
    assert panel.reading


def test_both_axes_have_one_range_and_hold_every_bar() -> None:
    figure = calibration_by_tenth(tenths(FULL), since=None, as_of=DAY, theme="light").figure
    assert figure.layout.xaxis.range == figure.layout.yaxis.range
    top = figure.layout.yaxis.range[1]
    bars = figure.data[1].error_y.array
    assert all(y + bar <= top for y, bar in zip(figure.data[1].y, bars, strict=True))


def test_the_headline_counts_the_groups_that_agree() -> None:
    rows = [(1, 200, 0.02, 4), (2, 200, 0.30, 4)]
    assert calibration_by_tenth(tenths(rows), since=None, as_of=DAY, theme="light").headline.startswith(
        "In 1 of 2 groups"
    )
