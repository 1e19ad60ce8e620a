"""Clinicians as intervals beside the practice's range, in alphabetical order: no rank, no grade, one measure at a time.

A row that may not be shown keeps its place with the reason in words; it holds no number, neither drawn nor in the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import plotly.graph_objects as go

from dashboard.charts.figure_text import NIL, day, in_sd, name, percent
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import Palette, palette, template

ROW, EDGE = 34, 92  # pixels per clinician, and for axis and labels
FEW = 30  # science 6.4: under so many episodes an interval is provisional and drawn in grey
ENOUGH = 0.70  # science 6.4: reliability from which a statement about one person is made
CLOSE = 1e-9


@dataclass(frozen=True)
class Scale:
    """How a measure is written: as percent, or in standard deviations. ``title`` of the axis, ``better`` in words."""

    name: str
    title: str
    better: str
    is_share: bool = True

    def words(self, value: float | None) -> str:
        """A value on this scale."""
        return percent(value) if self.is_share else in_sd(value)

    def drawn(self, value: float | None) -> float | None:
        """A value as the axis has it."""
        return None if value is None else 100 * value if self.is_share else value


SCALES = {
    "dropout": Scale(
        "Ended without a planned ending", "Ended without a planned ending, % of episodes", "fewer is better for clients"
    ),
    "reliable_improvement": Scale(
        "Reliable improvement", "Reliable improvement, % of measured episodes", "more is better for clients"
    ),
    "reliable_worsening": Scale(
        "Reliable worsening", "Reliable worsening, % of measured episodes", "fewer is better for clients"
    ),
    "outcome": Scale(
        "Gain on the questionnaire",
        "Mean gain, standard deviations of first scores",
        "more is better for clients",
        False,
    ),
}


def standing_words(row: Mapping[str, Any]) -> str:
    """What may be said of a row: most clinicians cannot be told from average, and few statements are ever made."""
    if not row["shown"]:
        return str(row["reason"])
    rate = row["rate"]
    if row["limit95_low"] - CLOSE <= rate <= row["limit95_high"] + CLOSE:
        return "cannot be told from average"
    if row["limit998_low"] - CLOSE <= rate <= row["limit998_high"] + CLOSE:
        return "outside the 95 % limits, as about 1 in 20 are by chance"
    if (row["reliability"] or 0.0) < ENOUGH:
        return "outside the 99.8 % limits; too few episodes to say more"
    side = "higher" if rate > row["limit998_high"] else "lower"
    return f"{side} than expected of this caseload, beyond chance"


def in_order(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """By name, whatever the database's collation; never by value."""
    return sorted(rows, key=lambda row: (str(row["label"]).casefold(), str(row["label"])))


def interval_plot(
    rows: Sequence[Mapping[str, Any]],
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
    ordered = in_order(rows)
    shown = [row for row in ordered if row["shown"]]
    height = ROW * max(len(ordered), 1) + EDGE
    figure = go.Figure()
    low, high = _axis(shown, practice, scale)
    if practice is not None and practice["range_low"] is not None and ordered:
        _range(figure, practice, scale, colours)
    places = {id(row): len(ordered) - at for at, row in enumerate(ordered)}
    _marks(figure, shown, places, scale, colours, with_shrunken)
    for row in ordered:
        if not row["shown"]:
            figure.add_annotation(
                x=low, y=places[id(row)], xanchor="left", xshift=4, showarrow=False, text=name(str(row["reason"]), 90),
                bgcolor=colours.page, borderpad=1, font={"color": colours.muted, "size": 12},
            )  # fmt: skip
    if not ordered:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", text="No clinician has an episode yet", showarrow=False,
            font={"color": colours.muted, "size": 13},
        )  # fmt: skip
    _axes(figure, ordered, places, scale, (low, high), colours)
    figure.update_layout(height=height, margin={"l": 16, "r": 16, "t": 34, "b": 48})
    headline = _headline(ordered, shown, scale)
    n = sum(row["n"] for row in ordered)
    return Panel(
        key=f"intervals-{measure}",
        headline=headline,
        subtitle=f"{scale.name}, {scale.better} · {whose} · n = {n} episodes · {coverage} · as of {day(as_of)} · "
        f"● observed with 95 % interval  | expected of this caseload{'  ◇ shrunken estimate' if with_shrunken else ''}",
        figure=figure,
        alt=f"{scale.name} with 95 % intervals for {len(shown)} of {len(ordered)} clinicians in alphabetical order. {headline}.",
        reading=_reading(practice, scale, with_shrunken),
        numbers=_numbers(ordered, scale, with_shrunken),
        height=height,
    )


