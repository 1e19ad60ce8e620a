"""Change of the alliance rating against change on the outcome questionnaire: own episodes, no line through them."""

from __future__ import annotations

from collections import Counter
from datetime import date

import plotly.graph_objects as go

from dashboard.analytics.quadrants import ABOUT_THE_SAME, QUADRANTS
from dashboard.charts.figure_text import EMPTY, Rows, day, name, plural, records, signed
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import palette, template

HEIGHT, ON_PAPER = 440, 380
EDGE = 3.0  # reliable changes: further points are drawn at the edge
ROOM = 1.25  # beyond it: the words of the corners, clear of every point
WORDS = {"down": "lower", "up": "higher"}
QUESTIONS = {(one.alliance, one.symptoms): one.question for one in QUADRANTS}
PLACES = {"down": -1, "up": 1, "worse": -1, "better": 1}


def change_quadrant(points: Rows, *, whose: str, coverage: str, as_of: date, theme: str) -> Panel:
    """``points``: client_code, alliance_change and outcome_change in reliable changes (better upwards), alliance, symptoms."""
    colours = palette(theme)
    known = sorted(
        (one for one in records(points) if one["alliance_change"] is not None and one["outcome_change"] is not None),
        key=lambda one: str(one["client_code"]),
    )
    counted = Counter((one["alliance"], one["symptoms"]) for one in known)
    figure = go.Figure()
    if known:
        band = {"fillcolor": colours.neutral_band, "line_width": 0, "layer": "below"}
        figure.add_vrect(x0=-1, x1=1, **band)
        figure.add_hrect(y0=-1, y1=1, **band)
        figure.add_trace(
            go.Scatter(
                x=[_held(one["alliance_change"]) for one in known], y=[_held(one["outcome_change"]) for one in known],
                mode="markers", marker={"size": 9, "color": colours.ink, "line": {"color": colours.page, "width": 1}},
                text=[name(str(one["client_code"])) for one in known], hovertemplate="%{text}<extra></extra>",
                cliponaxis=False,
            )
        )  # fmt: skip
        for one in QUADRANTS:
            x, y = PLACES[one.alliance], PLACES[one.symptoms]
            figure.add_annotation(
                x=x * (EDGE + 0.3), y=y * (EDGE + ROOM), showarrow=False, xanchor="right" if x > 0 else "left",
                yanchor="top" if y > 0 else "bottom", font={"color": colours.ink, "size": 12},
                align="right" if x > 0 else "left",
                text=f"alliance {WORDS[one.alliance]},<br>scores {one.symptoms}: <b>{counted[(one.alliance, one.symptoms)]}</b>",
            )  # fmt: skip
    else:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"color": colours.muted, "size": 13},
            text="No episode with two scores and two alliance ratings yet",
        )  # fmt: skip
    figure.update_layout(
        template=template(colours), height=HEIGHT if known else EMPTY, margin={"l": 64, "r": 16, "t": 12, "b": 66}
    )
    axis = {
        "showgrid": False,
        "visible": bool(known),
        "tickvals": [-3, -2, -1, 0, 1, 2, 3],
    }
    figure.update_xaxes(
        title={"text": "Alliance rating, in reliable changes<br>(right: rated higher)", "standoff": 6},
        range=[-EDGE - 0.4, EDGE + 0.4], **axis,
    )  # fmt: skip
    figure.update_yaxes(
        title={"text": "Scores, in reliable changes<br>(up: better)"}, range=[-EDGE - ROOM, EDGE + ROOM], **axis
    )
    n = len(known)
    apart = sum(counted[(one.alliance, one.symptoms)] for one in QUADRANTS)
    headline = (
        f"In {apart} of {plural(n, 'episode')} both the alliance rating and the scores changed beyond measurement error"
        if n
        else "No episode with two scores and two alliance ratings yet"
    )
    told = "; ".join(f"{q.title}: {counted[(q.alliance, q.symptoms)]}" for q in QUADRANTS)
    return Panel(
        key="change-quadrant",
        headline=headline,
        subtitle=f"Change of alliance rating and of outcome score, first to latest · {whose} · n = {plural(n, 'episode')} · "
        f"{coverage} · as of {day(as_of)}" + (" · grey: within measurement error" if n else ""),
        figure=figure,
        alt=f"Alliance change against outcome change for {plural(n, 'episode')}, {whose}. {headline}.{f' {told}.' if n else ''}",
        reading="Each dot is an episode. Within the grey cross one of the two changes can be measurement error, so that nothing "
        "is said. Early gain lifts ratings and ratings lift gain: neither is read as the other's cause, and no line is drawn. "
        "Dots further out than three reliable changes stand at the edge. A marked fall of the rating that stands counts as "
        "lower wherever its dot is. The question that goes with each corner is in the numbers.",
        numbers=Numbers(
            ("Episode", "Alliance rating, reliable changes", "Scores, reliable changes, up is better", "A question"),
            [
                [
                    str(one["client_code"]), signed(one["alliance_change"]), signed(one["outcome_change"]),
                    QUESTIONS.get((one["alliance"], one["symptoms"]), ABOUT_THE_SAME),
                ]
                for one in known
            ],
        ),
        height=HEIGHT if known else EMPTY,
        on_paper=ON_PAPER if known else None,
    )  # fmt: skip


def _held(value: float) -> float:
    return max(-EDGE, min(EDGE, value))
