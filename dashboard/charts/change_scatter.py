"""First against latest score of ended episodes, with the band of measurement error and the cut-off (Jacobson & Truax 1991)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import plotly.graph_objects as go

from dashboard.charts.figure_text import EMPTY, Rows, day, name, plural, records
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import Palette, palette, template
from dashboard.instruments.instrument import Instrument

HEIGHT, ON_PAPER = 480, 420
POINT, LARGEST = 7.5, 24.0  # pixels across: one episode, and the most that a place may take
MARKS = {  # change -> words, symbol, its sign in a line of text, tone
    "recovered": ("recovered", "triangle-up", "▲", "blue"),
    "reliable_improvement": ("reliable improvement", "triangle-up-open", "△", "blue"),
    "no_reliable_change": ("no reliable change", "circle", "●", "ink"),
    "reliable_worsening": ("reliable worsening", "triangle-down", "▼", "orange"),
}
# the key stands above the figure in two lines of two, so that it fits a phone: place in the line, line
KEY = {"recovered": (0, 1), "reliable_improvement": (1, 1), "no_reliable_change": (0, 0), "reliable_worsening": (1, 0)}


def change_scatter(
    ended: Rows,
    instrument: Instrument,
    title: str,
    *,
    whose: str,
    coverage: str,
    as_of: date,
    theme: str,
    cloud: Sequence[tuple[float, float, int]] = (),
) -> Panel:
    """``ended``: baseline, latest, change_category of measured ended episodes on this questionnaire. Both axes are its range.

    ``title``: the questionnaire as a reader knows it. ``cloud``: (baseline, latest, episodes) of the practice in counts, already
    as coarse as the viewer may see it; drawn in grey behind a clinician's own.
    """
    colours = palette(theme)
    known = [
        row
        for row in records(ended)
        if row["change_category"] in MARKS and row["latest"] is not None and row["baseline"] is not None
    ]
    low, high = float(instrument.minimum or 0.0), float(instrument.maximum or 0.0)
    counted = Counter(row["change_category"] for row in known)
    figure = go.Figure()
    if known:
        _lines(figure, instrument, low, high, colours)
        _cloud(figure, cloud, colours)
        _marks(figure, known, colours)
        _key(figure, counted, colours)
    else:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", text="No ended episode with two scores yet", showarrow=False,
            font={"color": colours.muted, "size": 13},
        )  # fmt: skip
    room = 0.03 * (high - low)
    axis = {
        "range": [low - room, high + room],
        "nticks": 6,
        "visible": bool(known),
        "showgrid": False,
        "constrain": "domain",
    }
    figure.update_layout(
        template=template(colours), height=HEIGHT if known else EMPTY,
        margin={"l": 58, "r": 92, "t": 48 if known else 12, "b": 52},
    )  # fmt: skip
    better = f"{instrument.better} is better"
    figure.update_xaxes(
        title={"text": f"First {name(title)} ({better})", "standoff": 6}, constraintoward="left", **axis
    )
    # a square: the same change is the same length in both directions
    figure.update_yaxes(
        title={"text": f"Latest {name(title)}<br>({better})"}, scaleanchor="x", constraintoward="top", **axis
    )
    told = ", ".join(f"{counted[key]} {words}" for key, (words, *_) in MARKS.items() if counted[key])
    improved = counted["recovered"] + counted["reliable_improvement"]
    n = len(known)
    behind = sum(count for _, _, count in cloud)
    headline = (
        f"{improved} of {plural(n, 'ended episode')} with reliable improvement, {counted['reliable_worsening']} with reliable "
        "worsening"
        if n
        else "No ended episode with two scores yet"
    )
    return Panel(
        key=f"change-{instrument.key}",
        headline=headline,
        subtitle=f"First and latest {title} of ended episodes, {better} · {whose} · n = {n:,} · {coverage} · as of {day(as_of)}"
        + (f" · grey squares: the practice in counts, n = {behind:,}" if behind and n else ""),
        figure=figure,
        alt=f"Scatter of first against latest {title} score of {plural(n, 'ended episode')}, {whose}. {headline}."
        + (f" {told[0].upper()}{told[1:]}." if told else ""),
        reading="Each mark is an ended episode; a mark of twice the area is two with the same two scores. On the solid line "
        "first and latest score are equal. Within the grey band the change can be measurement error. The dotted lines are the "
        f"clinical cut-off. {'Below' if instrument.better == 'lower' else 'Above'} the band is reliable improvement. High first "
        "scores come down by themselves to some degree (regression to the mean), and episodes without a second score are not "
        "here.",
        numbers=_numbers(known, counted),
        height=HEIGHT if known else EMPTY,
        on_paper=ON_PAPER if known else None,
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
            x=high, y=high - error / 2, xanchor="left", xshift=8, showarrow=False, align="left",
            text=f"changes under<br>{round(error, 1):g} points can<br>be chance", font={"color": colours.muted, "size": 12},
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=[low, high], y=[low, high], mode="lines", line={"color": colours.muted, "width": 1}, hoverinfo="skip"
        )
    )
    if instrument.cutoff is not None:
        room = 0.03 * (high - low)
        across, at = [low - room, high + room], [instrument.cutoff] * 2
        for xs, ys in ((across, at), (at, across)):
            figure.add_trace(
                go.Scatter(
                    x=xs, y=ys, mode="lines", line={"color": colours.muted, "width": 1.2, "dash": "dot"}, hoverinfo="skip"
                )
            )  # fmt: skip
        figure.add_annotation(
            x=high, y=instrument.cutoff, xanchor="left", xshift=14, showarrow=False,
            text=f"cut-off {instrument.cutoff:g}", font={"color": colours.muted, "size": 12},
        )  # fmt: skip


def _cloud(figure: go.Figure, cloud: Sequence[tuple[float, float, int]], colours: Palette) -> None:
    if not cloud:
        return
    most = max(count for _, _, count in cloud)
    figure.add_trace(
        go.Scatter(
            x=[x for x, _, _ in cloud], y=[y for _, y, _ in cloud], mode="markers", cliponaxis=False,
            marker={
                "symbol": "square", "size": [6 + 12 * (count / most) ** 0.5 for _, _, count in cloud], "color": colours.rule,
                "line": {"width": 0}, "opacity": 1.0,
            },
            text=[f"practice: {count} near here" for _, _, count in cloud], hovertemplate="%{text}<extra></extra>",
        )
    )  # fmt: skip


def _marks(figure: go.Figure, known: Sequence[Mapping[str, Any]], colours: Palette) -> None:
    """Largest first, so that none hides another; the area counts episodes, a triangle is a little larger to look the same."""
    for key, (words, symbol, _, tone) in MARKS.items():
        places = Counter((row["baseline"], row["latest"]) for row in known if row["change_category"] == key)
        if not places:
            continue
        ordered = sorted(places.items(), key=lambda one: (-one[1], one[0]))
        one = POINT if symbol == "circle" else POINT + 2.5
        hollow = symbol.endswith("open")
        figure.add_trace(
            go.Scatter(
                x=[x for (x, _), _ in ordered], y=[y for (_, y), _ in ordered], mode="markers",
                marker={
                    "symbol": symbol, "size": [min(LARGEST, one * count**0.5) for _, count in ordered],
                    "color": getattr(colours, tone), "opacity": 1.0,
                    "line": {"width": 1.6 if hollow else 1, "color": getattr(colours, tone) if hollow else colours.page},
                },
                text=[f"{words}, {plural(count, 'episode')}" for _, count in ordered],
                hovertemplate="%{x} to %{y}: %{text}<extra></extra>", cliponaxis=False,
            )
        )  # fmt: skip


def _key(figure: go.Figure, counted: Mapping[str, int], colours: Palette) -> None:
    """What each shape is and how many there are, above the figure."""
    for key, (words, _, sign, tone) in MARKS.items():
        place, line = KEY[key]
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", xshift=-44 + 132 * place, y=1, yref="paper", yanchor="bottom",
            yshift=8 + 17 * line, text=f"{sign} {counted.get(key, 0):,} {words}", showarrow=False, align="left",
            font={"color": {"blue": colours.blue, "orange": colours.orange_text}.get(tone, colours.ink), "size": 12},
        )  # fmt: skip


def _numbers(known: Sequence[Mapping[str, Any]], counted: Mapping[str, int]) -> Numbers:
    """Every change, and of each how first and latest score stood on average."""
    rows = []
    for key, (words, *_) in MARKS.items():
        these = [row for row in known if row["change_category"] == key]
        means = [
            f"{sum(row[side] for row in these) / len(these):.1f}" if these else "–" for side in ("baseline", "latest")
        ]
        rows.append([words, f"{counted.get(key, 0):,}", *means])
    return Numbers(("Change", "Episodes", "Mean first score", "Mean latest score"), rows)