def _axis(shown: Sequence[Mapping[str, Any]], practice: Mapping[str, Any] | None, scale: Scale) -> tuple[float, float]:
    values = [row[key] for row in shown for key in ("low", "high", "rate") if row[key] is not None]
    if practice is not None:
        values += [practice[key] for key in ("range_low", "range_high") if practice[key] is not None]
    if not scale.is_share:
        reach = [0.0, *values]
        low, high = min(reach), max(reach)
        room = 0.08 * max(high - low, 1.0)
        return low - room, high + room
    top = 100 * max([0.2, *values])
    return 0.0, 100.0 if top > 60 else min(100.0, 10 * (int(top / 10) + 1))


def _range(figure: go.Figure, practice: Mapping[str, Any], scale: Scale, colours: Palette) -> None:
    low, high = scale.drawn(practice["range_low"]), scale.drawn(practice["range_high"])
    figure.add_vrect(x0=low, x1=high, fillcolor=colours.neutral_band, line_width=0, layer="below")
    for edge in (low, high):
        figure.add_vline(x=edge, line={"color": colours.grey, "width": 1}, layer="below")
    figure.add_vline(
        x=scale.drawn(practice["rate"]), line={"color": colours.muted, "width": 1, "dash": "dot"}, layer="below"
    )
    figure.add_annotation(
        x=((low or 0.0) + (high or 0.0)) / 2, y=1, yref="paper", yanchor="bottom", showarrow=False,
        text=f"8 in 10 clinicians ({scale.words(practice['range_low'])} to {scale.words(practice['range_high'])})",
        font={"color": colours.muted, "size": 12},
    )  # fmt: skip


def _marks(
    figure: go.Figure, shown: Sequence[Mapping[str, Any]], places: Mapping[int, int], scale: Scale, colours: Palette,
    with_shrunken: bool,
) -> None:  # fmt: skip
    for provisional, colour in ((False, colours.ink), (True, colours.grey)):
        part = [row for row in shown if (row["n"] < FEW) == provisional]
        if not part:
            continue
        ends: list[float | None] = []
        steps: list[float | None] = []
        for row in part:
            ends += [scale.drawn(row["low"]), scale.drawn(row["high"]), None]
            steps += [places[id(row)], places[id(row)], None]
        figure.add_trace(
            go.Scatter(x=ends, y=steps, mode="lines", line={"color": colour, "width": 2}, hoverinfo="skip")
        )
        figure.add_trace(
            go.Scatter(
                x=[scale.drawn(row["rate"]) for row in part], y=[places[id(row)] for row in part], mode="markers",
                marker={"size": 10, "color": colour, "line": {"color": colours.page, "width": 1}},
                text=[f"{scale.words(row['rate'])}, n {row['n']}" for row in part], hovertemplate="%{text}<extra></extra>",
            )
        )  # fmt: skip
    if shown:
        figure.add_trace(
            go.Scatter(
                x=[scale.drawn(row["expected"] / row["n"]) for row in shown], y=[places[id(row)] for row in shown],
                mode="markers", marker={"symbol": "line-ns-open", "size": 16, "color": colours.blue, "line": {"width": 2}},
                text=[f"expected of this caseload {scale.words(row['expected'] / row['n'])}" for row in shown],
                hovertemplate="%{text}<extra></extra>",
            )
        )  # fmt: skip
    if shown and with_shrunken:
        figure.add_trace(
            go.Scatter(
                x=[scale.drawn(row["shrunken"]) for row in shown], y=[places[id(row)] - 0.28 for row in shown],
                mode="markers", marker={"symbol": "diamond-open", "size": 8, "color": colours.muted},
                text=[f"shrunken estimate {scale.words(row['shrunken'])}" for row in shown],
                hovertemplate="%{text}<extra></extra>",
            )
        )  # fmt: skip


