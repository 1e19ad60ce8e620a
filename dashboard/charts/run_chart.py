"""The practice over time by quarter: a run chart with limits, blue and orange only beside a shape and a word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import plotly.graph_objects as go
import polars as pl

from dashboard.charts.figure_text import EMPTY, NIL, day, percent, quarter
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import Palette, palette, template

HEIGHT = 360
FEW = 10  # design: no percentage under so many episodes
ENOUGH_POINTS = 13  # NHS England, Making data count: limits are provisional before
SPECIAL = {
    "beyond_limits": "beyond the limits",
    "shift": "one of seven or more quarters in a row on one side of the level",
    "trend": "one of seven or more quarters that only rose or only fell",
}


def run_chart(quarters: pl.DataFrame, *, whose: str, coverage: str, as_of: date, theme: str) -> Panel:
    """``quarters``: quarter_start, n, part, share, centre, low, high, provisional, special (of SPECIAL, or null), in order."""
    colours = palette(theme)
    rows = quarters.sort("quarter_start").to_dicts()
    drawn = [row for row in rows if row["n"] >= FEW and row["share"] is not None]
    figure = go.Figure()
    if len(drawn) > 1:
        _limits(figure, drawn, colours)
        _points(figure, drawn, colours)
    else:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"color": colours.muted, "size": 13},
            text=f"Needs two quarters with {FEW} measured episodes each; has {len(drawn)}",
        )  # fmt: skip
    figure.update_layout(
        template=template(colours),
        height=HEIGHT if len(drawn) > 1 else EMPTY,
        margin={"l": 56, "r": 76, "t": 16, "b": 56},
    )
    figure.update_yaxes(
        range=[0, 104], dtick=25, ticksuffix=" %", title={"text": "Reliable improvement"}, visible=len(drawn) > 1
    )
    figure.update_xaxes(type="category", showgrid=False, visible=len(drawn) > 1, tickangle=0, nticks=9)
    provisional = bool(drawn) and bool(drawn[-1]["provisional"])
    special = [row for row in drawn if row["special"]]
    headline = _headline(drawn, special)
    n = sum(row["n"] for row in rows)
    return Panel(
        key="run-chart",
        headline=headline,
        subtitle=f"Share of measured ended episodes with reliable improvement, by quarter of ending, more is better · {whose} · "
        f"n = {n} episodes · {coverage} · as of {day(as_of)}"
        + (f" · limits provisional: {len(drawn)} of {ENOUGH_POINTS} quarters" if provisional else ""),
        figure=figure,
        alt=f"Run chart of reliable improvement over {len(drawn)} quarters. {headline}.",
        reading="Each dot is a quarter, the line in the middle their common level, the grey lines the limits within which a "
        "practice that does not change would move. A diamond marks what chance alone seldom brings: a point beyond the limits, "
        "or a run on one side of the line. Two neighbouring quarters compared say nothing. Under 13 quarters the limits are "
        "provisional and drawn dashed; quarters with fewer than 10 measured episodes are not drawn.",
        numbers=Numbers(
            ("Quarter", "Measured", "Improved", "Share", "Limits", "Note"),
            [
                [
                    quarter(row["quarter_start"]), str(row["n"]), str(row["part"]),
                    percent(row["share"]) if row["n"] >= FEW else NIL,
                    NIL if row["low"] is None else f"{percent(row['low'])} to {percent(row['high'])}",
                    SPECIAL.get(row["special"], "fewer than 10 measured" if row["n"] < FEW else ""),
                ]
                for row in rows
            ],
        ),
        height=HEIGHT if len(drawn) > 1 else EMPTY,
    )  # fmt: skip


def _headline(drawn: Sequence[dict[str, Any]], special: Sequence[dict[str, Any]]) -> str:
    if len(drawn) < 2:
        return "Not enough measured quarters yet for a run chart"
    if not special:
        return f"No change over {len(drawn)} quarters that chance would not bring"
    last = special[-1]
    return f"{quarter(last['quarter_start'])}: {SPECIAL[last['special']]}"


def _limits(figure: go.Figure, drawn: Sequence[dict[str, Any]], colours: Palette) -> None:
    names = [quarter(row["quarter_start"]) for row in drawn]
    dash = "dash" if drawn[-1]["provisional"] else "solid"
    for edge in ("low", "high"):
        figure.add_trace(
            go.Scatter(
                x=names, y=[None if row[edge] is None else 100 * row[edge] for row in drawn], mode="lines", hoverinfo="skip",
                line={"color": colours.grey, "width": 1, "dash": dash, "shape": "hvh"},
            )
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=names, y=[None if row["centre"] is None else 100 * row["centre"] for row in drawn], mode="lines",
            line={"color": colours.muted, "width": 1}, hoverinfo="skip",
        )
    )  # fmt: skip
    last = drawn[-1]
    for key, words in (("high", "limit"), ("centre", "level"), ("low", "limit")):
        if last[key] is not None:
            figure.add_annotation(
                x=len(drawn) - 1, y=100 * last[key], xanchor="left", xshift=26, showarrow=False,
                text=f"{words} {percent(last[key])}", font={"color": colours.muted, "size": 12},
            )  # fmt: skip


def _points(figure: go.Figure, drawn: Sequence[dict[str, Any]], colours: Palette) -> None:
    def colour(row: dict[str, Any]) -> str:
        if not row["special"]:
            return colours.ink
        return colours.blue if row["share"] >= row["centre"] else colours.orange

    figure.add_trace(
        go.Scatter(
            x=[quarter(row["quarter_start"]) for row in drawn], y=[100 * row["share"] for row in drawn], mode="lines+markers",
            line={"color": colours.ink, "width": 1.5}, cliponaxis=False,
            marker={
                "size": [13 if row["special"] else 8 for row in drawn],
                "symbol": ["diamond" if row["special"] else "circle" for row in drawn],
                "color": [colour(row) for row in drawn], "line": {"color": colours.page, "width": 1},
            },
            text=[f"{row['part']} of {row['n']} ({percent(row['share'])})" for row in drawn],
            hovertemplate="%{x}: %{text}<extra></extra>",
        )
    )  # fmt: skip
