"""The retention figure with nothing, with one episode, with few, and with a curve."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from dashboard.analytics.ending_rules import AS_AGREED, LEFT, NOT_KNOWN_YET
from dashboard.analytics.retention import cumulative_incidence
from dashboard.charts.cumulative_incidence import cumulative_incidence_panel
from dashboard.charts.panel import Panel
from dashboard.charts.style import PALETTES
from dashboard.ui.ending_words import definitions

MANY = (
    [(t, LEFT) for t in (1, 1, 2, 3, 5)] + [(t, AS_AGREED) for t in (4, 6, 8, 8, 9, 9, 9, 9)] + [(9, NOT_KNOWN_YET)] * 9
)


def panel(pairs: list[tuple[int, str]], theme: str = "light", definition: str = "own") -> Panel:
    one = definitions(42)[definition]
    frame = pl.DataFrame(pairs, schema={"session": pl.Int64, "outcome": pl.String}, orient="row")
    return cumulative_incidence_panel(
        cumulative_incidence(frame), phrase=one.phrase, short=one.short, definition=one.name, whose="Your 9 episodes",
        coverage="ending coded in 8 of 9 closed", as_of=date(2026, 11, 20), theme=theme, enough=10,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pairs", "headline", "rows"),
    [
        ([], "No session yet, so no episode could end", 0),
        ([(1, NOT_KNOWN_YET)], "Not enough ended episodes yet for a curve (0 of 10)", 1),
        ([(3, LEFT)], "Not enough ended episodes yet for a curve (1 of 10)", 3),
        ([(1, LEFT)] * 9, "Not enough ended episodes yet for a curve (9 of 10)", 1),
    ],
)
def test_too_little_draws_no_curve_and_says_why_in_its_place(
    pairs: list[tuple[int, str]], headline: str, rows: int
) -> None:
    found = panel(pairs)
    assert found.headline == headline
    assert not found.figure.data
    assert found.figure.layout.annotations[0].text.replace("<br>", " ") == headline
    assert len(found.numbers.rows) == rows
    assert "%" not in found.headline
    assert headline in found.alt


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_curve_is_stepped_labelled_and_opaque(theme: str) -> None:
    found = panel(MANY, theme)
    colours = PALETTES[theme]
    named = {trace.name: trace for trace in found.figure.data if trace.name}
    assert {name: trace.line.color for name, trace in named.items()} == {
        "ended without a planned ending": colours.ink,
        "ended as agreed": colours.blue,
    }
    assert all(trace.line.shape == "hv" for trace in found.figure.data)
    assert {trace.fillcolor for trace in found.figure.data if trace.fill} == {colours.band, colours.neutral_band}
    assert found.figure.layout.template.layout.paper_bgcolor == colours.page
    said = " ".join(one.text for one in found.figure.layout.annotations)
    assert "without<br>a planned" in said
    assert "as agreed" in said
    assert "95 %" in said


def test_the_headline_the_alt_and_the_numbers_say_the_same() -> None:
    found = panel(MANY)
    course = cumulative_incidence(pl.DataFrame(MANY, schema={"session": pl.Int64, "outcome": pl.String}, orient="row"))
    last = course.drawn.row(-1, named=True)
    left = f"{round(100 * last['share_left'])} %"
    assert found.headline == (
        f"By session {last['session']}, {left} had ended without a planned ending and "
        f"{round(100 * last['share_agreed'])} % as agreed"
    )
    assert found.alt != found.headline
    assert left in found.alt
    assert found.numbers.rows[last["session"] - 1][7].startswith(left)
    assert "n = 22 episodes" in found.subtitle
    assert "Your 9 episodes" in found.subtitle
    assert "8 of 9" in found.subtitle
    assert "as of 20 Nov 2026" in found.subtitle


def test_the_curve_is_cut_and_the_reading_note_says_where() -> None:
    found = panel([(1, LEFT)] * 8 + [(2, AS_AGREED)] * 6 + [(3, LEFT)] * 2)
    assert max(max(trace.x) for trace in found.figure.data) == 3
    assert "stops after session 2" in found.reading
    assert found.numbers.rows[2][7:] == ["–", "–"]


@pytest.mark.parametrize("definition", list(definitions(42)))
def test_each_definition_has_its_own_words_on_the_curve(definition: str) -> None:
    found = panel(MANY, definition=definition)
    one = definitions(42)[definition]
    assert one.phrase in found.headline
    assert one.name in found.subtitle
    assert "dropped out" not in found.headline + found.alt + found.reading
