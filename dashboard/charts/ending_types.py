"""How episodes ended, in counts, beside the share among colleagues where these are a group."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import plotly.graph_objects as go

from dashboard.charts.figure_text import EMPTY, FEW, NIL, Rows, counted, day, lines, percent, plural, records
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import palette, template

ROW, TOP, BOTTOM = 36, 28, 52
WIDE = 17  # characters of one line beside a bar
CHARACTER = 7  # pixels of a character in the widest font that may stand in for ours
ROOM = 1.55  # times the longest bar: a phone has room for its count


def ending_types(rows: Rows, words: Mapping[str, str], *, whose: str, coverage: str, as_of: date, theme: str) -> Panel:
    """``rows``: ending, n and practice_share (null: colleagues are no group), in the order of the vocabulary."""
    colours = palette(theme)
    ways = records(rows)
    whole = sum(row["n"] for row in ways)
    figure = go.Figure()
    places = list(range(len(ways), 0, -1))
    grouped = whole >= FEW and any(row["practice_share"] is not None for row in ways)
    elsewhere = [
        whole * row["practice_share"] if grouped and row["practice_share"] is not None else None for row in ways
    ]
    most = max([row["n"] for row in ways] + [value for value in elsewhere if value is not None] + [1])
    if whole:
        figure.add_trace(
            go.Bar(
                x=[row["n"] for row in ways], y=places, orientation="h", width=0.5, marker={"color": colours.grey},
                hoverinfo="skip",
            )
        )  # fmt: skip
        if grouped:
            figure.add_trace(
                go.Scatter(
                    x=elsewhere, y=places, mode="markers", cliponaxis=False,
                    marker={"symbol": "line-ns-open", "size": 26, "color": colours.blue, "line": {"width": 2}},
                    text=[f"all colleagues together {percent(row['practice_share'])}" for row in ways],
                    hovertemplate="%{text}<extra></extra>",
                )
            )  # fmt: skip
            first = next(at for at, value in enumerate(elsewhere) if value is not None)
            far = (elsewhere[first] or 0.0) > 0.4 * most * ROOM
            figure.add_annotation(
                x=elsewhere[first], y=1, yref="paper", yanchor="bottom", xanchor="right" if far else "left", showarrow=False,
                text="| share of all colleagues", font={"color": colours.blue, "size": 12},
            )  # fmt: skip
        # beside the bar or the tick, whichever reaches further
        figure.add_trace(
            go.Scatter(
                x=[max(row["n"], value or 0.0) + 0.02 * most for row, value in zip(ways, elsewhere, strict=True)], y=places,
                mode="text", textposition="middle right", textfont={"color": colours.ink, "size": 12}, hoverinfo="skip",
                text=[f"<b>{row['n']:,}</b>" + (f" ({percent(row['n'] / whole)})" if whole >= FEW else "") for row in ways],
                cliponaxis=False,
            )
        )  # fmt: skip
    else:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", text="No episode has ended yet", showarrow=False,
            font={"color": colours.muted, "size": 13},
        )  # fmt: skip
    names = [lines(words[row["ending"]], WIDE, 2) for row in ways]
    height = ROW * max(len(ways), 1) + TOP + BOTTOM if whole else EMPTY
    widest = max((len(line) for one in names for line in one), default=0)
    figure.update_layout(
        template=template(colours), height=height, margin={"l": 18 + CHARACTER * widest, "r": 16, "t": TOP, "b": BOTTOM}
    )
    figure.update_yaxes(
        tickvals=places, ticktext=["<br>".join(one) for one in names], showgrid=False, range=[0.4, max(len(ways), 1) + 0.6],
        visible=bool(whole), ticklabelstandoff=6,
    )  # fmt: skip
    figure.update_xaxes(
        range=[0, most * ROOM], title={"text": "Episodes", "standoff": 6}, visible=bool(whole),
        **({"dtick": 1} if most <= 4 else {"nticks": 5}),
    )  # fmt: skip
    agreed = sum(row["n"] for row in ways if row["ending"] in ("planned", "mutual"))
    headline = (
        f"{counted(agreed, whole)} {'episode' if whole == 1 else 'episodes'} ended as planned or by agreement"
        if whole
        else "No episode has ended yet"
    )
    told = "; ".join(f"{words[row['ending']]}: {row['n']:,}" for row in ways if row["n"])
    return Panel(
        key="ending-types",
        headline=headline,
        subtitle=f"How ended episodes ended · {whose} · n = {plural(whole, 'episode')} · {coverage} · as of {day(as_of)}",
        figure=figure,
        alt=f"Ways of ending of {plural(whole, 'episode')}{f', {whose}: {told}' if told else ''}. {headline}.",
        reading="Each bar counts episodes by how their ending was recorded. The blue tick, where there is one, is how many it "
        "would be with the share of all colleagues together. Colleagues differ in whom they are sent and in how carefully "
        "endings are coded; “silent” episodes were never closed.",
        numbers=Numbers(
            ("Ending", "Episodes", "All colleagues together"),
            [
                [
                    words[row["ending"]], counted(row["n"], whole) if whole else str(row["n"]),
                    percent(row["practice_share"]) if grouped else NIL,
                ]
                for row in ways
            ],
        ),
        height=height,
        on_paper=height if whole else None,
    )  # fmt: skip
