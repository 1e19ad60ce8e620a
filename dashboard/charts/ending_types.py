"""How episodes ended, in counts, beside the share among colleagues where these are a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import plotly.graph_objects as go

from dashboard.charts.figure_text import NIL, day, percent
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import palette, template

ROW, EDGE = 34, 76
FEW = 10  # design: no percentage under so many episodes


def ending_types(
    rows: Sequence[Mapping[str, Any]], words: Mapping[str, str], *, whose: str, coverage: str, as_of: date, theme: str
) -> Panel:
    """``rows``: ending, n and practice_share (null: colleagues are no group), in the order of the vocabulary."""
    colours = palette(theme)
    whole = sum(row["n"] for row in rows)
    height = ROW * max(len(rows), 1) + EDGE
    figure = go.Figure()
    places = list(range(len(rows), 0, -1))
    grouped = whole >= FEW and any(row["practice_share"] is not None for row in rows)
    if whole:
        figure.add_trace(
            go.Bar(
                x=[row["n"] for row in rows], y=places, orientation="h", width=0.55, marker={"color": colours.grey},
                hoverinfo="skip",
            )
        )  # fmt: skip
        if grouped:
            figure.add_trace(
                go.Scatter(
                    x=[whole * (row["practice_share"] or 0.0) for row in rows], y=places, mode="markers",
                    marker={"symbol": "line-ns-open", "size": 24, "color": colours.blue, "line": {"width": 2}},
                    text=[f"all colleagues together {percent(row['practice_share'])}" for row in rows],
                    hovertemplate="%{text}<extra></extra>",
                )
            )  # fmt: skip
    else:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", text="No episode has ended yet", showarrow=False,
            font={"color": colours.muted, "size": 13},
        )  # fmt: skip
    if whole:
        edge = [max(row["n"], whole * (row["practice_share"] or 0.0) if grouped else 0.0) for row in rows]
        figure.add_trace(
            go.Scatter(
                x=edge, y=places, mode="text", textposition="middle right", hoverinfo="skip", cliponaxis=False,
                text=[f"  {row['n']}" + (f" ({percent(row['n'] / whole)})" if whole >= FEW else "") for row in rows],
                textfont={"color": colours.ink, "size": 12},
            )
        )  # fmt: skip
    most = max([row["n"] for row in rows] + [whole * (row["practice_share"] or 0.0) for row in rows if grouped] + [1])
    figure.update_layout(template=template(colours), height=height, margin={"l": 16, "r": 90, "t": 8, "b": 44})
    figure.update_yaxes(
        tickvals=places, ticktext=[words[row["ending"]] for row in rows], showgrid=False, automargin=True,
        range=[0.3, max(len(rows), 1) + 0.7], visible=bool(whole),
    )  # fmt: skip
    figure.update_xaxes(range=[0, most * 1.05], title={"text": "Episodes"}, nticks=6, visible=bool(whole))
    agreed = sum(row["n"] for row in rows if row["ending"] in ("planned", "mutual"))
    headline = (
        f"{agreed} of {whole} episodes{f' ({percent(agreed / whole)})' if whole >= FEW else ''} ended as planned or by agreement"
        if whole
        else "No episode has ended yet"
    )
    return Panel(
        key="ending-types",
        headline=headline,
        subtitle=f"How ended episodes ended · {whose} · n = {whole} · {coverage} · as of {day(as_of)}"
        + (" · | share among all colleagues together" if grouped else ""),
        figure=figure,
        alt=f"Ways of ending of {whole} episodes. {headline}.",
        reading="Each bar counts episodes by how their ending was recorded. The blue tick, where there is one, is how many it "
        "would be with the share of all colleagues together. Colleagues differ in whom they are sent and in how carefully "
        "endings are coded; “silent” episodes were never closed.",
        numbers=Numbers(
            ("Ending", "Episodes", "All colleagues together"),
            [
                [words[row["ending"]], str(row["n"]), percent(row["practice_share"]) if grouped else NIL] for row in rows
            ],
        ),
        height=height,
    )  # fmt: skip
