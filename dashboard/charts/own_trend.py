"""One clinician's own ended episodes by half-year: gains less what was to be expected of these clients."""

from __future__ import annotations

from datetime import date

import plotly.graph_objects as go

from dashboard.analytics.own_growth import Trend
from dashboard.charts.figure_text import EMPTY, NIL, day, in_sd
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import palette, template

HEIGHT = 320


def half_year(first: date) -> str:
    """First half 2026."""
    return f"{'first' if first.month == 1 else 'second'} half<br>{first.year}"


def own_trend(found: Trend, *, whose: str, as_of: date, theme: str) -> Panel:
    """A point with its 95 % interval per half-year; in words where there is too little."""
    colours = palette(theme)
    rows = found.blocks.to_dicts()
    figure = go.Figure()
    if rows:
        x = [half_year(row["half"]) for row in rows]
        y = [row["mean"] for row in rows]
        figure.add_trace(
            go.Scatter(
                x=x, y=y, mode="markers", cliponaxis=False,
                marker={"size": 9, "color": colours.ink, "line": {"color": colours.page, "width": 1}},
                error_y={
                    "type": "data", "symmetric": False, "color": colours.ink, "thickness": 1.5, "width": 0,
                    "array": [(row["high"] or row["mean"]) - row["mean"] for row in rows],
                    "arrayminus": [row["mean"] - (row["low"] if row["low"] is not None else row["mean"]) for row in rows],
                },
                text=[f"n {row['n']}" for row in rows], hovertemplate="%{y:+.1f}, %{text}<extra></extra>",
            )
        )  # fmt: skip
        figure.add_hline(y=0, line={"color": colours.muted, "width": 1, "dash": "dot"})
        figure.add_annotation(
            x=1, xref="paper", y=0, xanchor="left", xshift=6, align="left", showarrow=False,
            text="as expected of<br>these clients",            font={"color": colours.muted, "size": 12},
        )  # fmt: skip
    else:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", text=found.why or "Too few yet", showarrow=False,
            font={"color": colours.muted, "size": 13},
        )  # fmt: skip
    figure.update_layout(
        template=template(colours), height=HEIGHT if rows else EMPTY, margin={"l": 76, "r": 110, "t": 12, "b": 56}
    )
    figure.update_xaxes(type="category", showgrid=False, visible=bool(rows), tickangle=0, nticks=8)
    figure.update_yaxes(title={"text": "Gain less expected,<br>SD (up: more)"}, visible=bool(rows), nticks=6)
    headline = _headline(found)
    return Panel(
        key="own-trend",
        headline=headline,
        subtitle=f"Gain on the outcome questionnaire less what was to be expected, by half-year of ending · {whose} · "
        f"n = {found.measured} measured ended episodes · as of {day(as_of)}",
        figure=figure,
        alt=f"Gains less expected over {len(rows)} half-years with 95 % intervals. {headline}.",
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


def _headline(found: Trend) -> str:
    if found.slope is None:
        return "Own course over time: " + (found.why or "too few episodes yet")
    one = found.slope
    interval = f"{in_sd(one.per_year)} SD a year ({in_sd(one.low)} to {in_sd(one.high)})"
    if one.low <= 0 <= one.high:
        return f"No change over time that chance would not bring: {interval}"
    return f"Gains beyond the expected changed by {interval}"
