"""When episodes end, session by session: the share that left early and the share that ended as agreed, with their bands."""

from __future__ import annotations

from datetime import date
from typing import Any

import plotly.graph_objects as go
import polars as pl

from dashboard.analytics.ending_rules import AS_AGREED, LEFT, OTHERWISE
from dashboard.analytics.retention import FEWEST_AT_RISK, Course
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import Palette, palette, template
from dashboard.glossary import meaning

HEADLINE_SESSION = 12  # the share is said for this session, or the last one drawn before it
HEIGHT = 360
NEAR_THE_TOP = 85  # percent: a label of three lines centred above would be cut off
NEAR = 24  # of 100: nearer than this, two labels would touch
NIL = "–"


def _percent(share: float | None) -> str:
    return NIL if share is None else f"{round(100 * share)} %"


def _with_limits(row: dict[str, Any], name: str) -> str:
    share, low, high = (row[f"{edge}_{name}"] for edge in ("share", "low", "high"))
    if share is None:
        return NIL
    return _percent(share) if low is None else f"{_percent(share)} ({round(100 * low)} to {round(100 * high)} %)"


def _steps(table: pl.DataFrame, column: str) -> tuple[list[int], list[float]]:
    """From nothing before the first session; a curve holds its level until the next session, the last one too."""
    levels = [100 * (value or 0.0) for value in table[column].to_list()]
    return [0, *table["session"].to_list(), table["session"][-1] + 1], [0.0, *levels, levels[-1]]


def _curve(figure: go.Figure, table: pl.DataFrame, name: str, words: str, colour: str, tint: str) -> None:
    step = {"color": colour, "width": 1, "shape": "hv", "dash": "dot"}
    for edge, fill in (("low", None), ("high", "tonexty")):
        xs, ys = _steps(table, f"{edge}_{name}")
        figure.add_trace(
            go.Scatter(x=xs, y=ys, mode="lines", line=step, fill=fill, fillcolor=tint, hoverinfo="skip")
        )  # fmt: skip
    xs, ys = _steps(table, f"share_{name}")
    figure.add_trace(
        go.Scatter(
            x=xs, y=ys, mode="lines", name=words, line={"color": colour, "width": 2.5, "shape": "hv"},
            hovertemplate="by session %{x}: %{y:.0f} %<extra>" + words + "</extra>",
        )
    )  # fmt: skip


def _labels(figure: go.Figure, table: pl.DataFrame, short: str, colours: Palette) -> None:
    end = table.row(-1, named=True)
    ends = [
        (100 * (end[f"share_{name}"] or 0.0), words, colour)
        for name, words, colour in ((LEFT, short, colours.ink), (AS_AGREED, "ended<br>as agreed", colours.blue))
    ]
    lower, upper = sorted(ends, key=lambda one: one[0])
    apart = upper[0] - lower[0] >= NEAR
    for (value, words, colour), anchor in ((upper, "bottom"), (lower, "top")):
        beside = "top" if value > NEAR_THE_TOP else "middle" if apart else anchor
        figure.add_annotation(
            x=end["session"] + 1, y=value, xanchor="left", xshift=8, yanchor=beside, align="left",
            text=f"{words}<br><b>{value:.0f} %</b>", showarrow=False, font={"color": colour, "size": 12},
        )  # fmt: skip
    name = LEFT if upper[1] == short else AS_AGREED
    figure.add_annotation(
        x=end["session"] + 1, y=100 * (end[f"high_{name}"] or 0.0), xanchor="right", yanchor="bottom", xshift=-4,
        text="tint: 95 % interval", showarrow=False, font={"color": colours.muted, "size": 12},
    )  # fmt: skip


def _numbers(course: Course, phrase: str) -> Numbers:
    drawn = course.drawn.height
    rows = []
    for at, row in enumerate(course.table.to_dicts()):
        counts = [row[name] for name in ("session", "had", "not_known_yet", "at_risk", LEFT, AS_AGREED, OTHERWISE)]
        shares = [_with_limits(row, name) if at < drawn else NIL for name in (LEFT, AS_AGREED)]
        rows.append([*map(str, counts), *shares])
    return Numbers(
        (
            "Session", "Had it", "Open, nothing known after it", "At risk", f"Ended {phrase}", "Ended as agreed",
            "Ended otherwise", f"Share ended {phrase} by then", "Share ended as agreed by then",
        ),
        rows,
    )  # fmt: skip


