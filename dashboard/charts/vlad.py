"""Endings one by one against what was expected: the running difference, and the evidence that something has changed."""

from __future__ import annotations

from datetime import date
from typing import Any

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from dashboard.charts.figure_text import EMPTY, FEW, day, plural, signed
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import Palette, palette, template

HEIGHT, ON_PAPER = 420, 380
MOST_ROWS = 200  # of the table: the newest


def vlad(
    followed: pl.DataFrame,
    *,
    threshold: float | None,
    years: float | None,
    whose: str,
    coverage: str,
    as_of: date,
    theme: str,
) -> Panel:
    """``followed``: ended_on, number, vlad, cusum, signal, in order of ending. ``years``: between two false signals."""
    colours = palette(theme)
    n = followed.height
    signals = followed.filter(pl.col("signal"))
    enough = n >= FEW and threshold is not None
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.09, row_heights=[0.6, 0.4])
    if enough:
        x = followed["number"].to_list()
        figure.add_trace(
            go.Scatter(
                x=[0, *x], y=[0.0, *followed["vlad"].to_list()], mode="lines", line={"color": colours.ink, "width": 2},
                hovertemplate="after %{x} endings: %{y:.1f}<extra></extra>",
            ), row=1, col=1,
        )  # fmt: skip
        _level(figure, 0.0, "as<br>expected", "dot", 1, n, colours)
        figure.add_trace(
            go.Scatter(
                x=[0, *x], y=[0.0, *followed["cusum"].to_list()], mode="lines", line={"color": colours.ink, "width": 1.5},
                hoverinfo="skip",
            ), row=2, col=1,
        )  # fmt: skip
        _level(figure, threshold or 0.0, f"signal<br>above {threshold:.1f}", "dash", 2, n, colours)
        if signals.height:
            figure.add_trace(
                go.Scatter(
                    x=signals["number"].to_list(), y=signals["cusum"].to_list(), mode="markers", cliponaxis=False,
                    marker={
                        "symbol": "diamond", "size": 12, "color": colours.orange, "line": {"color": colours.page, "width": 1},
                    },
                    hovertemplate="signal after %{x} endings<extra></extra>",
                ), row=2, col=1,
            )  # fmt: skip
            _last_signal(figure, signals.row(-1, named=True), n, colours)
        reached = [value for value in followed["cusum"].to_list() if value is not None]
        top = 1.45 * max([threshold or 0.0, *reached])
        figure.update_yaxes(range=[0, top], row=2, col=1)
    else:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"color": colours.muted, "size": 13},
            text=f"Needs {FEW} known endings; has {n}",
        )  # fmt: skip
    figure.update_layout(
        template=template(colours), height=HEIGHT if enough else EMPTY, margin={"l": 80, "r": 78, "t": 12, "b": 52}
    )
    figure.update_yaxes(title={"text": "Up: fewer than<br>expected, better"}, visible=enough, row=1, col=1, nticks=6)
    figure.update_yaxes(title={"text": "Evidence of<br>change"}, visible=enough, row=2, col=1, nticks=4)
    figure.update_xaxes(visible=False, row=1, col=1)
    figure.update_xaxes(
        title={"text": "Known endings, in order", "standoff": 8}, visible=enough, showgrid=False, row=2, col=1
    )
    figure.update_xaxes(range=[0, max(n, 1)])
    headline = (
        "Not enough known endings yet to follow"
        if not enough
        else f"The count passed its limit {signals.height} times, last on {day(signals['ended_on'][-1])}"
        if signals.height > 1
        else f"The count passed its limit once, on {day(signals['ended_on'][0])}"
        if signals.height
        else "No sign that more end without agreement than expected"
    )
    last = followed.tail(MOST_ROWS)
    return Panel(
        key="vlad",
        headline=headline,
        subtitle=f"Endings without a planned ending, observed against expected, one by one · {whose} · "
        f"n = {plural(n, 'known ending')} · {coverage} · as of {day(as_of)}"
        + (f" · without any change a signal comes about every {years:.0f} years" if enough and years else ""),
        figure=figure,
        alt=f"Running difference between expected and observed endings without agreement over {plural(n, 'ending')}. {headline}."
        + (f" After the last one it stands at {signed(followed['vlad'][-1])}; up is better." if enough else ""),
        reading="Above: each ending moves the line up where the client stayed to an agreed end though leaving was possible, and "
        "down where they left; up is better (VLAD). The line ends near nought by design, because what is expected is learned "
        "from the same years: look at stretches, not at its end. Below: evidence that the odds of leaving have doubled "
        "(risk-adjusted CUSUM, Steiner 2000); above the dashed line is a signal, and it starts again. A signal is a question "
        "first about data and case mix, then about what else changed at that time.",
        numbers=Numbers(
            ("Ended on", "Number", "Running difference", "Evidence", "Signal"),
            [
                [
                    day(row["ended_on"]), str(row["number"]), signed(row["vlad"]), f"{row['cusum']:.2f}",
                    "yes" if row["signal"] else "",
                ]
                for row in last.to_dicts()
            ] if enough else [],
        ),
        height=HEIGHT if enough else EMPTY,
        on_paper=ON_PAPER if enough else None,
    )  # fmt: skip


def _level(
    figure: go.Figure, value: float, words: str, dash: str, row: int, n: int, colours: Palette
) -> None:  # fmt: skip
    """A level across a panel, named at its right end. A trace: a line drawn as a shape lies under the grid."""
    figure.add_trace(
        go.Scatter(
            x=[0, n], y=[value, value], mode="lines", hoverinfo="skip",
            line={"color": colours.muted, "width": 1.2, "dash": dash},
        ), row=row, col=1,
    )  # fmt: skip
    figure.add_annotation(
        x=n, y=value, xanchor="left", xshift=8, text=words, align="left", showarrow=False, row=row, col=1,
        font={"color": colours.muted, "size": 12},
    )  # fmt: skip


def _last_signal(figure: go.Figure, signal: dict[str, Any], n: int, colours: Palette) -> None:
    early = signal["number"] < n / 2
    figure.add_annotation(
        x=signal["number"], y=signal["cusum"], xanchor="left" if early else "right", yanchor="bottom", yshift=8,
        text=f"signal, {day(signal['ended_on'])}", showarrow=False, row=2, col=1,
        font={"color": colours.orange_text, "size": 12},
    )  # fmt: skip
