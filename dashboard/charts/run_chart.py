"""The practice over time by quarter: a run chart with limits, blue and orange only beside a shape and a word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import plotly.graph_objects as go
import polars as pl

from dashboard.charts.figure_text import EMPTY, FEW, NIL, counted, day, percent, plural, quarter
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import Palette, palette, template
from dashboard.harmless import for_figure

HEIGHT = 360
ENOUGH_POINTS = 13  # NHS England, Making data count: limits are provisional before
EACH_NAMED = 6  # quarters: with more of them only years stand under the axis, a phone has no room for each
CROWDED = 24  # quarters: smaller dots from here on
MOST_YEARS = 6
MOST_NAMED = 2  # runs with words in the figure, the newest; the numbers have all
REACH = 8  # quarters beside a mark that its words may run over
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
    enough = len(drawn) > 1
    figure = go.Figure()
    if enough:
        _limits(figure, rows, drawn, colours)
        _points(figure, rows, drawn, colours)
        _words(figure, drawn, colours)
        _time(figure, rows)
    else:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"color": colours.muted, "size": 13},
            text=f"Needs two quarters with {FEW} measured episodes<br>each; has {len(drawn)}",
        )  # fmt: skip
        figure.update_xaxes(visible=False)
    figure.update_layout(
        template=template(colours), height=HEIGHT if enough else EMPTY,
        margin={"l": 70, "r": 78, "t": 16, "b": 64 if len(rows) <= EACH_NAMED else 40},
    )  # fmt: skip
    figure.update_yaxes(
        range=[0, 104],
        dtick=25,
        ticksuffix=" %",
        title={"text": "Reliable improvement<br>(up is better)"},
        visible=enough,
    )
    provisional = bool(drawn) and bool(drawn[-1]["provisional"])
    headline = _headline(drawn)
    n = sum(row["n"] for row in rows)
    left_out = len(rows) - len(drawn)
    return Panel(
        key="run-chart",
        headline=headline,
        subtitle=f"Share of measured ended episodes with reliable improvement, by quarter of ending, more is better · {whose} · "
        f"n = {plural(n, 'episode')} · {coverage} · as of {day(as_of)}"
        + (f" · limits provisional: {len(drawn)} of {ENOUGH_POINTS} quarters" if provisional and enough else "")
        + (f" · {plural(left_out, 'quarter')} with fewer than {FEW} not drawn" if left_out and enough else ""),
        figure=figure,
        alt=f"Run chart of reliable improvement over {plural(len(drawn), 'quarter')}. {headline}."
        + (f" Latest {percent(drawn[-1]['share'])}, level {percent(drawn[-1]['centre'])}." if enough else ""),
        reading="Each dot is a quarter, the line in the middle their common level, the grey lines the limits within which a "
        "practice that does not change would move. A diamond marks what chance alone seldom brings: a point beyond the limits, "
        "or a run of seven or more on one side of the level, rising or falling; it says that something changed, not what. Two "
        f"neighbouring quarters compared say nothing. Under {ENOUGH_POINTS} quarters the limits are provisional and drawn "
        f"dashed; quarters with fewer than {FEW} measured episodes are not drawn and leave a gap.",
        numbers=Numbers(
            ("Quarter", "Measured", "Improved", "Level", "Limits", "Note"),
            [
                [
                    quarter(row["quarter_start"]), str(row["n"]), counted(row["part"], row["n"]) if row["n"] else NIL,
                    percent(row["centre"]), NIL if row["low"] is None else f"{percent(row['low'])} to {percent(row['high'])}",
                    f"fewer than {FEW} measured" if row["n"] < FEW else _special(row),
                ]
                for row in rows
            ],
        ),
        height=HEIGHT if enough else EMPTY,
    )  # fmt: skip


def _special(row: dict[str, Any]) -> str:
    return SPECIAL.get(row["special"], row["special"]) if row["special"] else ""


def _runs(drawn: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Marked quarters that follow one another on one side of the level, or that belong to one trend; newest last."""
    runs: list[list[dict[str, Any]]] = []
    before: dict[str, Any] | None = None
    for row in drawn:
        if row["special"]:
            joined = (
                before is not None
                and before["special"]
                and ((row["special"] == "trend") == (before["special"] == "trend"))
                and (row["special"] == "trend" or _above(row) == _above(before))
            )
            if joined:
                runs[-1].append(row)
            else:
                runs.append([row])
        before = row
    return runs


def _above(row: dict[str, Any]) -> bool:
    return bool(row["share"] >= row["centre"])


def _said(run: Sequence[dict[str, Any]]) -> str:
    """What a run of marked quarters is, in words."""
    first, last = run[0], run[-1]
    if any(row["special"] not in SPECIAL for row in run):
        return str(last["special"])
    if last["special"] == "trend":
        return f"{plural(len(run), 'quarter')} {'rising' if last['share'] >= first['share'] else 'falling'}"
    side = "above" if _above(last) else "below"
    if any(row["special"] == "shift" for row in run):
        return f"{plural(len(run), 'quarter')} {side} the level"
    return f"{side} the limits"


