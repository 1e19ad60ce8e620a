"""Falls in the alliance rating and what became of them: own level, lowest, latest, one line per episode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.charts.figure_text import name as short
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import Palette, palette, template
from dashboard.glossary import meaning
from dashboard.harmless import for_figure

ROW, EDGE = 30, 64  # pixels per line and per axis
MOST = 20  # lines drawn; the table has them all
LONGEST = 12  # characters of a code beside a line: more leaves no room for the line on a narrow screen
ORDER = ("still lower", "not rated since", "recovering", "recovered")


@dataclass(frozen=True)
class Fall:
    """One episode's latest marked fall, in the questionnaire's points. ``word``: one of ORDER."""

    code: str
    instrument: str
    better: str
    low: float
    high: float
    since: date
    reference: float
    lowest: float
    latest: float
    word: str


def label(code: str) -> str:
    """A client's code as a figure can hold it: a long one is cut (the numbers have it whole), nothing in it is markup."""
    return short(code, LONGEST)


def _score(value: float) -> str:
    return f"{value:.0f}" if round(value, 1) == round(value) else f"{value:.1f}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def in_order(falls: Sequence[Fall]) -> list[Fall]:
    """Those that have not mended first, longest ago first, then by code."""
    return sorted(falls, key=lambda one: (ORDER.index(one.word), one.since, one.code))


def _lines(figure: go.Figure, row: int, falls: Sequence[Fall], colours: Palette) -> None:
    places = list(range(len(falls), 0, -1))
    # one trace for all lines and one for all words: a figure takes far longer to build with a trace and a note for each
    steps = [(value, place) for place, one in zip(places, falls, strict=True)
             for value in (one.reference, one.lowest, one.latest, None)]  # fmt: skip
    traces = [
        go.Scatter(
            x=[value for value, _ in steps],
            y=[place for _, place in steps],
            mode="lines",
            line={"color": colours.grey, "width": 2},
            hoverinfo="skip",
        )
    ]
    for name, values, marker in (
        ("own earlier level", [one.reference for one in falls],
         {"symbol": "circle", "size": 11, "color": colours.page, "line": {"color": colours.ink, "width": 2}}),
        ("lowest after the fall", [one.lowest for one in falls],
         {"symbol": "diamond", "size": 14, "color": colours.orange, "line": {"color": colours.page, "width": 1}}),
        ("latest", [one.latest for one in falls],
         {"symbol": "circle", "size": 8, "color": colours.ink, "line": {"color": colours.page, "width": 1}}),
    ):  # fmt: skip
        traces.append(
            go.Scatter(
                x=values,
                y=places,
                mode="markers",
                marker=marker,
                text=[label(one.code) for one in falls],
                hovertemplate="%{text}: " + name + " %{x}<extra></extra>",
            )
        )
    low, high = falls[0].low, falls[0].high
    room = (high - low) * 0.03
    words = [one.word for one in falls]
    traces.append(
        go.Scatter(
            x=[high + room] * len(falls),
            y=places,
            mode="text",
            text=[f"  {for_figure(word)}" for word in words],
            textposition="middle right",
            textfont={"size": 12, "color": [colours.blue if w == "recovered" else colours.orange_text for w in words]},
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    figure.add_traces(traces, rows=[row] * len(traces), cols=[1] * len(traces))
    figure.update_yaxes(
        tickvals=places, ticktext=[label(one.code) for one in falls], range=[0.4, len(falls) + 0.6], showgrid=False,
        automargin=True,
        row=row, col=1,
    )  # fmt: skip
    figure.update_xaxes(
        range=[low - room, high + room],
        nticks=5,
        title={"text": f"{short(falls[0].instrument, 60)} ({falls[0].better} is better)", "standoff": 6},
        row=row,
        col=1,
    )


def alliance_course(falls: Sequence[Fall], *, rated: int, whose: str, as_of: date, theme: str) -> Panel:
    """``rated``: open episodes with a client rating. One scale per questionnaire, each over its full range."""
    colours = palette(theme)
    ordered = in_order(falls)
    drawn = ordered[:MOST]
    names = list(dict.fromkeys(one.instrument for one in drawn))
    groups = [[one for one in drawn if one.instrument == name] for name in names] or [[]]
    heights = [ROW * max(1, len(group)) + EDGE for group in groups]
    figure = make_subplots(
        rows=len(groups),
        cols=1,
        vertical_spacing=EDGE / sum(heights) if len(groups) > 1 else 0,
        row_heights=[float(len(group) or 1) for group in groups],
    )
    for row, group in enumerate(groups, start=1):
        if group:
            _lines(figure, row, group, colours)
        else:
            figure.update_xaxes(visible=False)
            figure.update_yaxes(visible=False)
    figure.update_layout(template=template(colours), height=sum(heights), margin={"l": 60, "r": 100, "t": 8, "b": 48})
    counts = {word: sum(one.word == word for one in ordered) for word in ORDER}
    lasting = len(ordered) - counts["recovered"]
    if not ordered:
        headline = "No marked fall in the alliance ratings"
    elif not lasting:
        headline = (
            f"All {len(ordered)} marked falls have recovered" if len(ordered) > 1 else "The marked fall recovered"
        )
    else:
        headline = f"{lasting} of {len(ordered)} marked falls not back near the client's own earlier level"
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    more = f" · {len(drawn)} of {len(ordered)} drawn, the rest in the numbers" if len(drawn) < len(ordered) else ""
    return Panel(
        key="alliance-course",
        headline=headline,
        subtitle=f"{whose[0].upper()}{whose[1:]} · "
        f"open episodes with a marked fall, n = {len(ordered)} of {rated} rated · as of {_day(as_of)} · "
        f"○ own earlier level ◆ lowest after the fall ● latest{more}",
        figure=figure,
        alt=f"Alliance ratings that fell, {whose}: own earlier level, lowest and latest of {len(ordered)} open episodes. "
        + (f"{told[0].upper()}{told[1:]}." if told else "None fell."),
        reading="Each line is an episode: the open circle is the client's own level before the fall, the diamond the lowest "
        "rating since, the dot the latest. Recovering: above the lowest by more than measurement error, not yet near the earlier "
        "level. Each questionnaire has a scale of its own over its full range. A fall is a possible rupture, not a fact, and a "
        "quiet chart does not prove that nothing happened. " + meaning("alliance reference", "possible rupture", "repair"),
        numbers=Numbers(
            ("Episode", "Questionnaire", "Fell on", "Own earlier level", "Lowest", "Latest", "Now"),
            [
                [
                    one.code, one.instrument, _day(one.since), _score(one.reference), _score(one.lowest),
                    _score(one.latest), one.word,
                ]
                for one in ordered
            ],
        ),
        height=sum(heights),
    )  # fmt: skip
