"""Alliance at session 3 against outcome change so far: points over the practice in counts, no line through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go

from dashboard.charts.alliance_course import label
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import palette, template

HEIGHT = 400
PUBLISHED = "Fluckiger 2018, 295 studies: r = .278 [.256, .299], about 8 % of the differences"
EDGE = 3.0  # reliable changes: further points are drawn at the edge


@dataclass(frozen=True)
class Point:
    """One open episode: rating at session 3 (0 to 100), change so far in reliable changes (better upwards)."""

    code: str
    rating: float
    change: float


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _words(change: float) -> str:
    size = "beyond measurement error" if abs(change) >= 1 else "within measurement error"
    return f"{'better' if change > 0 else 'worse' if change < 0 else 'the same'}, {size}"


def alliance_outcome(
    points: Sequence[Point],
    cells: Sequence[tuple[float, float, int]],
    *,
    practice: int,
    middle: float | None,
    whose: str,
    as_of: date,
    theme: str,
) -> Panel:
    """``cells``: (rating, change, episodes) of the practice, ``practice`` episodes in all with mean rating ``middle``."""
    colours = palette(theme)
    figure = go.Figure()
    if cells:
        most = max(count for _, _, count in cells)
        figure.add_trace(
            go.Scatter(
                x=[x for x, _, _ in cells],
                y=[y for _, y, _ in cells],
                mode="markers",
                marker={
                    "symbol": "square",
                    "size": [8 + 14 * (count / most) ** 0.5 for _, _, count in cells],
                    "color": colours.rule,
                    "line": {"width": 0},
                },
                text=[f"practice: {count} episodes near here" for _, _, count in cells],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    lines: dict[str, float | str] = {"color": colours.muted, "width": 1, "dash": "dot"}
    figure.add_hline(y=0, line=lines, layer="below")
    if middle is not None:
        figure.add_vline(x=middle, line=lines, layer="below")
    figure.add_trace(
        go.Scatter(
            x=[one.rating for one in points],
            y=[max(-EDGE, min(EDGE, one.change)) for one in points],
            mode="markers",
            marker={"size": 9, "color": colours.ink, "line": {"color": colours.page, "width": 1}},
            text=[label(one.code) for one in points],
            hovertemplate="%{text}: %{x:.0f} of 100 at session 3<extra></extra>",
        )
    )
    lowest = min([one.rating for one in points] + [x for x, _, _ in cells], default=50.0)
    left = max(0.0, min(70.0, lowest // 10 * 10 - 10))
    for x, anchor, y, words in (
        (0.0, "left", 1.0, "rated lower,<br>better since"),
        (1.0, "right", 1.0, "rated higher,<br>better since"),
        (0.0, "left", 0.0, "rated lower,<br>worse since"),
        (1.0, "right", 0.0, "rated higher,<br>worse since"),
    ):
        figure.add_annotation(
            x=x, y=y, xref="paper", yref="paper", xanchor=anchor, yanchor="top" if y else "bottom", align=anchor,
            text=words, showarrow=False, font={"color": colours.muted, "size": 12}, bgcolor=colours.page,
        )  # fmt: skip
    figure.update_layout(template=template(colours), height=HEIGHT, margin={"l": 64, "r": 16, "t": 8, "b": 48})
    figure.update_xaxes(range=[left, 102], title={"text": "Alliance rating at session 3 (0 to 100)"}, nticks=6)
    figure.update_yaxes(
        range=[-EDGE - 0.9, EDGE + 0.9], dtick=1, title={"text": "Change so far, in<br>reliable changes (up is better)"}
    )
    better = sum(one.change >= 1 for one in points)
    worse = sum(one.change <= -1 for one in points)
    count = len(points)
    headline = (
        f"{count} open episode{'' if count == 1 else 's'} rated at session 3: {better} better, {worse} worse, "
        f"{count - better - worse} about the same since the start"
        if count
        else "No open episode has both a rating at session 3 and two outcome scores"
    )
    behind = f" · grey squares: the practice in counts, n = {practice}" if cells else ""
    return Panel(
        key="alliance-outcome",
        headline=headline,
        subtitle=f"{whose[0].upper()}{whose[1:]} · "
        f"open episodes rated on the day of session 3, with two outcome scores, n = {count}{behind} · as of "
        f"{_day(as_of)}",
        figure=figure,
        alt=f"Alliance at session 3 against outcome change so far, {whose}. {headline}.",
        reading="Each dot is an open episode. To the right: a higher rating at session 3, on its questionnaire's range from 0 "
        "to 100. Up: better since the first score; one step is the smallest change beyond measurement error. Dotted lines: "
        "no change, and the practice's mean rating. No line is drawn through the dots, since so few cannot carry one. Published "
        f"link: {PUBLISHED}. Early gain also lifts ratings, so this says nothing about cause.",
        numbers=Numbers(
            ("Episode", "Rating at session 3 (0 to 100)", "Change so far"),
            [[one.code, f"{one.rating:.0f}", _words(one.change)] for one in points],
        ),
        height=HEIGHT,
    )