def _axes(
    figure: go.Figure, ordered: Sequence[Mapping[str, Any]], places: Mapping[int, int], scale: Scale,
    ends: tuple[float, float], colours: Palette,
) -> None:  # fmt: skip
    figure.update_layout(template=template(colours))
    figure.update_yaxes(
        tickvals=[places[id(row)] for row in ordered],
        ticktext=[
            f"{'<b>' if row['own'] else ''}{name(str(row['label']))}{'</b>' if row['own'] else ''} (n {row['n']})"
            for row in ordered
        ],
        range=[0.3, max(len(ordered), 1) + 0.7], showgrid=False, automargin=True, ticks="", visible=bool(ordered),
    )  # fmt: skip
    figure.update_xaxes(
        range=list(ends), nticks=6, tickangle=0, title={"text": scale.title, "standoff": 6}, showline=True,
        ticksuffix=" %" if scale.is_share else "", visible=bool(ordered),
    )  # fmt: skip


def _headline(ordered: Sequence[Mapping[str, Any]], shown: Sequence[Mapping[str, Any]], scale: Scale) -> str:
    if not ordered:
        return f"{scale.name}: no clinician has an episode yet"
    if not shown:
        return f"{scale.name}: not enough closed episodes yet to show a figure"
    average = sum(standing_words(row).startswith("cannot") for row in shown)
    if len(ordered) == 1:
        row = shown[0]
        said = standing_words(row)
        count = (
            f"{round(row['observed'])} of {row['n']} ({scale.words(row['rate'])})"
            if scale.is_share
            else scale.words(row["rate"])
        )
        return f"{scale.name}: {count}; {said}"
    return f"{scale.name}: {average} of {len(shown)} clinicians shown cannot be told from average"


def _reading(practice: Mapping[str, Any] | None, scale: Scale, with_shrunken: bool) -> str:
    adjusted = "" if practice is None else str(practice["adjusted_for"]).replace(";", ", ")
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
            "The grey band holds 8 in 10 clinicians of such a practice with an average caseload; how much clinicians differ is "
            f"{source}."
        )
    said.append(
        "Under 30 episodes a row is grey and provisional. “Cannot be told from average” means inside the limits that chance and "
        "ordinary differences between clinicians give together."
    )
    if with_shrunken:
        said.append("The open diamond is pulled towards the expectation by as much as few episodes can be believed.")
    said.append(
        "Differences between clinicians also reflect who is referred to them; more than nine tenths are not the clinician."
    )
    return " ".join(said)


def _numbers(ordered: Sequence[Mapping[str, Any]], scale: Scale, with_shrunken: bool) -> Numbers:
    columns = ["Clinician", "Episodes", "Observed", "95 % interval", "Expected", "95 % limits", "99.8 % limits"]
    columns += ["Shrunken", "Reliability"] if with_shrunken else []
    rows = []
    for row in ordered:
        cells = [str(row["label"]), str(row["n"])]
        if not row["shown"]:
            cells += [NIL] * (len(columns) - 2)
        else:
            cells += [
                f"{round(row['observed'])} of {row['n']} ({scale.words(row['rate'])})"
                if scale.is_share
                else scale.words(row["rate"]),
                _pair(row, "low", "high", scale),
                scale.words(row["expected"] / row["n"]),
                _pair(row, "limit95_low", "limit95_high", scale),
                _pair(row, "limit998_low", "limit998_high", scale),
            ]
            if with_shrunken:
                cells += [
                    f"{scale.words(row['shrunken'])} ({_pair(row, 'shrunken_low', 'shrunken_high', scale)})",
                    f"{row['reliability']:.2f}",
                ]
        rows.append([*cells, standing_words(row)])
    return Numbers((*columns, "Reading"), rows)


def _pair(row: Mapping[str, Any], low: str, high: str, scale: Scale) -> str:
    if row[low] is None or row[high] is None:
        return NIL
    return f"{scale.words(row[low])} to {scale.words(row[high])}"
