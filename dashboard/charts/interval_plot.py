"""Clinicians as intervals beside the practice's range, in alphabetical order: no rank, no grade, one measure at a time.

A row that may not be shown keeps its place with the reason in words; it holds no estimate, neither drawn nor in the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from html import unescape
from typing import Any

import plotly.graph_objects as go

from dashboard.charts.figure_text import Rows, day, name, plural, records
from dashboard.charts.interval_rows import MANY, ROW, Place, dense_places, places_of
from dashboard.charts.measures import (
    AVERAGE,
    ENOUGH,
    PROVISIONAL,
    SCALES,
    Scale,
    at_once,
    hopeful,
    in_order,
    known,
    standing_words,
    told,
)
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import Palette, palette, template

__all__ = ["ENOUGH", "SCALES", "Scale", "in_order", "interval_plot", "standing_words"]

TOP, BOTTOM = 46, 62  # pixels for the words above the band, and for the axis
NEAR = 0.5  # of the axis: further in, words beside a mark would run out of the figure
CHARACTER = 7  # pixels of a character in the widest font that may stand in for ours


def interval_plot(
    rows: Rows,
    practice: Mapping[str, Any] | None,
    measure: str,
    *,
    whose: str,
    coverage: str,
    as_of: date,
    theme: str,
    with_shrunken: bool = False,
) -> Panel:
    """``rows``: an estimate each, with ``label`` and ``own``. ``practice``: rate and range of the measure, null where unknown.

    ``with_shrunken`` adds the estimate pulled towards the expectation, for those who see the whole practice.
    """
    colours, scale = palette(theme), SCALES[measure]
    ordered = in_order(records(rows))
    shown = known(ordered)
    dense = len(ordered) > MANY
    places, total = dense_places(ordered) if dense else places_of(ordered)
    height = round(max(total, ROW)) + TOP + BOTTOM
    figure = go.Figure()
    ends = _axis(shown, practice, scale)
    if practice is not None and practice["range_low"] is not None and ordered:
        _range(figure, practice, scale, ends, colours)
    drawn = [place for place in places if any(place.row is row for row in shown)]
    _reasons(figure, [place for place in places if not place.row["shown"]], ends, colours)
    _marks(figure, drawn, scale, colours, with_shrunken, dense)
    _said(figure, drawn, scale, ends, colours, dense)
    if not ordered:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", text="No clinician has an episode yet", showarrow=False,
            font={"color": colours.muted, "size": 13},
        )  # fmt: skip
    _axes(figure, places, total, scale, ends)
    widest = max((len(unescape(line)) for place in places for line in place.label), default=0)
    figure.update_layout(
        template=template(colours),
        height=height,
        margin={"l": 14 + (CHARACTER - dense) * widest, "r": 16, "t": TOP, "b": BOTTOM},
    )
    headline = _headline(ordered, shown, scale)
    n = sum(row["n"] for row in ordered)
    exceptions = [f"{row['label']}: {standing_words(row)}" for row in shown if told(row)]
    hidden = sum(not row["shown"] for row in ordered)
    return Panel(
        key=f"intervals-{measure}",
        headline=headline,
        subtitle=f"{scale.name}, {scale.better} · {whose} · n = {plural(n, 'episode')} · {coverage} · as of {day(as_of)}"
        + (_key(shown, with_shrunken) if shown else "")
        + at_once(shown),
        figure=figure,
        alt=f"{scale.name} with 95 % intervals for {len(shown)} of {plural(len(ordered), 'clinician')} in alphabetical order. "
        + f"{headline}."
        + (f" {'; '.join(exceptions)}." if exceptions and len(ordered) > 1 else "")
        + (f" {plural(hidden, 'row')} in words instead of a mark." if hidden else ""),
        reading=_reading(practice, scale, with_shrunken),
        numbers=_numbers(ordered, scale, with_shrunken),
        height=height,
        on_paper=height,
    )


def _key(shown: Sequence[Mapping[str, Any]], with_shrunken: bool) -> str:
    few = " ○ under 30 episodes, provisional" if any(row["n"] < PROVISIONAL for row in shown) else ""
    return f" · ● observed, with 95 % interval{few} | expected of these clients{' ◇ shrunken' if with_shrunken else ''}"


def _axis(shown: Sequence[Mapping[str, Any]], practice: Mapping[str, Any] | None, scale: Scale) -> tuple[float, float]:
    values = [row[key] for row in shown for key in ("low", "high", "rate") if row[key] is not None]
    values += [row["expected"] / row["n"] for row in shown if row["expected"] is not None]
    if practice is not None:
        values += [practice[key] for key in ("range_low", "range_high") if practice[key] is not None]
    if not scale.is_share:
        reach = [0.0, *values]
        low, high = min(reach), max(reach)
        room = 0.06 * max(high - low, 1.0)
        return low - (room if low < 0 else 0), high + room
    top = 100 * max([0.2, *values])
    return 0.0, 100.0 if top > 70 else min(100.0, 10 * (int(top / 10) + 1))


def _range(
    figure: go.Figure, practice: Mapping[str, Any], scale: Scale, ends: tuple[float, float], colours: Palette
) -> None:
    low, high = scale.drawn(practice["range_low"]) or 0.0, scale.drawn(practice["range_high"]) or 0.0
    figure.add_vrect(x0=low, x1=high, fillcolor=colours.neutral_band, line_width=0, layer="below")
    for edge in (low, high):
        figure.add_vline(x=edge, line={"color": colours.grey, "width": 1}, layer="below")
    figure.add_vline(
        x=scale.drawn(practice["rate"]), line={"color": colours.muted, "width": 1, "dash": "dot"}, layer="below"
    )
    # to the right of the figure nothing is left to write on, to the left are the names' margins
    far = (low + high) / 2 > ends[0] + 0.7 * (ends[1] - ends[0])
    figure.add_annotation(
        x=high if far else (low + high) / 2, xanchor="right" if far else "center", y=1, yref="paper", yanchor="bottom",
        yshift=3, showarrow=False, align="right" if far else "center",
        text=f"8 in 10 clinicians:<br>{scale.between(practice['range_low'], practice['range_high'])}",
        font={"color": colours.muted, "size": 12},
    )  # fmt: skip


def _reasons(figure: go.Figure, places: Sequence[Place], ends: tuple[float, float], colours: Palette) -> None:
    """Words in place of a mark, on a ground of their own: grid and band would run through them."""
    for tall in sorted({place.tall for place in places}):
        these = [place for place in places if place.tall == tall]
        across: list[float | None] = []
        down: list[float | None] = []
        for place in these:
            across += [ends[0], ends[1], None]
            down += [place.middle, place.middle, None]
        figure.add_trace(
            go.Scatter(
                x=across, y=down, mode="lines", line={"color": colours.page, "width": tall}, hoverinfo="skip"
            )
        )  # fmt: skip
    if places:
        figure.add_trace(
            go.Scatter(
                x=[ends[0] + 0.01 * (ends[1] - ends[0])] * len(places), y=[place.middle for place in places], mode="text",
                text=["<br>".join(place.words) for place in places], textposition="middle right",
                textfont={"color": colours.muted, "size": 11 if places[0].tall < ROW else 12}, hoverinfo="skip",
                cliponaxis=False,
            )
        )  # fmt: skip


def _marks(
    figure: go.Figure, places: Sequence[Place], scale: Scale, colours: Palette, with_shrunken: bool, dense: bool
) -> None:  # fmt: skip
    up, down = (0.0, 0.0) if not with_shrunken else (3.0, 4.0) if dense else (4.0, 8.0)
    expected = [place for place in places if place.row["expected"] is not None]
    if expected:
        figure.add_trace(
            go.Scatter(
                x=[scale.drawn(place.row["expected"] / place.row["n"]) for place in expected],
                y=[place.middle - up for place in expected], mode="markers",
                marker={"symbol": "line-ns-open", "size": 10 if dense else 16, "color": colours.blue, "line": {"width": 2}},
                text=[f"expected of these clients {scale.words(place.row['expected'] / place.row['n'])}" for place in expected],
                hovertemplate="%{text}<extra></extra>",
            )
        )  # fmt: skip
    if with_shrunken and places:
        pulled = [place for place in places if place.row["shrunken"] is not None]
        _shrunken(figure, pulled, down, scale, colours, dense)
    for kind in ("few", "enough", "hoped for", "worth discussing"):
        part = [place for place in places if _kind(place.row, scale) == kind]
        if not part:
            continue
        colour, symbol, size = {
            "few": (colours.grey, "circle", 9),
            "enough": (colours.ink, "circle", 10),
            "hoped for": (colours.blue, "square", 11),
            "worth discussing": (colours.orange, "diamond", 13),
        }[kind]
        few, size = kind == "few", size - 3 if dense else size
        across, at = _segments(part, "low", "high", -up, scale)
        figure.add_trace(go.Scatter(x=across, y=at, mode="lines", line={"color": colour, "width": 2}, hoverinfo="skip"))
        figure.add_trace(
            go.Scatter(
                x=[scale.drawn(place.row["rate"]) for place in part], y=[place.middle - up for place in part], mode="markers",
                marker={
                    "size": size, "symbol": symbol, "color": colours.page if few else colour,
                    "line": {"color": colour if few else colours.page, "width": 2 if few else 1},
                }, cliponaxis=False,
                text=[f"{name(str(place.row['label']))}: {scale.observed(place.row)}" for place in part],
                hovertemplate="%{text}<extra></extra>",
            )
        )  # fmt: skip


def _kind(row: Mapping[str, Any], scale: Scale) -> str:
    if told(row):
        return "hoped for" if hopeful(row, scale) else "worth discussing"
    return "few" if row["n"] < PROVISIONAL else "enough"


def _segments(
    places: Sequence[Place], low: str, high: str, shift: float, scale: Scale
) -> tuple[list[float | None], list[float | None]]:
    across: list[float | None] = []
    down: list[float | None] = []
    for place in places:
        if place.row[low] is not None and place.row[high] is not None:
            across += [scale.drawn(place.row[low]), scale.drawn(place.row[high]), None]
            down += [place.middle + shift, place.middle + shift, None]
    return across, down


def _shrunken(
    figure: go.Figure, places: Sequence[Place], shift: float, scale: Scale, colours: Palette, dense: bool
) -> None:  # fmt: skip
    across, at = _segments(places, "shrunken_low", "shrunken_high", shift, scale)
    figure.add_trace(
        go.Scatter(x=across, y=at, mode="lines", line={"color": colours.muted, "width": 1}, hoverinfo="skip")
    )
    figure.add_trace(
        go.Scatter(
            x=[scale.drawn(place.row["shrunken"]) for place in places], y=[place.middle + shift for place in places],
            mode="markers",
            marker={
                "symbol": "diamond", "size": 6 if dense else 8, "color": colours.page,
                "line": {"color": colours.muted, "width": 1.2},
            },
            text=[f"shrunken estimate {scale.words(place.row['shrunken'])}" for place in places],
            hovertemplate="%{text}<extra></extra>",
        )
    )  # fmt: skip


def _said(
    figure: go.Figure, places: Sequence[Place], scale: Scale, ends: tuple[float, float], colours: Palette, dense: bool
) -> None:  # fmt: skip
    """What is said of a row beyond "average": under its mark, or beside it where rows are dense, on the side that has room."""
    for place in places:
        if not place.words:
            continue
        rate = scale.drawn(place.row["rate"]) or 0.0
        late = rate > (ends[0] + ends[1]) / 2
        colour = colours.muted
        if told(place.row):
            colour = colours.blue if hopeful(place.row, scale) else colours.orange_text
        if dense:
            x, shift = _beside(place.row, late, scale, ends)
            y, anchor = place.middle, "middle"
        else:
            x, y, shift, anchor = ends[1] if late else ends[0], place.middle + 9, 0, "top"
        right = late if not dense else shift <= 0
        figure.add_annotation(
            x=x, xanchor="right" if right else "left", xshift=shift, y=y, yanchor=anchor,
            text="<br>".join(place.words), align="right" if late else "left", showarrow=False,
            font={"color": colour, "size": 11 if dense else 12}, bgcolor=None if dense else colours.page,
        )  # fmt: skip


def _beside(row: Mapping[str, Any], late: bool, scale: Scale, ends: tuple[float, float]) -> tuple[float, int]:
    """Where words beside a mark begin (shift above 0) or end: at the mark where there is room, else at the other edge."""
    span = ends[1] - ends[0]
    values = [scale.drawn(row[key]) for key in ("low", "high", "rate", "shrunken_low", "shrunken_high")]
    known_ones = [value for value in values if value is not None]
    if late:
        first = min(known_ones)
        return (first, -6) if first > ends[1] - NEAR * span else (ends[0], 6)
    last = max(known_ones)
    return (last, 6) if last < ends[0] + NEAR * span else (ends[1], -6)


def _axes(
    figure: go.Figure, places: Sequence[Place], total: float, scale: Scale, ends: tuple[float, float]
) -> None:  # fmt: skip
    texts = ["<br>".join(f"<b>{line}</b>" if place.row["own"] else line for line in place.label) for place in places]
    figure.update_yaxes(
        tickvals=[place.middle for place in places], ticktext=texts, range=[max(total, ROW), 0], showgrid=False, ticks="",
        ticklabelstandoff=6,         visible=bool(places), tickfont={"size": 11 if len(places) > MANY else 12},
    )  # fmt: skip
    figure.update_xaxes(
        range=list(ends), nticks=6, title={"text": scale.axis, "standoff": 6}, showline=True, visible=bool(places)
    )


def _headline(ordered: Sequence[Mapping[str, Any]], shown: Sequence[Mapping[str, Any]], scale: Scale) -> str:
    if not ordered:
        return f"{scale.name}: no clinician has an episode yet"
    if not shown:
        return f"{scale.name}: not enough closed episodes yet to show a figure"
    if len(ordered) == 1:
        return f"{scale.name}: {scale.observed(shown[0])}; {standing_words(shown[0])}"
    average = sum(standing_words(row) == AVERAGE for row in shown)
    of = f"{average} of {len(shown)} clinicians" if len(shown) == len(ordered) else f"{average} of {len(shown)} shown"
    return f"{scale.name}: {of} {AVERAGE}"


def _reading(practice: Mapping[str, Any] | None, scale: Scale, with_shrunken: bool) -> str:
    adjusted = "" if practice is None else str(practice["adjusted_for"] or "").replace(";", ", ")
    said = [
        "Each row is a clinician, in alphabetical order on purpose: the dot is what was observed, the line its 95 % interval, "
        "the blue tick what these clients would lead one to expect from an ordinary clinician of this practice.",
        f"Adjusted for what was known at intake: {adjusted}."
        if adjusted
        else "Not adjusted: too little is recorded at intake.",
    ]
    if practice is not None and practice["range_low"] is not None:
        source = "learned here" if practice["tau_source"] == "learned here" else "taken from published studies"
        said.append(
            "The grey band holds 8 in 10 clinicians of such a practice with an average caseload, the dotted line is the practice "
            f"({scale.words(practice['rate'])}); how much clinicians differ is {source}."
        )
    said.append(
        "Under 30 episodes a row is grey and hollow: provisional. “Cannot be told from average” means inside the limits that "
        "chance and ordinary differences between clinicians give together. Outside the 95 % limits about 1 in 20 are by chance "
        "alone; only outside the 99.8 % limits, and with enough episodes, is more said of one person (orange diamond or blue "
        "square, and words), and also that is a question before it is an answer."
    )
    if with_shrunken:
        said.append("The open diamond is pulled towards the expectation by as much as few episodes can be believed.")
    said.append(
        "Differences between clinicians also reflect who is referred to them; more than nine tenths of the differences between "
        "episodes are not the clinician (Johns 2019)."
    )
    return " ".join(said)


def _numbers(ordered: Sequence[Mapping[str, Any]], scale: Scale, with_shrunken: bool) -> Numbers:
    columns = [
        "Clinician, by name",
        "Episodes",
        "Observed",
        "95 % interval",
        "Expected",
        "95 % limits",
        "99.8 % limits",
    ]
    columns += ["Shrunken", "Reliability"] if with_shrunken else []
    rows = []
    for row in ordered:
        cells = [str(row["label"]), str(row["n"])]
        if not row["shown"] or row["rate"] is None:
            cells += ["–"] * (len(columns) - 2)
        else:
            cells += [
                scale.observed(row),
                scale.between(row["low"], row["high"]),
                scale.words(None if row["expected"] is None else row["expected"] / row["n"]),
                scale.between(row["limit95_low"], row["limit95_high"]),
                scale.between(row["limit998_low"], row["limit998_high"]),
            ]
            if with_shrunken:
                cells += [
                    f"{scale.words(row['shrunken'])} ({scale.between(row['shrunken_low'], row['shrunken_high'])})",
                    "–" if row["reliability"] is None else f"{row['reliability']:.2f}",
                ]
        rows.append([*cells, standing_words(row)])
    return Numbers((*columns, "Reading"), rows)
