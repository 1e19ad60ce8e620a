"""One clinician's own ended episodes by half-year: gains less what was to be expected of these clients."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import plotly.graph_objects as go

from dashboard.analytics.own_growth import Trend
from dashboard.charts.figure_text import EMPTY, NIL, day, in_sd, plural
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import Palette, palette, template

HEIGHT = 320
EACH_NAMED = 4  # half-years: with more of them only years stand under the axis, a phone has no room for each
MOST_YEARS = 5


def half_year(first: date) -> str:
    """Jan to Jun 2026."""
    return f"{'Jan to Jun' if first.month == 1 else 'Jul to Dec'}<br>{first.year}"


def own_trend(found: Trend, *, whose: str, coverage: str, as_of: date, theme: str) -> Panel:
    """A point with its 95 % interval per half-year; in words where there is too little."""
    colours = palette(theme)
    rows = [row for row in found.blocks.sort("half").to_dicts() if row["mean"] is not None]
    figure = go.Figure()
    if rows:
        _level(figure, rows, colours)
        _points(figure, rows, colours)
        _time(figure, rows)
    else:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", text=_why(found), showarrow=False,
            font={"color": colours.muted, "size": 13},
        )  # fmt: skip
        figure.update_xaxes(visible=False)
    figure.update_layout(
        template=template(colours), height=HEIGHT if rows else EMPTY,
        margin={"l": 76, "r": 84, "t": 12, "b": 64 if len(rows) <= EACH_NAMED else 40},
    )  # fmt: skip
    figure.update_yaxes(title={"text": "Gain less expected,<br>SD (up: more)"}, visible=bool(rows), nticks=6)
    headline = _headline(found)
    return Panel(
        key="own-trend",
        headline=headline,
        subtitle=f"Gain on the outcome questionnaire less what was to be expected, by half-year of ending · {whose} · "
        f"n = {plural(found.measured, 'measured ended episode')} · {coverage} · as of {day(as_of)}",
        figure=figure,
        alt=f"Gains less expected over {plural(len(rows), 'half-year')} with 95 % intervals, {whose}. {headline}.",
        reading="Each dot is the mean over the episodes that ended in a half-year, the line its 95 % interval; on the dotted "
        "line clients gained what such clients usually gain here. The change per year is the slope through all episodes, with "
        "its interval. Other clients came in other years: a change can have many reasons, and chance is one of them.",
        numbers=Numbers(
            ("Half-year", "Episodes", "Observed less expected", "95 % interval"),
            [
                [
                    half_year(row["half"]).replace("<br>", " "), str(row["n"]), in_sd(row["mean"]),
                    NIL if row["low"] is None else f"{in_sd(row['low'])} to {in_sd(row['high'])}",
                ]
                for row in rows
            ],
        ),
        height=HEIGHT if rows else EMPTY,
    )  # fmt: skip


def _why(found: Trend) -> str:
    said = found.why or "too few episodes yet"
    return f"{said[0].upper()}{said[1:]}"


def _around(rows: Sequence[dict[str, Any]]) -> tuple[date, date]:
    """First and last day drawn, with room for a mark on either side."""
    room = timedelta(days=max(60, (rows[-1]["half"] - rows[0]["half"]).days // 20))
    return rows[0]["half"] - room, rows[-1]["half"] + room


def _level(figure: go.Figure, rows: Sequence[dict[str, Any]], colours: Palette) -> None:
    figure.add_trace(
        go.Scatter(
            x=list(_around(rows)), y=[0, 0], mode="lines", line={"color": colours.muted, "width": 1.2, "dash": "dot"},
            hoverinfo="skip",
        )
    )  # fmt: skip
    figure.add_annotation(
        x=1, xref="paper", y=0, xanchor="left", xshift=6, align="left", showarrow=False,
        text="as expected<br>of these<br>clients", font={"color": colours.muted, "size": 12},
    )  # fmt: skip


def _points(figure: go.Figure, rows: Sequence[dict[str, Any]], colours: Palette) -> None:
    ends: list[tuple[date, float] | tuple[None, None]] = []
    for row in rows:
        if row["low"] is not None and row["high"] is not None:
            ends += [(row["half"], row["low"]), (row["half"], row["high"]), (None, None)]
    figure.add_trace(
        go.Scatter(
            x=[x for x, _ in ends], y=[y for _, y in ends], mode="lines", line={"color": colours.ink, "width": 1.8},
            hoverinfo="skip",
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=[row["half"] for row in rows], y=[row["mean"] for row in rows], mode="markers", cliponaxis=False,
            marker={"size": 9, "color": colours.ink, "line": {"color": colours.page, "width": 1}},
            text=[f"{half_year(row['half']).replace('<br>', ' ')}: {in_sd(row['mean'])}, n {row['n']}" for row in rows],
            hovertemplate="%{text}<extra></extra>",
        )
    )  # fmt: skip


def _time(figure: go.Figure, rows: Sequence[dict[str, Any]]) -> None:
    """Each of few half-years with its number of episodes; of many only the years, at their first half."""
    if len(rows) <= EACH_NAMED:
        names = {row["half"]: f"{half_year(row['half'])}<br>n {row['n']}" for row in rows}
    else:
        years = list(range(rows[0]["half"].year, rows[-1]["half"].year + 1))
        step = -(-len(years) // MOST_YEARS)
        names = {date(year, 1, 1): str(year) for year in years[::-1][::step]}
    figure.update_xaxes(
        type="date", range=list(_around(rows)), tickvals=list(names), ticktext=list(names.values()), tickangle=0,
        showgrid=len(rows) > EACH_NAMED,
    )  # fmt: skip


def _headline(found: Trend) -> str:
    if found.slope is None:
        return "Own course over time: " + (found.why or "too few episodes yet")
    one = found.slope
    interval = f"{in_sd(one.per_year)} SD a year ({in_sd(one.low)} to {in_sd(one.high)})"
    if one.low <= 0 <= one.high:
        return f"No change over time that chance would not bring: {interval}"
    return f"Gains beyond the expected changed by {interval}"
