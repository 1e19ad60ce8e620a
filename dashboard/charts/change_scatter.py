"""First against latest score of ended episodes, with the band of measurement error and the cut-off (Jacobson & Truax 1991)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import plotly.graph_objects as go

from dashboard.charts.figure_text import EMPTY, day, name
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import Palette, palette, template
from dashboard.instruments.instrument import Instrument

HEIGHT = 460
MARKS = {
    "recovered": ("recovered", "triangle-up", "blue"),
    "reliable_improvement": ("reliable improvement", "triangle-up-open", "blue"),
    "no_reliable_change": ("no reliable change", "circle", "grey"),
    "reliable_worsening": ("reliable worsening", "triangle-down", "orange"),
}


def change_scatter(
    ended: Sequence[Mapping[str, Any]],
    instrument: Instrument,
    title: str,
    *,
    whose: str,
    coverage: str,
    as_of: date,
    theme: str,
) -> Panel:
    """``ended``: baseline, latest, change_category of measured ended episodes on this questionnaire. Both axes are its range.

    ``title``: the questionnaire as a reader knows it.
    """
    colours = palette(theme)
    known = [row for row in ended if row["change_category"] in MARKS and row["latest"] is not None]
    low, high = float(instrument.minimum or 0.0), float(instrument.maximum or 0.0)
    figure = go.Figure()
    if known:
        _lines(figure, instrument, low, high, colours)
        _marks(figure, known, colours)
    else:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", text="No ended episode with two scores yet", showarrow=False,
            font={"color": colours.muted, "size": 13},
        )  # fmt: skip
    room = 0.03 * (high - low)
    axis = {"range": [low - room, high + room], "nticks": 7, "visible": bool(known), "showgrid": False}
    figure.update_layout(
        template=template(colours), height=HEIGHT if known else EMPTY, margin={"l": 64, "r": 110, "t": 12, "b": 52}
    )
    better = f"{instrument.better} is better"
    figure.update_xaxes(title={"text": f"First {name(title)} score ({better})", "standoff": 6}, **axis)
    figure.update_yaxes(title={"text": f"Latest score ({better})"}, **axis)
    counted = Counter(row["change_category"] for row in known)
    told = ", ".join(f"{counted[key]} {words}" for key, (words, _, _) in MARKS.items() if counted[key])
    improved = counted["recovered"] + counted["reliable_improvement"]
    n = len(known)
    headline = (
        f"{improved} of {n} ended episodes with reliable improvement, {counted['reliable_worsening']} with reliable worsening"
        if n
        else "No ended episode with two scores yet"
    )
    return Panel(
        key=f"change-{instrument.key}",
        headline=headline,
        subtitle=f"First and latest {title} of ended episodes · {whose} · n = {n} · {coverage} · as of {day(as_of)} · "
        "▲ recovered  △ reliable improvement  ● no reliable change  ▼ reliable worsening",
        figure=figure,
        alt=f"Scatter of first against latest {title} score of {n} ended episodes: {told or 'none'}.",
        reading="Each mark is an ended episode; larger marks are several with the same two scores. On the solid line first and "
        "latest score are equal. Within the grey band the change can be measurement error. The dotted lines are the clinical "
        "cut-off. High first scores come down by themselves to some degree (regression to the mean), and episodes without a "
        "second score are not here.",
        numbers=Numbers(("Change", "Episodes"), [[words, str(counted[key])] for key, (words, _, _) in MARKS.items()]),
        height=HEIGHT if known else EMPTY,
    )


def _lines(figure: go.Figure, instrument: Instrument, low: float, high: float, colours: Palette) -> None:
    error = instrument.reliable_threshold
    if error:
        figure.add_trace(
            go.Scatter(
                x=[low, high - error, high, high, low + error, low], y=[low + error, high, high, high - error, low, low],
                mode="lines", fill="toself", fillcolor=colours.neutral_band, line={"color": colours.grey, "width": 1},
                hoverinfo="skip",
            )
        )  # fmt: skip
        figure.add_annotation(
            x=high, y=high - error, xanchor="left", xshift=8, showarrow=False, align="left",
            text=f"band: under<br>{round(error, 1):g} points", font={"color": colours.muted, "size": 12},
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=[low, high], y=[low, high], mode="lines", line={"color": colours.muted, "width": 1}, hoverinfo="skip"
        )
    )
    if instrument.cutoff is not None:
        line = {"color": colours.muted, "width": 1, "dash": "dot"}
        figure.add_hline(y=instrument.cutoff, line=line)
        figure.add_vline(x=instrument.cutoff, line=line)
        figure.add_annotation(
            x=1, xref="paper", y=instrument.cutoff, xanchor="left", xshift=6, showarrow=False,
            text=f"cut-off {instrument.cutoff:g}",            font={"color": colours.muted, "size": 12},
        )  # fmt: skip


def _marks(figure: go.Figure, known: Sequence[Mapping[str, Any]], colours: Palette) -> None:
    for key, (words, symbol, tone) in MARKS.items():
        places = Counter((row["baseline"], row["latest"]) for row in known if row["change_category"] == key)
        if not places:
            continue
        figure.add_trace(
            go.Scatter(
                x=[x for x, _ in places], y=[y for _, y in places], mode="markers",
                marker={
                    "symbol": symbol, "size": [8 + 3 * (count - 1) ** 0.5 for count in places.values()],
                    "color": getattr(colours, tone if tone != "grey" else "ink"),
                    "line": {"width": 1.5 if symbol.endswith("open") else 1,
                             "color": getattr(colours, tone) if symbol.endswith("open") else colours.page},
                    "opacity": 1.0,
                },
                text=[f"{words}, {count} episode{'' if count == 1 else 's'}" for count in places.values()],
                hovertemplate="%{x} to %{y}: %{text}<extra></extra>", cliponaxis=False,
            )
        )  # fmt: skip
