"""Whether as many ended without agreement as the estimate said, by tenth of the estimate."""

from __future__ import annotations

from datetime import date

import plotly.graph_objects as go
import polars as pl

from dashboard.analytics.intervals import wilson
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import palette, template
from dashboard.glossary import meaning

LEAST_SHOWN = 0.05  # the axes reach at least so far, so that small differences stay small


def calibration_by_tenth(tenths: pl.DataFrame, *, since: date | None, as_of: date, theme: str) -> Panel:
    """``tenths``: tenth, sessions, expected (mean estimate, 0 to 1), left (how many left after that session), lowest first."""
    colours = palette(theme)
    rows = [
        row | {"share": row["left"] / row["sessions"], "range": wilson(row["left"], row["sessions"]) or (0.0, 1.0)}
        for row in tenths.to_dicts()
    ]
    top = max([LEAST_SHOWN, *(row["range"][1] for row in rows), *(row["expected"] for row in rows)]) * 105
    xs, ys = [100 * row["expected"] for row in rows], [100 * row["share"] for row in rows]
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[0, top], y=[0, top], mode="lines", line={"color": colours.muted, "width": 1, "dash": "dot"},
            hoverinfo="skip", name="as estimated",
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=xs, y=ys, mode="markers", name="came", marker={"size": 8, "color": colours.ink},
            error_y={
                "type": "data", "symmetric": False, "color": colours.ink, "thickness": 1.2, "width": 0,
                "array": [100 * row["range"][1] - y for row, y in zip(rows, ys, strict=True)],
                "arrayminus": [y - 100 * row["range"][0] for row, y in zip(rows, ys, strict=True)],
            },
            customdata=[[row["left"], row["sessions"]] for row in rows],
            hovertemplate="estimated %{x:.1f} %<br>came %{y:.1f} % (%{customdata[0]} of %{customdata[1]})<extra></extra>",
        )
    )  # fmt: skip
    figure.add_annotation(
        x=0, y=1, xref="paper", yref="paper", xanchor="left", yanchor="top", showarrow=False, xshift=8,
        text="above the line:<br>more ended than estimated", align="left",
        font={"color": colours.muted, "size": 12}, bgcolor=colours.page,
    )  # fmt: skip
    figure.update_layout(template=template(colours), height=340, margin={"r": 24, "b": 56})
    figure.update_xaxes(range=[0, top], ticksuffix=" %", title={"text": "Estimated for the session"}, nticks=6)
    figure.update_yaxes(range=[0, top], ticksuffix=" %", title={"text": "Were the<br>last session"}, nticks=6)
    held = sum(row["range"][0] <= row["expected"] <= row["range"][1] for row in rows)
    sessions, left = int(tenths["sessions"].sum()), int(tenths["left"].sum())
    words = "Nothing to compare yet"
    if rows:
        words = f"In {held} of {len(rows)} groups of sessions what came agrees with the estimate, within chance"
    began = f"episodes opened from {since.day} {since:%b %Y} on" if since else "no episodes yet"
    return Panel(
        key="calibration",
        headline=words,
        subtitle=f"Chance that a session was the last without agreement, by tenth of the estimate · {began} · n = {sessions:,} "
        f"sessions, {left} such endings · as of {as_of.day} {as_of:%b %Y}",
        figure=figure,
        alt=f"Estimated and actual share of sessions that were the last without agreement, by tenth of the estimate. {words}.",
        reading="Each dot is a tenth of the sessions, from the lowest estimates to the highest; the bar is its 95 % interval. On "
        "the dotted line as many were the last without agreement as that day's estimate said. A single bar off the line can be "
        "chance; dots that rise more slowly than the line mean that high estimates are too high. " + meaning("dropout"),
        numbers=Numbers(
            ("Tenth", "Sessions", "Estimated", "Were the last", "95 % interval"),
            [
                [
                    str(row["tenth"]),
                    str(row["sessions"]),
                    f"{100 * row['expected']:.1f} %",
                    f"{row['left']} ({100 * row['share']:.1f} %)",
                    f"{100 * row['range'][0]:.1f} to {100 * row['range'][1]:.1f} %",
                ]
                for row in rows
            ],
        ),
        height=340,
    )
