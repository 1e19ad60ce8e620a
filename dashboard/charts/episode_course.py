"""One episode on one time axis: outcome, alliance and attendance, each with its own direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.charts.figure_text import name as short
from dashboard.charts.gaps import breaks
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import Palette, palette, template
from dashboard.glossary import meaning
from dashboard.harmless import for_figure

HEIGHT = 520
DAYS_A_WEEK = 7
CROWDED = 0.1  # of the range: nearer than this, two labels would touch


@dataclass(frozen=True)
class Course:
    """One measure over time: (day, value) in order, the days of flagged points, range, cut-off, and which way is better.

    ``band``: the expected range as (day, low, high) from the first score on, empty where there is none; ``band_note`` says where
    it comes from.
    """

    name: str
    better: str
    low: float
    high: float
    cutoff: float | None
    points: Sequence[tuple[date, float]]
    flagged: frozenset[date]
    flag_words: str = ""
    band: Sequence[tuple[date, float, float]] = ()
    band_note: str = ""


@dataclass(frozen=True)
class Slot:
    """An appointment: its day, its mark (a attended, c cancelled, x did not attend, b booked) and its words."""

    day: date
    mark: str
    words: str


LATE = 0.6  # of the course
SYMBOLS = {"a": "square", "c": "square-open", "x": "x-thin-open"}


def _score(value: float) -> str:
    return f"{value:.0f}" if round(value, 1) == round(value) else f"{value:.1f}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _measure(
    figure: go.Figure, row: int, course: Course, origin: date, sessions: Sequence[date], colours: Palette
) -> None:
    xs: list[float | None] = []
    ys: list[float | None] = []
    for (day, value), gap in zip(course.points, breaks([d for d, _ in course.points], sessions), strict=True):
        if gap:
            xs.append(None)
            ys.append(None)
        xs.append((day - origin).days / DAYS_A_WEEK)
        ys.append(value)
    figure.add_trace(
        go.Scatter(
            x=xs,
            y=ys,
            mode="lines+markers",
            connectgaps=False,
            line={"color": colours.ink, "width": 2},
            marker={"size": 7, "color": colours.ink},
            hovertemplate="week %{x:.1f}: %{y}<extra></extra>",
        ),
        row=row,
        col=1,
    )
    marked = [(day, value) for day, value in course.points if day in course.flagged]
    if marked:
        figure.add_trace(
            go.Scatter(
                x=[(day - origin).days / DAYS_A_WEEK for day, _ in marked],
                y=[value for _, value in marked],
                mode="markers",
                marker={
                    "symbol": "diamond",
                    "size": 12,
                    "color": colours.orange,
                    "line": {"color": colours.page, "width": 1.5},
                },
                hovertemplate="flagged, week %{x:.1f}: %{y}<extra></extra>",
            ),
            row=row,
            col=1,
        )
        if course.flag_words:
            # words from a late point on would run over the edge: there they end at the point
            late = (marked[0][0] - origin).days > LATE * max((course.points[-1][0] - origin).days, 1)
            figure.add_annotation(
                x=(marked[0][0] - origin).days / DAYS_A_WEEK,
                y=marked[0][1],
                yshift=-18,
                xanchor="right" if late else "left",
                text=for_figure(course.flag_words),
                showarrow=False,
                font={"color": colours.orange_text, "size": 12},
                bgcolor=colours.page,
                row=row,
                col=1,
            )
    if course.points:
        day, value = course.points[-1]
        figure.add_annotation(
            x=(day - origin).days / DAYS_A_WEEK,
            y=value,
            xanchor="left",
            xshift=10,
            text=f"<b>{_score(value)}</b> latest",
            showarrow=False,
            bgcolor=colours.page,  # readable also where the cut-off line runs behind it
            font={"color": colours.ink, "size": 13},
            row=row,
            col=1,
        )
    figure.update_yaxes(
        range=[course.low - (course.high - course.low) * 0.04, course.high + (course.high - course.low) * 0.06],
        title={"text": f"{short(course.name)}<br>({course.better} is better)", "standoff": 8},
        nticks=6,
        row=row,
        col=1,
    )


def _band(figure: go.Figure, row: int, course: Course, origin: date, colours: Palette) -> None:
    """The expected range as a labelled tint, edged by the line that a score beyond which is worth discussing."""
    if len(course.band) < 2:
        return
    weeks = [(day - origin).days / DAYS_A_WEEK for day, _, _ in course.band]
    lows = [min(max(low, course.low), course.high) for _, low, _ in course.band]
    highs = [min(max(high, course.low), course.high) for _, _, high in course.band]
    figure.add_trace(
        go.Scatter(
            x=[*weeks, *reversed(weeks)], y=[*highs, *reversed(lows)], fill="toself", fillcolor=colours.band, mode="lines",
            line={"width": 0}, hoverinfo="skip",
        ),
        row=row, col=1,
    )  # fmt: skip
    edge = lows if course.better == "higher" else highs
    figure.add_trace(
        go.Scatter(
            x=weeks, y=edge, mode="lines", line={"color": colours.blue, "width": 1},
            hovertemplate="edge of the expected range, week %{x:.1f}: %{y:.1f}<extra></extra>",
        ),
        row=row, col=1,
    )  # fmt: skip
    figure.add_annotation(
        x=weeks[-1], y=edge[-1], xanchor="right", yanchor="top" if course.better == "higher" else "bottom",
        text="expected range", showarrow=False, font={"color": colours.blue, "size": 12}, row=row, col=1,
    )  # fmt: skip


def _cutoff(figure: go.Figure, row: int, course: Course, span: tuple[float, float], colours: Palette) -> None:
    if course.cutoff is None:
        return
    crowded = abs(course.points[-1][1] - course.cutoff) < (course.high - course.low) * CROWDED
    # a trace and no shape: shapes lie under the grid, which hides the line, or over the points
    figure.add_trace(
        go.Scatter(
            x=list(span), y=[course.cutoff, course.cutoff], mode="lines", hoverinfo="skip",
            line={"color": colours.muted, "width": 1.5, "dash": "dot"},
        ),
        row=row, col=1,
    )  # fmt: skip
    figure.add_annotation(
        x=span[1],
        y=course.cutoff,
        xanchor="left",
        xshift=6,
        yshift=-15 if crowded else 0,
        text=f"cut-off {_score(course.cutoff)}",
        showarrow=False,
        font={"color": colours.muted, "size": 12},
        row=row,
        col=1,
    )


def _strip(figure: go.Figure, row: int, slots: Sequence[Slot], origin: date, colours: Palette) -> None:
    shades = {"a": colours.grey, "c": colours.grey, "x": colours.ink}
    ahead = [slot for slot in slots if slot.mark == "b"]
    if ahead:
        figure.add_trace(
            go.Scatter(
                x=[(slot.day - origin).days / DAYS_A_WEEK for slot in ahead],
                y=[0] * len(ahead),
                mode="text",
                text=["✓"] * len(ahead),
                textfont={"color": colours.blue, "size": 15},
                hovertext=[f"{_day(slot.day)}: {slot.words}" for slot in ahead],
                hovertemplate="%{hovertext}<extra></extra>",
            ),
            row=row,
            col=1,
        )
    for mark, symbol in SYMBOLS.items():
        these = [slot for slot in slots if slot.mark == mark]
        if these:
            figure.add_trace(
                go.Scatter(
                    x=[(slot.day - origin).days / DAYS_A_WEEK for slot in these],
                    y=[0] * len(these),
                    mode="markers",
                    marker={
                        "symbol": symbol,
                        "size": 11,
                        "color": shades[mark],
                        "line": {"width": 2, "color": shades[mark]},
                    },
                    text=[f"{_day(slot.day)}: {slot.words}" for slot in these],
                    hovertemplate="%{text}<extra></extra>",
                ),
                row=row,
                col=1,
            )
    figure.update_yaxes(visible=False, range=[-1, 1], row=row, col=1)


def _sentence(course: Course | None, kind: str) -> str:
    if course is None or not course.points:
        return f"No {kind} score."
    first, last = course.points[0], course.points[-1]
    count = len(course.points)
    if count == 1:
        return f"{course.name}: one score, {_score(first[1])} on {_day(first[0])}."
    return (
        f"{course.name} ({course.better} is better): {count} scores, {_score(first[1])} on {_day(first[0])}, "
        f"{_score(last[1])} on {_day(last[0])}."
    )


def _numbers(outcome: Course | None, alliance: Course | None, slots: Sequence[Slot]) -> Numbers:
    days: dict[date, list[str]] = {}
    for column, course in ((0, outcome), (1, alliance)):
        for day, value in course.points if course else ():
            days.setdefault(day, ["–", "–", "–"])[column] = _score(value)
    for slot in slots:
        days.setdefault(slot.day, ["–", "–", "–"])[2] = slot.words
    names = (outcome.name if outcome else "Outcome", alliance.name if alliance else "Alliance")
    return Numbers(("Date", *names, "Appointment"), [[_day(day), *days[day]] for day in sorted(days)])


def episode_course(
    *,
    code: str,
    headline: str,
    outcome: Course | None,
    alliance: Course | None,
    slots: Sequence[Slot],
    origin: date,
    as_of: date,
    theme: str,
) -> Panel:
    """Three panels on weeks since ``origin`` (the first session, or the opening where none was attended).

    A measure without a score leaves its place out; a session without a rating is a gap in the line.
    """
    colours = palette(theme)
    measures = [course for course in (outcome, alliance) if course is not None and course.points]
    rows = len(measures) + 1
    figure = make_subplots(
        rows=rows,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.06,
        row_heights=[*(0.5 if course is outcome else 0.34 for course in measures), 0.12],
    )
    sessions = sorted(slot.day for slot in slots if slot.mark == "a")
    every = [slot.day for slot in slots] + [day for course in measures for day, _ in course.points] + [origin]
    start = min(0.0, *((day - origin).days / DAYS_A_WEEK for day in every))
    end = max(1.0, *((day - origin).days / DAYS_A_WEEK for day in every))
    room = (end - start) * 0.03
    span = (start - room, end + room)
    for row, course in enumerate(measures, start=1):
        if course is alliance and course.cutoff is not None:
            edge = course.low if course.better == "higher" else course.high
            figure.add_hrect(
                y0=edge, y1=course.cutoff, fillcolor=colours.neutral_band, line_width=0, layer="below", row=row, col=1,
                exclude_empty_subplots=False,
            )  # fmt: skip
        _band(figure, row, course, origin, colours)
        _cutoff(figure, row, course, span, colours)
        _measure(figure, row, course, origin, sessions, colours)
    _strip(figure, rows, slots, origin, colours)
    figure.update_layout(template=template(colours), height=HEIGHT if len(measures) == 2 else 120 + 220 * len(measures))
    step = next((one for one in (1, 2, 4, 8, 13, 26) if end - start <= one * 13), 52)
    figure.update_xaxes(range=list(span), showgrid=False, tick0=0, dtick=step)
    figure.update_xaxes(title={"text": "Weeks since the first session"}, row=rows, col=1)
    attended = len(sessions)
    missed = sum(slot.mark == "x" for slot in slots)
    alt = " ".join(
        [
            f"Episode {code}.",
            _sentence(outcome, "outcome"),
            _sentence(alliance, "alliance"),
            f"{attended} session{'' if attended == 1 else 's'} attended, {missed} not attended.",
        ]
    )
    names = " and ".join(f"{course.name} (n = {len(course.points)})" for course in measures) or "No score yet"
    return Panel(
        key=f"course-{code}",
        headline=headline,
        subtitle=f"Episode {code} · {names} · {attended} session{'' if attended == 1 else 's'} · as of {_day(as_of)}",
        figure=figure,
        alt=alt,
        reading=(
            "Time runs in weeks, so that pauses show. Outcome and alliance have axes of their own because they may run in "
            "opposite directions. Orange diamonds are the points that raised a signal; a gap in a line is a session without a "
            "rating. Filled square: attended; open square: cancelled; cross: did not attend; tick: booked. "
            + (
                "The tint is the expected range: 8 of 10 clients with the same first score lie in it at that session, about 1 in "
                f"10 typical clients would be beyond its edge; {outcome.band_note}. "
                if outcome is not None and outcome.band
                else ""
            )
            + meaning("clinical cut-off", "alliance reference", "possible rupture")
        ),
        numbers=_numbers(outcome, alliance, slots),
        height=figure.layout.height,
    )
