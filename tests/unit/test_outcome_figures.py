"""The figures of the Outcomes page: with nothing, one, few and many; hostile names; rows that may not be shown."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.analytics.own_growth import GAINS, Trend, trend
from dashboard.analytics.quadrants import QUADRANTS
from dashboard.analytics.run_chart import RUN_CHART
from dashboard.analytics.sequential import MONITORED
from dashboard.charts.change_quadrant import change_quadrant
from dashboard.charts.change_scatter import change_scatter
from dashboard.charts.ending_types import ending_types
from dashboard.charts.figure_text import NARROW, counted, label, lines, signed
from dashboard.charts.funnel import adjusted, funnel
from dashboard.charts.interval_plot import interval_plot
from dashboard.charts.measures import AVERAGE, HIGHER, LOWER, NO_STATEMENT, SCALES, standing_words
from dashboard.charts.own_trend import own_trend
from dashboard.charts.panel import Panel
from dashboard.charts.run_chart import run_chart
from dashboard.charts.style import PALETTES
from dashboard.charts.vlad import vlad
from dashboard.instruments import BUILT_IN
from dashboard.snapshot.freeze import PRINT_WIDTH, SHEET, TALLEST, frozen_panel

DAY = date(2026, 11, 20)
HOSTILE = '<b>x</b><a href="javascript:alert(1)">y</a> & <br>z'
SAID = {"coverage": "ending known in 41 of 48", "as_of": DAY}
THEMES = sorted(PALETTES)
SIZES = [0, 1, 3, 15, 60]
WORDS = {
    "planned": "Planned", "mutual": "By agreement", "unilateral": "Without a planned ending", "transferred": "Transferred",
    "moved": "Moved away", "other": "Other", "unknown": "Not recorded",
}  # fmt: skip


def estimate(at: int = 0, **changed: Any) -> dict[str, Any]:
    """A clinician whose figure may be shown and cannot be told from average."""
    return {
        "label": f"Clinician {at:02}", "n": 40, "measure": "dropout", "needed": 10, "shown": True, "reason": None, "own": False,
        "observed": 10.0, "expected": 9.6, "rate": 0.25, "low": 0.14, "high": 0.40, "limit95_low": 0.1, "limit95_high": 0.4,
        "limit998_low": 0.05, "limit998_high": 0.5, "shrunken": 0.245, "shrunken_low": 0.17, "shrunken_high": 0.33,
        "reliability": 0.72,
    } | changed  # fmt: skip


# every estimate is a number that stands nowhere else
SECRET = {
    name: 0.61803 + at / 1e4
    for at, name in enumerate(
        ("observed", "expected", "rate", "low", "high", "limit95_low", "limit95_high", "limit998_low", "limit998_high",
         "shrunken", "shrunken_low", "shrunken_high", "reliability")
    )
}  # fmt: skip


def hidden(at: int = 0, **changed: Any) -> dict[str, Any]:
    """A row that may not be shown, with numbers that a careless caller left in it."""
    return estimate(at, n=6, shown=False, reason="Not enough closed episodes yet (6 of 10)", **SECRET) | changed


PRACTICE = {
    "measure": "dropout", "rate": 0.24, "range_low": 0.15, "range_high": 0.33, "tau": 0.4, "tau_source": "learned here",
    "adjusted_for": "first score;age",
}  # fmt: skip
NOBODY = {**PRACTICE, "rate": None, "range_low": None, "range_high": None, "tau": None, "adjusted_for": ""}


def intervals(
    rows: Any, theme: str = "light", practice: Any = PRACTICE, measure: str = "dropout", **more: Any
) -> Panel:
    return interval_plot(rows, practice, measure, whose="whole practice", theme=theme, **SAID, **more)


def funnel_of(
    rows: Any, theme: str = "light", practice: Any = PRACTICE, measure: str = "dropout", **more: Any
) -> Panel:
    return funnel(rows, practice, measure, theme=theme, **SAID, **more)


def scatter(count: int, theme: str = "light", **more: Any) -> Panel:
    kinds = ("recovered", "reliable_improvement", "no_reliable_change", "reliable_worsening")
    rows = [
        {"baseline": 10.0 + at % 9, "latest": 4.0 + at % 11, "change_category": kinds[at % 4]} for at in range(count)
    ]
    return change_scatter(rows, BUILT_IN["phq9"], "PHQ-9", whose="own episodes", theme=theme, **SAID, **more)


def quarters(count: int, special: dict[int, str] | None = None, few: frozenset[int] = frozenset()) -> pl.DataFrame:
    rows = [
        {
            "quarter_start": date(2012 + at // 4, 1 + 3 * (at % 4), 1), "n": 6 if at in few else 24,
            "part": 4 if at in few else 12 + at % 3, "share": 4 / 6 if at in few else (12 + at % 3) / 24, "centre": 0.54,
            "low": 0.3, "high": 0.78, "provisional": count < 13, "special": (special or {}).get(at),
        }
        for at in range(count)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=RUN_CHART)


def run(count: int, theme: str = "light", **more: Any) -> Panel:
    return run_chart(quarters(count, **more), whose="whole practice", theme=theme, **SAID)


def followed(count: int, theme: str = "light", signals: frozenset[int] = frozenset()) -> Panel:
    rows = [
        {
            "ended_on": date(2024, 1, 1) + timedelta(days=3 * at), "episode_id": at, "number": at + 1,
            "vlad": 0.2 * at - at // 5, "cusum": 0.1 * (at % 7), "signal": at in signals,
        }
        for at in range(count)
    ]  # fmt: skip
    frame = pl.DataFrame(rows, schema=MONITORED)
    return vlad(frame, threshold=2.5 if count else None, years=10.0, whose="whole practice", theme=theme, **SAID)


def corners(count: int, theme: str = "light", code: str = "4F-{}") -> Panel:
    kinds = [("down", "worse"), ("up", "better"), ("same", "same")]
    rows = [
        {
            "client_code": code.format(200 + at), "alliance_change": at % 9 - 4.0, "outcome_change": at % 7 - 3.0,
            "alliance": kinds[at % 3][0], "symptoms": kinds[at % 3][1],
        }
        for at in range(count)
    ]  # fmt: skip
    return change_quadrant(rows, whose="own episodes", theme=theme, **SAID)


def ways(count: int, theme: str = "light", share: float | None = 0.1) -> Panel:
    kinds = list(WORDS)[: max(1, min(count, 7))] if count else []
    rows = [{"ending": kind, "n": max(1, count // len(kinds)), "practice_share": share} for kind in kinds]
    return ending_types(rows, WORDS, whose="own episodes", theme=theme, **SAID)


def course_of(count: int) -> Trend:
    rows = [(at, 1, date(2021, 1, 10) + timedelta(days=31 * at), 0.5 + 0.1 * (at % 5), 0.6) for at in range(count)]
    return trend(pl.DataFrame(rows, schema=GAINS, orient="row"))


def course(count: int, theme: str = "light") -> Panel:
    return own_trend(course_of(count), whose="own episodes", theme=theme, **SAID)


FIGURES = {
    "intervals": lambda count, theme: intervals([estimate(at) for at in range(count)], theme),
    "intervals with shrunken": lambda count, theme: intervals([estimate(at) for at in range(count)], theme, with_shrunken=True),
    "intervals hidden": lambda count, theme: intervals([hidden(at) for at in range(count)], theme),
    "funnel": lambda count, theme: funnel_of([estimate(at, n=10 + 7 * at) for at in range(count)], theme),
    "scatter": scatter,
    "run chart": run,
    "vlad": followed,
    "quadrant": corners,
    "endings": ways,
    "own course": course,
}  # fmt: skip


def everything(panel: Panel) -> str:
    """All that leaves the program with a figure."""
    return (
        json.dumps([panel.headline, panel.subtitle, panel.alt, panel.reading, panel.numbers.rows])
        + panel.figure.to_json()
    )


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("name", list(FIGURES))
def test_every_figure_draws_nothing_one_few_and_many(name: str, count: int, theme: str) -> None:
    panel = FIGURES[name](count, theme)
    assert panel.alt != panel.headline
    assert panel.headline in panel.alt
    assert "as of 20 Nov 2026" in panel.subtitle
    assert "n = " in panel.subtitle
    assert panel.reading
    assert panel.figure.layout.height == panel.height
    assert panel.figure.layout.template.layout.paper_bgcolor == PALETTES[theme].page
    assert all(len(row) == len(panel.numbers.columns) for row in panel.numbers.rows)
    assert all(isinstance(cell, str) for row in panel.numbers.rows for cell in row)
    assert "NaN" not in panel.figure.to_json()
    if count == 0:
        assert not any("markers" in (getattr(trace, "mode", "") or "") for trace in panel.figure.data), (
            "nothing is drawn of nothing"
        )


@pytest.mark.parametrize("name", list(FIGURES))
def test_no_text_is_smaller_than_eleven_pixels_or_outside_the_palette(name: str) -> None:
    colours = {value.upper() for value in vars(PALETTES["light"]).values()}
    found = FIGURES[name](60, "light").figure.to_json()
    assert min(float(size) for size in re.findall(r'"(?:tick|text)?font":\{[^}]*?"size":([0-9.]+)', found)) >= 11
    assert {one.upper() for one in re.findall(r"#[0-9A-Fa-f]{6}", found)} <= colours


@pytest.mark.parametrize("name", list(FIGURES))
def test_no_figure_blames_ranks_or_praises(name: str) -> None:
    said = everything(FIGURES[name](15, "light")).lower()
    banned = ("best", "worst", "fail", "underperform", "league", "at risk", "dropped out", "!", "alert")
    assert not [
        word for word in banned if re.search(rf"\b{re.escape(word)}\b" if word.isalpha() else re.escape(word), said)
    ]
    assert not re.search(r"\brank(ed|ing)?\b", said.replace("is not a rank", ""))


# --------------------------------------------------------------------------- what may not be shown


@pytest.mark.parametrize("count", [2, 15, 30])
@pytest.mark.parametrize("draw", [intervals, funnel_of], ids=["intervals", "funnel"])
def test_a_row_that_may_not_be_shown_holds_no_number_anywhere(draw: Any, count: int) -> None:
    rows = [hidden(at) if at % 2 else estimate(at) for at in range(count)]
    panel = draw(rows) if draw is funnel_of else draw(rows, with_shrunken=True)
    said = everything(panel)
    assert "bdata" not in said, "numbers are packed where this test cannot read them"
    found = [float(one) for one in re.findall(r"\d+(?:\.\d+)?", said)]
    near = [
        one
        for one in found
        for secret in SECRET.values()
        for unit in (1, 100)
        if abs(one - unit * secret) < unit * 1e-6
    ]
    assert near == []
    assert "62 %" not in said
    of_hidden = [row for row in panel.numbers.rows if row[0] == "Clinician 01"]
    assert [cell for cell in of_hidden[0][2:-1] if cell != "–"] == []
    assert of_hidden[0][-1] == "Not enough closed episodes yet (6 of 10)"


def test_a_hidden_row_moves_no_axis_and_draws_no_mark() -> None:
    alone, beside = intervals([estimate()]), intervals([estimate(), hidden(1, high=0.99)])
    assert alone.figure.layout.xaxis.range == beside.figure.layout.xaxis.range
    marks = [sum(len(t.x) for t in p.figure.data if t.mode == "markers") for p in (alone, beside)]
    assert marks[0] == marks[1]
    words = [text for trace in beside.figure.data if trace.mode == "text" for text in trace.text]
    assert [text.replace("<br>", " ") for text in words] == ["Not enough closed episodes yet (6 of 10)"]


@pytest.mark.parametrize("practice", [None, NOBODY], ids=["no practice", "nulls"])
@pytest.mark.parametrize("draw", [intervals, funnel_of], ids=["intervals", "funnel"])
def test_nulls_are_drawn_as_nothing(draw: Any, practice: Any) -> None:
    nothing = dict.fromkeys(SECRET)
    panel = draw([estimate(at, **nothing) for at in range(3)], practice=practice)
    assert not any("markers" in (trace.mode or "") for trace in panel.figure.data)
    assert len(panel.numbers.rows) == 3
    drawn = draw([estimate(0), estimate(1, low=None, high=None, expected=None, shrunken=None)], practice=practice)
    assert len(drawn.numbers.rows) == 2


# --------------------------------------------------------------------------- order and words


names = st.lists(st.text(min_size=1, max_size=40), min_size=2, max_size=8, unique=True)


@settings(max_examples=30, deadline=None)
@given(names, st.randoms(use_true_random=False))
def test_rows_stand_in_the_order_of_names_whatever_the_values(labels: list[str], chance: Any) -> None:
    rows = [estimate(0, label=one, rate=chance.random(), n=chance.randint(10, 99)) for one in labels]
    expected = sorted(labels, key=lambda one: (one.casefold(), one))
    for draw in (intervals, funnel_of):
        chance.shuffle(rows)
        assert [row[0] for row in draw(rows).numbers.rows] == expected
    places = list(intervals(rows).figure.layout.yaxis.tickvals)
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, AVERAGE),
        ({"rate": 0.4}, AVERAGE),
        ({"rate": 0.45}, NO_STATEMENT),
        ({"rate": 0.6}, HIGHER),
        ({"rate": 0.01}, LOWER),
        ({"rate": 0.6, "reliability": 0.69}, NO_STATEMENT),
        ({"rate": 0.6, "reliability": None}, NO_STATEMENT),
        ({"rate": None}, "No figure yet"),
        ({"n": 0}, "No figure yet"),
        ({"limit998_high": None}, "nothing to compare with yet"),
        ({"shown": False, "reason": None}, "Not shown"),
    ],
)
def test_what_is_said_of_one_clinician(changed: dict[str, Any], words: str) -> None:
    assert standing_words(estimate(**changed)) == words


@pytest.mark.parametrize("changed", [{"rate": 0.45}, {"rate": 0.6, "reliability": 0.69}])
def test_short_of_what_a_statement_needs_nothing_stands_beside_a_name(changed: dict[str, Any]) -> None:
    panel = intervals([estimate(0), estimate(1), estimate(2, **changed)])
    beside = " ".join(one.text for one in panel.figure.layout.annotations)
    assert "nothing can be said" not in beside
    assert "limits" not in beside
    assert "Clinician 02" not in panel.alt + panel.headline


@pytest.mark.parametrize("measure", list(SCALES))
@pytest.mark.parametrize(("rate", "more"), [(0.6, True), (0.01, False)])
def test_colour_comes_with_shape_and_words_and_knows_which_way_is_hoped_for(
    measure: str, rate: float, more: bool
) -> None:
    rows = [estimate(0), estimate(1, rate=rate, measure=measure)]
    hoped_for = SCALES[measure].more_is_better == more
    for draw in (intervals, funnel_of):
        panel = draw(rows, measure=measure)
        marks = {(t.marker.symbol, t.marker.color) for t in panel.figure.data if t.mode == "markers"}
        assert (("square", PALETTES["light"].blue) in marks) == hoped_for
        assert (("diamond", PALETTES["light"].orange) in marks) != hoped_for
        said = " ".join(one.text.replace("<br>", " ") for one in panel.figure.layout.annotations)
        assert ("higher than expected" if more else "lower than expected") in said
        assert "Clinician 01" in panel.alt


def test_two_outside_at_once_are_first_a_question_about_data() -> None:
    one, two = ([estimate(0)] + [estimate(at, rate=0.6) for at in range(1, 1 + k)] for k in (1, 2))
    for draw in (intervals, funnel_of):
        assert "data or case mix" not in draw(one).subtitle
        assert (
            "2 are outside the 99.8 % limits: first read this as a question about data or case mix"
            in draw(two).subtitle
        )
    assert funnel_of(two).headline == "1 of 3 clinicians cannot be told from average"


def test_few_episodes_are_hollow_and_own_row_is_bold() -> None:
    panel = intervals([estimate(0, n=14), estimate(1, own=True)])
    hollow = [t for t in panel.figure.data if t.mode == "markers" and t.marker.symbol == "circle"]
    assert [t.marker.color for t in hollow] == [PALETTES["light"].page, PALETTES["light"].ink]
    assert "provisional" in panel.subtitle
    assert list(panel.figure.layout.yaxis.ticktext) == ["Clinician 00 (n 14)", "<b>Clinician 01 (n 40)</b>"]


def test_one_clinician_reads_the_count_in_the_headline() -> None:
    panel = intervals([estimate(own=True)])
    assert panel.headline == "Ended without a planned ending: 10 of 40 (25 %); cannot be told from average"
    assert "shrunken" not in everything(panel).replace('"shrunken', "")
    assert intervals([estimate(n=7, rate=3 / 7)]).headline.startswith("Ended without a planned ending: 3 of 7;")


def test_shrunken_estimates_are_drawn_only_where_asked_for() -> None:
    without, with_them = intervals([estimate()]), intervals([estimate()], with_shrunken=True)
    assert "Shrunken" not in without.numbers.columns
    assert "Shrunken" in with_them.numbers.columns
    assert len(with_them.figure.data) == len(without.figure.data) + 2


@pytest.mark.parametrize("count", [1, 3, 15, 60])
def test_the_figure_grows_with_its_rows_and_is_whole_on_a_sheet(count: int) -> None:
    panel = intervals([estimate(at) for at in range(count)])
    frozen = frozen_panel(panel)
    assert frozen["height"] == min(panel.height, SHEET)
    assert (frozen["height"] - 108) / count >= 13, "a line of text needs as much"
    assert PRINT_WIDTH == 680


def test_other_figures_are_as_small_on_paper_as_ever() -> None:
    from tests.snapshots import course_figure

    assert frozen_panel(course_figure().panel)["height"] == TALLEST


# --------------------------------------------------------------------------- hostile text


def test_no_imported_text_is_markup_in_a_figure() -> None:
    figures = [
        intervals([estimate(label=HOSTILE, rate=0.6), hidden(1, label=HOSTILE, reason=HOSTILE)]),
        intervals([estimate(at, label=HOSTILE, rate=0.6) for at in range(30)]),
        funnel_of([estimate(label=HOSTILE, rate=0.6)]),
        corners(3, code=HOSTILE + "{}"),
        run(14, special={13: HOSTILE}),
        change_scatter(
            [{"baseline": 1.0, "latest": 2.0, "change_category": "recovered"}], BUILT_IN["phq9"], HOSTILE, whose="own",
            theme="light", **SAID,
        ),
    ]  # fmt: skip
    ours = re.compile(r"</?b>|<br>|<extra></extra>")
    for panel in figures:
        found = json.loads(panel.figure.to_json())
        texts = json.dumps(found, ensure_ascii=False)
        assert "<a" not in texts
        assert "<" not in ours.sub("", texts)
        assert "&lt;b&gt;x" in texts


@pytest.mark.parametrize(
    ("text", "n", "shown"),
    [
        ("A. Mbeki", 34, ["A. Mbeki (n 34)"]),
        ("Dr. Aleksandra Wojciechowska", 58, ["Dr. Aleksandra", "Wojciechowska (n 58)"]),
        ("Dr. Aleksandra Wojciechowska-Brandt", 58, ["Dr. Aleksandra", "Wojciechowsk… (n 58)"]),
        ("W" * 60, 1234, ["W" * 20, "WWWWWWWWW… (n 1,234)"]),
        ("<i>", 3, ["&lt;i&gt; (n 3)"]),
        ("", 3, ["(n 3)"]),
    ],
)
def test_a_name_beside_a_row_is_short_and_plain(text: str, n: int, shown: list[str]) -> None:
    assert label(text, n) == shown


@given(st.text(max_size=80), st.integers(0, 99_999))
def test_a_name_never_takes_more_than_two_short_lines(text: str, n: int) -> None:
    from html import unescape

    found = label(text, n)
    assert 1 <= len(found) <= 2
    assert all(len(unescape(line)) <= NARROW + 2 for line in found)
    assert all("<" not in line for line in found + lines(text, 20))


def test_counts_and_signs() -> None:
    assert counted(3, 7) == "3 of 7"
    assert counted(12, 31) == "12 of 31 (39 %)"
    assert [signed(value) for value in (-6.04, 0.0, -0.01, 0.5)] == ["−6.0", "0.0", "0.0", "+0.5"]


# --------------------------------------------------------------------------- the figures one by one


def test_the_funnel_adjusts_by_what_was_expected_and_stays_on_its_scale() -> None:
    assert adjusted(estimate(expected=12.0), PRACTICE) == pytest.approx(0.24 + 0.25 - 0.3)
    assert adjusted(estimate(rate=0.0, expected=20.0), PRACTICE) == 0.0
    assert adjusted(estimate(expected=None), PRACTICE) == pytest.approx(0.25)
    given_curves = pl.DataFrame(
        {"n": [10, 50], "limit95_low": [0.0, 0.1], "limit95_high": [0.6, 0.4], "limit998_low": [0.0, 0.05],
         "limit998_high": [0.8, 0.5]}
    )  # fmt: skip
    panel = funnel_of([estimate(0), estimate(1)], curves=given_curves)
    assert [list(t.y) for t in panel.figure.data if t.mode == "lines"] == [
        [0.0, 5.0],
        [80.0, 50.0],
        [0.0, 10.0],
        [60.0, 40.0],
    ]
    assert all(t.text is None for t in panel.figure.data), "dots have no names"


def test_a_square_scatter_counts_every_mark_once() -> None:
    panel = scatter(60)
    assert panel.figure.layout.yaxis.scaleanchor == "x"
    counts = [int(row[1]) for row in panel.numbers.rows]
    assert sum(counts) == 60
    said = " ".join(one.text for one in panel.figure.layout.annotations)
    assert "▲ 15 recovered" in said
    assert "▼ 15 reliable worsening" in said
    assert "lower is better" in panel.subtitle
    assert panel.headline == "30 of 60 ended episodes with reliable improvement, 15 with reliable worsening"
    behind = scatter(3, cloud=[(10.0, 8.0, 12), (13.0, 8.0, 5)])
    assert "the practice in counts, n = 17" in behind.subtitle
    squares = [t for t in behind.figure.data if t.mode == "markers" and t.marker.symbol == "square"]
    assert [t.marker.color for t in squares] == [PALETTES["light"].rule]


def test_an_area_on_the_scatter_counts_episodes() -> None:
    rows = [{"baseline": 20.0, "latest": 18.0, "change_category": "no_reliable_change"}] * 4
    rows.append({"baseline": 15.0, "latest": 16.0, "change_category": "no_reliable_change"})
    figure = change_scatter(rows, BUILT_IN["phq9"], "PHQ-9", whose="own", theme="light", **SAID).figure
    sizes = next(list(t.marker.size) for t in figure.data if t.mode == "markers")
    assert sizes[0] == pytest.approx(2 * sizes[1])


def test_a_change_without_both_scores_is_not_drawn() -> None:
    rows = [{"baseline": None, "latest": 3.0, "change_category": "recovered"},
            {"baseline": 3.0, "latest": None, "change_category": "not_enough_data"}]  # fmt: skip
    assert change_scatter(rows, BUILT_IN["phq9"], "PHQ-9", whose="own", theme="light", **SAID).headline == (
        "No ended episode with two scores yet"
    )


@pytest.mark.parametrize(
    ("special", "headline"),
    [
        ({}, "No change over 20 quarters that chance would not bring"),
        ({19: "beyond_limits"}, "Q4 2016: above the limits"),
        ({18: "shift", 19: "shift"}, "Q4 2016: 1 quarter above the level"),
        (dict.fromkeys(range(12, 20), "trend"), "Q1 2015 to Q4 2016: 8 quarters rising"),
    ],
)
def test_a_run_chart_says_what_its_newest_run_is(special: dict[int, str], headline: str) -> None:
    panel = run(20, special=special)
    assert panel.headline == headline
    diamonds = [len(t.x) for t in panel.figure.data if t.mode == "markers" and t.marker.symbol == "diamond"]
    assert sum(diamonds) == len(special)
    assert bool(panel.figure.layout.annotations[3:]) == bool(special), "a marked run has words"


def test_a_quarter_with_few_leaves_a_gap_and_has_no_percent() -> None:
    panel = run(8, few=frozenset({3}))
    line = next(t for t in panel.figure.data if t.mode == "lines" and t.line.width == 1.5)
    assert line.y[3] is None
    assert line.connectgaps is False
    assert panel.numbers.rows[3][2] == "4 of 6"
    assert panel.numbers.rows[3][-1] == "fewer than 10 measured"
    assert "1 quarter with fewer than 10 not drawn" in panel.subtitle
    assert "limits provisional: 7 of 13 quarters" in panel.subtitle
    assert {t.line.dash for t in panel.figure.data if t.line.color == PALETTES["light"].grey} == {"dash"}
    assert "n 24" in run(3).figure.layout.xaxis.ticktext[0]


def test_a_followed_count_names_its_levels_and_its_last_signal() -> None:
    panel = followed(60, signals=frozenset({20, 50}))
    said = " ".join(one.text.replace("<br>", " ") for one in panel.figure.layout.annotations)
    assert "signal above 2.5" in said
    assert "as expected" in said
    assert "signal, 30 May 2024" in said
    assert panel.headline == "The count passed its limit 2 times, last on 30 May 2024"
    assert "up is better" in panel.alt
    assert "every 10 years" in panel.subtitle
    assert followed(9).headline == "Not enough known endings yet to follow"


def test_corners_have_their_words_counts_and_questions() -> None:
    panel = corners(15)
    said = [one.text for one in panel.figure.layout.annotations]
    assert "alliance lower,<br>scores worse: <b>5</b>" in said
    assert "alliance higher,<br>scores better: <b>5</b>" in said
    assert {row[-1] for row in panel.numbers.rows} >= {QUADRANTS[0].question, QUADRANTS[3].question}
    assert all(t.mode == "markers" for t in panel.figure.data), "no line through the dots"
    assert len(panel.numbers.rows) == 15
    reached = [abs(value) for t in panel.figure.data for value in (*t.x, *t.y)]
    assert max(reached) <= 3


def test_endings_print_their_counts_and_colleagues_only_as_a_group() -> None:
    panel = ways(49)
    printed = next(list(t.text) for t in panel.figure.data if t.type == "scatter" and t.mode == "text")
    assert printed == ["<b>7</b> (14 %)"] * 7
    assert "colleagues" in panel.figure.layout.annotations[0].text
    assert panel.headline == "14 of 49 (29 %) episodes ended as planned or by agreement"
    assert "%" not in everything(ways(3, share=None)).replace("%{", "")
    assert all(t.type == "bar" or t.mode == "text" for t in ways(49, share=None).figure.data)


def test_own_course_has_an_interval_a_level_and_a_reason_for_silence() -> None:
    panel = course(60)
    assert "as expected" in panel.figure.layout.annotations[0].text
    assert panel.headline.startswith(("No change over time that chance", "Gains beyond", "Gains less"))
    assert all("to" in row[-1] for row in panel.numbers.rows)
    assert "8 of 10" in course(8).figure.layout.annotations[0].text
    assert "8 of 10" in course(8).headline