def _headline(course: Course, drawn: pl.DataFrame, phrase: str, enough: int) -> str:
    if course.episodes == 0:
        return "No session yet, so no episode could end"
    if course.ended < enough or drawn.is_empty():
        return f"Not enough ended episodes yet for a curve ({course.ended} of {enough})"
    last = drawn.filter(pl.col("session") <= HEADLINE_SESSION).row(-1, named=True)
    left, agreed = (_percent(last[f"share_{name}"]) for name in (LEFT, AS_AGREED))
    return f"By session {last['session']}, {left} had ended {phrase} and {agreed} as agreed"


def cumulative_incidence_panel(
    course: Course, *, phrase: str, short: str, definition: str, whose: str, coverage: str, as_of: date, theme: str,
    enough: int,
) -> Panel:  # fmt: skip
    """``phrase`` finishes "had ended ..." by the definition used, ``short`` is its label on the curve; ``definition`` names it.

    ``enough``: known endings from which on a curve is drawn; under it, and without any, the figure says so in its place.
    """
    colours = palette(theme)
    figure = go.Figure()
    drawn = course.drawn
    headline = _headline(course, drawn, phrase, enough)
    shown = course.ended >= enough and not drawn.is_empty()
    if shown:
        _curve(figure, drawn, LEFT, f"ended {phrase}", colours.ink, colours.neutral_band)
        _curve(figure, drawn, AS_AGREED, "ended as agreed", colours.blue, colours.band)
        # the lines above every band
        figure.data = tuple(sorted(figure.data, key=lambda trace: trace.name is not None))
        _labels(figure, drawn, short, colours)
    else:
        figure.add_annotation(  # between two lines of the grid, not across one
            x=0.5, y=0.61, xref="paper", yref="paper", text=headline.replace(" for a curve", "<br>for a curve"),
            showarrow=False, font={"color": colours.muted, "size": 13},
        )  # fmt: skip
    last = drawn["session"][-1] if shown else HEADLINE_SESSION
    figure.update_layout(template=template(colours), height=HEIGHT, margin={"l": 56, "r": 92 if shown else 24, "t": 12})
    figure.update_yaxes(range=[0, 102], ticksuffix=" %", dtick=25, title={"text": "Share of episodes<br>ended by then"})
    figure.update_xaxes(
        range=[0, last + 1], title={"text": "Sessions attended"}, showgrid=False, rangemode="nonnegative",
        **({"dtick": 1} if last <= 8 else {"dtick": 2} if last <= 16 else {"nticks": 8}),
    )  # fmt: skip
    cut = (
        f" The curve stops after session {last}: fewer than {FEWEST_AT_RISK} remain at risk then."
        if shown and drawn.height < course.table.height
        else ""
    )
    said = ""
    if shown:
        end = drawn.row(-1, named=True)
        said = (
            f" By session {end['session']}: {_with_limits(end, LEFT)} ended {phrase}, {_with_limits(end, AS_AGREED)} ended as "
            f"agreed, {_percent(end[f'share_{OTHERWISE}'])} ended otherwise."
        )
    return Panel(
        key="cumulative_incidence",
        headline=headline,
        subtitle=f"{whose} · n = {course.episodes:,} episodes with a session, {course.ended:,} endings known · {coverage} · "
        f"definition: {definition} · as of {as_of.day} {as_of:%b %Y}",
        figure=figure,
        alt=f"Stepped curves of how many episodes had ended by each session, {whose}. {headline}.{said}",
        reading="Each step says what share of all episodes that began had ended in that way after so many attended sessions. "
        "Both ways compete: who ended as agreed can no longer leave early, so the curves add up to the share that has ended "
        "(a few more ended otherwise: transferred, moved, or not by this definition). An open episode counts up to the session "
        "before its latest one; what follows is not known yet. Closed episodes that the definition "
        "cannot judge are left out. The tints are 95 % intervals of each curve at each session. "
        f"A curve stops where fewer than {FEWEST_AT_RISK} remain at risk.{cut} Endings also reflect who is referred, what was "
        "planned and how endings are recorded. " + meaning("retention", "ending", "dropout", "session"),
        numbers=_numbers(course, phrase),
        height=HEIGHT,
    )  # fmt: skip
