"""Change over the next four sessions, discussed and not discussed, beside what regression to the mean alone would bring."""

from __future__ import annotations

from datetime import date

import plotly.graph_objects as go

from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import palette, template
from dashboard.meetings.effect import AHEAD, Effect

HOW = {
    "drawn": "cases put on the agenda or left out by the draw between equal ones",
    "matched": "discussed cases and flagged ones that were not, alike in signal, session and score",
}
READING = (
    "Each mark is the mean change over the next four attended sessions in standard deviations of the questionnaire; to the right "
    "is better. Cases are flagged because their scores are unusual, and unusual scores move back by themselves: the dotted line "
    "is what that alone would bring the discussed cases. Only what lies beyond it, and beyond the cases that were not discussed, "
    "may have to do with talking about them. Supervision as such has not been shown to change outcomes (science: r = .21 over 12 "
    "studies, of process with outcome); this helps to talk about the right cases."
)


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def discussing(found: Effect, *, as_of: date, theme: str) -> Panel:
    """The figure of an effect with enough pairs; never per clinician."""
    colours = palette(theme)
    assert found.discussed is not None  # noqa: S101 - the caller shows it only with enough pairs
    assert found.others is not None  # noqa: S101
    assert found.difference is not None  # noqa: S101
    marks = [("Not discussed", found.others, colours.grey), ("Discussed", found.discussed, colours.ink)]
    figure = go.Figure()
    for name, value, colour in marks:
        figure.add_trace(
            go.Scatter(
                x=[value], y=[name], mode="markers+text", marker={"size": 11, "color": colour}, text=[_signed(value)],
                textposition="top center", name=name, hoverinfo="skip", cliponaxis=False,
            )
        )  # fmt: skip
    reach = max(0.3, *(abs(value) for _, value, _ in marks), abs(found.expected or 0.0)) * 1.4
    if found.expected is not None:
        figure.add_vline(x=found.expected, line={"color": colours.muted, "width": 1, "dash": "dot"})
        figure.add_annotation(
            x=found.expected, y=1, yref="paper", yanchor="bottom", showarrow=False, text="regression to the mean alone",
            font={"size": 12, "color": colours.muted},
        )  # fmt: skip
    figure.update_layout(template=template(colours), margin={"l": 110, "r": 24, "t": 28, "b": 48})
    figure.update_xaxes(range=[-reach, reach], title={"text": "Change in standard deviations, to the right is better"})
    interval = f"{_signed(found.low or 0.0)} to {_signed(found.high or 0.0)}"
    within = (found.low or 0.0) <= 0 <= (found.high or 0.0)
    headline = (
        "No difference can be told from chance between discussed and not discussed cases"
        if within
        else f"Discussed cases changed by {_signed(found.difference)} more than those not discussed"
    )
    return Panel(
        key="discussing",
        headline=headline,
        subtitle=f"{HOW[found.how]}, n = {found.pairs} pairs, next {AHEAD} sessions, as of {as_of.day} {as_of:%b %Y}",
        figure=figure,
        alt=f"Mean change: discussed {_signed(found.discussed)}, not discussed {_signed(found.others)}; difference {interval}.",
        reading=READING,
        numbers=Numbers(
            ("What", "Value"),
            [
                ["Discussed", _signed(found.discussed)],
                ["Not discussed", _signed(found.others)],
                ["Difference", f"{_signed(found.difference)} ({interval}, 95 %)"],
                ["Regression to the mean alone", "–" if found.expected is None else _signed(found.expected)],
                ["Pairs", str(found.pairs)],
            ],
        ),
        height=220,
    )
