"""Change of the alliance rating against change on the outcome questionnaire, one clinician's own episodes, no line through "
"them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import plotly.graph_objects as go

from dashboard.analytics.quadrants import QUADRANTS
from dashboard.charts.figure_text import EMPTY, day, name
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import palette, template

HEIGHT = 420
EDGE = 3.0  # reliable changes: further points are drawn at the edge
PLACES = {"down": -1, "up": 1, "worse": -1, "better": 1}


def change_quadrant(
    points: Sequence[Mapping[str, Any]], *, whose: str, coverage: str, as_of: date, theme: str
) -> Panel:
    """``points``: client_code, alliance_change and outcome_change in reliable changes (better upwards), alliance, symptoms."""
    colours = palette(theme)
    known = [one for one in points if one["alliance_change"] is not None and one["outcome_change"] is not None]
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
                x=x * (EDGE + 0.2), y=y * (EDGE + 0.25), showarrow=False, xanchor="right" if x > 0 else "left",
                yanchor="top" if y > 0 else "bottom", font={"color": colours.muted, "size": 12},
                text=f"alliance {one.alliance}, {one.symptoms}: {counted[(one.alliance, one.symptoms)]}",
            )  # fmt: skip
    else:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"color": colours.muted, "size": 13},
            text="No episode with two scores and two alliance ratings yet",
        )  # fmt: skip
    figure.update_layout(
        template=template(colours), height=HEIGHT if known else EMPTY, margin={"l": 64, "r": 24, "t": 12, "b": 48}
    )
    axis = {
        "range": [-EDGE - 0.3, EDGE + 0.3],
        "showgrid": False,
        "visible": bool(known),
        "tickvals": [-3, -2, -1, 0, 1, 2, 3],
    }
    figure.update_xaxes(title={"text": "Alliance rating, reliable changes (right: rated higher)"}, **axis)
    figure.update_yaxes(title={"text": "Outcome, reliable changes<br>(up: better)"}, **axis)
    n = len(known)
    apart = sum(counted[(one.alliance, one.symptoms)] for one in QUADRANTS)
    headline = (
        f"In {apart} of {n} episodes both the alliance rating and the scores changed beyond measurement error"
        if n
        else "No episode with two scores and two alliance ratings yet"
    )
    rows = [
        [f"Alliance {q.alliance}, scores {q.symptoms}", str(counted[(q.alliance, q.symptoms)]), q.question]
        for q in QUADRANTS
    ]
    rows.append(["One or both within measurement error", str(n - apart), ""])
    return Panel(
        key="change-quadrant",
        headline=headline,
        subtitle=f"Change of alliance rating and of outcome score, first to latest · {whose} · n = {n} · {coverage} · "
        f"as of {day(as_of)}",
        figure=figure,
        alt=f"Alliance change against outcome change for {n} episodes. {headline}.",
        reading="Each dot is an episode. Within the grey cross one of the two changes can be measurement error, so that nothing "
        "is said. Early gain lifts ratings and ratings lift gain: neither is read as the other's cause, and no line is drawn. "
        "Dots further out than three reliable changes stand at the edge. The questions for each corner are in the numbers.",
        numbers=Numbers(("Corner", "Episodes", "A question"), rows),
        height=HEIGHT if known else EMPTY,
    )


def _held(value: float) -> float:
    return max(-EDGE, min(EDGE, value))