def _headline(drawn: Sequence[dict[str, Any]]) -> str:
    if len(drawn) < 2:
        return "Not enough measured quarters yet for a run chart"
    runs = _runs(drawn)
    if not runs:
        return f"No change over {len(drawn)} quarters that chance would not bring"
    run = runs[-1]
    when = quarter(run[-1]["quarter_start"])
    if len(run) > 1:
        when = f"{quarter(run[0]['quarter_start'])} to {when}"
    return f"{when}: {_said(run)}"


def _limits(
    figure: go.Figure, rows: Sequence[dict[str, Any]], drawn: Sequence[dict[str, Any]], colours: Palette
) -> None:
    days = [row["quarter_start"] for row in rows]
    dash = "dash" if drawn[-1]["provisional"] else "solid"
    for edge in ("low", "high"):
        figure.add_trace(
            go.Scatter(
                x=days, y=[None if row[edge] is None else 100 * row[edge] for row in rows], mode="lines", hoverinfo="skip",
                line={"color": colours.grey, "width": 1, "dash": dash, "shape": "hvh"}, connectgaps=False,
            )
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=days, y=[None if row["centre"] is None else 100 * row["centre"] for row in rows], mode="lines",
            line={"color": colours.muted, "width": 1.2}, hoverinfo="skip",
        )
    )  # fmt: skip
    last = drawn[-1]
    for key, words in (("high", "limit"), ("centre", "level"), ("low", "limit")):
        if last[key] is not None:
            figure.add_annotation(
                x=1, xref="paper", y=100 * last[key], xanchor="left", xshift=6, showarrow=False,
                text=f"{words} {percent(last[key])}", font={"color": colours.muted, "size": 12},
            )  # fmt: skip


def _points(
    figure: go.Figure, rows: Sequence[dict[str, Any]], drawn: Sequence[dict[str, Any]], colours: Palette
) -> None:
    """The line breaks where a quarter is left out; marks stand apart from it."""
    figure.add_trace(
        go.Scatter(
            x=[row["quarter_start"] for row in rows], y=[100 * row["share"] if row in drawn else None for row in rows],
            mode="lines", line={"color": colours.ink, "width": 1.5}, connectgaps=False, hoverinfo="skip",
        )
    )  # fmt: skip
    small = 5 if len(drawn) > CROWDED else 8
    for marked in (False, True):
        these = [row for row in drawn if bool(row["special"]) == marked]
        if not these:
            continue
        figure.add_trace(
            go.Scatter(
                x=[row["quarter_start"] for row in these], y=[100 * row["share"] for row in these], mode="markers",
                cliponaxis=False,
                marker={
                    "size": small + 4 if marked else small, "symbol": "diamond" if marked else "circle",
                    "color": [_colour(row, colours) for row in these], "line": {"color": colours.page, "width": 1},
                },
                text=[f"{quarter(row['quarter_start'])}: {counted(row['part'], row['n'])}" for row in these],
                hovertemplate="%{text}<extra></extra>",
            )
        )  # fmt: skip


def _colour(row: dict[str, Any], colours: Palette) -> str:
    if not row["special"]:
        return colours.ink
    return colours.blue if row["share"] >= row["centre"] else colours.orange


def _words(figure: go.Figure, drawn: Sequence[dict[str, Any]], colours: Palette) -> None:
    """The newest runs of marked quarters say what they are, clear of every dot around them and away from the level."""
    for run in _runs(drawn)[-MOST_NAMED:]:
        last, above = run[-1], _above(run[-1])
        place = drawn.index(last)
        early = place < len(drawn) / 2
        around = drawn[place : place + REACH] if early else drawn[max(0, place - REACH) : place + 1]
        shares = [row["share"] for row in [*around, *run]]
        figure.add_annotation(
            x=last["quarter_start"], y=100 * (max(shares) if above else min(shares)), xanchor="left" if early else "right",
            yanchor="bottom" if above else "top", yshift=9 if above else -9, text=for_figure(_said(run)), showarrow=False,
            font={"color": colours.blue if above else colours.orange_text, "size": 12}, bgcolor=colours.page,
        )  # fmt: skip


def _time(figure: go.Figure, rows: Sequence[dict[str, Any]]) -> None:
    """Each of few quarters with its number of episodes; of many only the years, at their first quarter."""
    days = [row["quarter_start"] for row in rows]
    if len(rows) <= EACH_NAMED:
        names = {
            row[
                "quarter_start"
            ]: f"Q{(row['quarter_start'].month + 2) // 3}<br>{row['quarter_start'].year}<br>n {row['n']}"
            for row in rows
        }
    else:
        years = list(range(days[0].year, days[-1].year + 1))
        step = -(-len(years) // MOST_YEARS)
        names = {date(year, 1, 1): str(year) for year in years[::-1][::step] if date(year, 1, 1) >= days[0]}
    room = timedelta(days=max(20, (days[-1] - days[0]).days // 40))
    figure.update_xaxes(
        range=[days[0] - room, days[-1] + room], tickvals=list(names), ticktext=list(names.values()), tickangle=0,
        showgrid=len(rows) > EACH_NAMED, type="date",
    )  # fmt: skip
