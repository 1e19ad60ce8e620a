"""How much was measured, month by month: sessions with an outcome and with an alliance score."""

from __future__ import annotations

from datetime import date, timedelta

import plotly.graph_objects as go
import polars as pl

from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import palette, template
from dashboard.glossary import meaning

SMALL = 10  # design: no percentage under ten


def completeness_by_month(months: pl.DataFrame, *, whose: str, as_of: date, theme: str) -> Panel:
    """``months``: month, sessions, with_outcome, with_alliance (counts of attended sessions), oldest first.

    A month under ten sessions has no percentage: the line breaks there and the table gives the counts.
    """
    colours = palette(theme)
    figure = go.Figure()
    latest = []
    for column, name, colour, symbol in (
        ("with_outcome", "outcome score", colours.ink, "circle"),
        ("with_alliance", "alliance score", colours.blue, "square"),
    ):
        enough = pl.col("sessions") >= SMALL
        shares = months.select(pl.when(enough).then(pl.col(column) / pl.col("sessions") * 100).alias("share"))["share"]
        xs, ys = months["month"].to_list(), shares.to_list()
        figure.add_trace(
            go.Scatter(
                x=xs, y=ys, mode="lines+markers", name=name, line={"color": colour, "width": 2},
                marker={"size": 7, "symbol": symbol, "color": colour}, connectgaps=False,
                hovertemplate="%{x|%b %Y}: %{y:.0f} %<extra>" + name + "</extra>",
            )
        )  # fmt: skip
        known = [(x, y) for x, y in zip(xs, ys, strict=True) if y is not None]
        if known:
            latest.append((name, known[-1], colour))
    shift = 0
    if len(latest) == 2 and abs(latest[0][1][1] - latest[1][1][1]) < 9:
        shift = 11 if latest[0][1][1] >= latest[1][1][1] else -11
    for sign, (name, (month, value), colour) in zip((1, -1), latest, strict=False):
        figure.add_annotation(
            x=month, y=value, xanchor="left", xshift=10, yshift=sign * shift, showarrow=False,
            text=f"{name} <b>{value:.0f} %</b>", font={"color": colour, "size": 13},
        )  # fmt: skip
    figure.update_layout(template=template(colours), height=280, margin={"r": 150})
    figure.update_yaxes(range=[0, 104], ticksuffix=" %", title={"text": "Sessions with<br>a score"}, dtick=25)
    figure.update_xaxes(tickformat="%b<br>%Y", showgrid=False)
    if months.height:
        edge = timedelta(days=12)
        figure.update_xaxes(range=[months["month"][0] - edge, months["month"][-1] + edge])
    last = months.tail(1).to_dicts()
    words = "Nothing measured yet"
    if last:
        one = last[0]
        words = (
            f"{one['with_outcome']} of {one['sessions']} sessions in {one['month']:%B %Y} have an outcome score, "
            f"{one['with_alliance']} an alliance score"
        )
    total = int(months["sessions"].sum())
    return Panel(
        key="completeness",
        headline=words,
        subtitle=f"{whose} · attended sessions with a score · n = {total:,} sessions · as of {as_of.day} {as_of:%b %Y}",
        figure=figure,
        alt=f"Share of sessions with a score by month, {whose}. {words}.",
        reading="A session counts as measured when a score bears its day or one of the days since the session before. "
        f"Months with fewer than {SMALL} sessions show counts only. " + meaning("outcome measure", "alliance measure"),
        numbers=Numbers(
            ("Month", "Sessions", "With outcome score", "With alliance score"),
            [
                [f"{r['month']:%b %Y}", str(r["sessions"]), str(r["with_outcome"]), str(r["with_alliance"])]
                for r in months.to_dicts()
            ],
        ),
        height=280,
    )
