"""The funnel: case-mix adjusted rates against numbers of episodes, within the limits of chance and ordinary differences.

For those who see the whole practice. Dots carry no names: only somebody beyond the 99.8 % limits about whom enough is known is
labelled, and with two or more of them the first question is one about data or case mix (science 6.5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl

from dashboard.analytics.funnel import TAIL95, TAIL998, arcsine_limits
from dashboard.charts.figure_text import EMPTY, NIL, Rows, day, lines, name, plural, records
from dashboard.charts.measures import (
    AVERAGE,
    HIGHER,
    LIMITS,
    PROVISIONAL,
    SCALES,
    Scale,
    at_once,
    has_figure,
    hopeful,
    in_order,
    known,
    standing_words,
    told,
)
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import Palette, palette, template

HEIGHT, ON_PAPER = 400, 340
Z = {"limit998": 3.09, "limit95": 1.96}  # science 6.5
TAILS = {"limit998": TAIL998, "limit95": TAIL95}
FEWEST = 10  # episodes from which an estimate is shown, and curves are drawn
TITLE = 24  # characters a line of the upright title
LATE = 0.55  # of the axis: a label from here on stands to the left of its mark


def adjusted(row: Mapping[str, Any], practice: Mapping[str, Any]) -> float:
    """The practice's rate plus what this clinician differs from the expectation of their own caseload."""
    expected = practice["rate"] if row["expected"] is None else float(row["expected"]) / int(row["n"])
    value = float(practice["rate"]) + float(row["rate"]) - float(expected)
    return min(1.0, max(0.0, value)) if SCALES[row["measure"]].is_share else value


def funnel(
    rows: Rows,
    practice: Mapping[str, Any] | None,
    measure: str,
    *,
    coverage: str,
    as_of: date,
    theme: str,
    curves: pl.DataFrame | None = None,
) -> Panel:
    """``rows``: the estimates that may be shown are drawn; ``practice``: its rate and tau. Null: nothing to draw yet.

    ``curves``: n, limit95_low … limit998_high on the scale of the rates. Without them the arcsine form with tau added stands in
    (FunnelPlotR; science 6.5). The verdicts are those of the estimates, each by the limits of that caseload.
    """
    colours, scale = palette(theme), SCALES[measure]
    ordered = [{**row, "measure": measure} for row in in_order(records(rows))]
    shown = known(ordered)
    figure = go.Figure()
    drawable = bool(shown) and practice is not None and practice["rate"] is not None
    if drawable and practice is not None:
        most = 1.08 * max(row["n"] for row in shown)
        lines_of = _curves(practice, scale, most, shown) if curves is None else curves.sort("n")
        _limits(figure, lines_of, scale, colours)
        _centre(figure, practice, scale, colours)
        reach = _reach(lines_of, shown, practice, scale)
        _dots(figure, shown, practice, most, reach, scale, colours)
        figure.update_yaxes(range=reach)
        figure.update_xaxes(range=[0, max(most, float(lines_of["n"][-1]))])
    else:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", text="No clinician has enough closed episodes yet", showarrow=False,
            font={"color": colours.muted, "size": 13},
        )  # fmt: skip
    figure.update_layout(
        template=template(colours), height=HEIGHT if drawable else EMPTY, margin={"l": 76, "r": 68, "t": 12, "b": 52}
    )
    title = "<br>".join(lines(f"{scale.name}, adjusted", TITLE))
    figure.update_xaxes(title={"text": "Closed episodes", "standoff": 8}, showgrid=False, visible=drawable, nticks=6)
    figure.update_yaxes(
        title={"text": title, "standoff": 8}, ticksuffix=" %" if scale.is_share else "", visible=drawable, nticks=7
    )
    headline = _headline(shown, drawable)
    n = sum(row["n"] for row in shown)
    few = any(row["n"] < PROVISIONAL for row in shown)
    return Panel(
        key=f"funnel-{measure}",
        headline=headline,
        subtitle=f"{scale.name}, {scale.better} · whole practice · n = {plural(n, 'episode')} of "
        f"{plural(len(shown), 'clinician')} with enough of them · {coverage} · as of {day(as_of)}"
        + (" · ○ under 30 episodes, provisional" if few and drawable else "")
        + at_once(shown),
        figure=figure,
        alt=f"Funnel plot of {scale.name.lower()} against number of episodes for {plural(len(shown), 'clinician')}. "
        f"{headline}." + "".join(f" {row['label']}: {standing_words(row)}." for row in shown if told(row)),
        reading="Each dot is a clinician; the further right, the more episodes. The dashed line is the practice. Between the "
        "inner curves lie 95 %, between the outer ones 99.8 % of clinicians who differ by chance and by the ordinary "
        "differences between clinicians; about 1 in 20 is outside the inner ones by chance alone. The rate is adjusted: the "
        "practice's rate plus the difference from what the clinician's own clients would lead one to expect, held within the "
        "scale. A name stands only beside somebody outside the outer curves with enough episodes to say so (orange diamond or "
        "blue square). Position within the curves says nothing about anyone.",
        numbers=_numbers(ordered, practice, scale),
        height=HEIGHT if drawable else EMPTY,
        on_paper=ON_PAPER if drawable else None,
    )


def _headline(shown: Sequence[Mapping[str, Any]], drawable: bool) -> str:
    if not drawable:
        return "No clinician has enough closed episodes yet for a funnel"
    if len(shown) == 1:
        return f"One clinician has enough closed episodes: {standing_words(shown[0])}"
    return f"{sum(standing_words(row) == AVERAGE for row in shown)} of {len(shown)} clinicians {AVERAGE}"


def _spread(shown: Sequence[Mapping[str, Any]]) -> float:
    """SD of one gain, from the clinicians' own intervals (t intervals; from ten episodes on about 2 standard errors)."""
    widths = [
        (row["high"] - row["low"]) / 2 / Z["limit95"] * np.sqrt(row["n"])
        for row in shown
        if row["high"] is not None and row["low"] is not None
    ]
    return float(np.median(widths)) if widths else 1.0


def _curves(practice: Mapping[str, Any], scale: Scale, most: float, shown: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Limits on a grid of n: arcsine for shares, normal for gains, tau added to chance."""
    first = min(FEWEST, min(row["n"] for row in shown))
    n = np.geomspace(first, max(most, first + 1), 80)
    centre, tau = float(practice["rate"]), float(practice["tau"] or 0.0)
    found: dict[str, Any] = {"n": n}
    for key, z in Z.items():
        if scale.is_share:
            on_scale = tau * np.sqrt(centre * (1 - centre)) / 2  # d asin(sqrt(p)) / d logit(p) = sqrt(p (1 - p)) / 2
            pairs = [arcsine_limits(one, centre, TAILS[key], on_scale**2) for one in n]
            found[f"{key}_low"], found[f"{key}_high"] = (list(side) for side in zip(*pairs, strict=True))
        else:
            half = z * np.sqrt(_spread(shown) ** 2 / n + tau**2)
            found[f"{key}_low"], found[f"{key}_high"] = centre - half, centre + half
    return pl.DataFrame(found)


def _limits(figure: go.Figure, curves: pl.DataFrame, scale: Scale, colours: Palette) -> None:
    unit = 100 if scale.is_share else 1
    for key, words, dash in (("limit998", "99.8 %", "dot"), ("limit95", "95 %", "solid")):
        for side in ("low", "high"):
            figure.add_trace(
                go.Scatter(
                    x=curves["n"].to_list(), y=(curves[f"{key}_{side}"] * unit).to_list(), mode="lines", hoverinfo="skip",
                    line={"color": colours.grey, "width": 1.2, "dash": dash},
                )
            )  # fmt: skip
        figure.add_annotation(
            x=float(curves["n"][-1]), y=float(curves[f"{key}_high"][-1]) * unit, text=words, showarrow=False, xanchor="left",
            xshift=4, font={"color": colours.muted, "size": 12},
        )  # fmt: skip


def _centre(figure: go.Figure, practice: Mapping[str, Any], scale: Scale, colours: Palette) -> None:
    level = scale.drawn(practice["rate"])
    figure.add_hline(y=level, line={"color": colours.muted, "width": 1, "dash": "dash"}, layer="below")
    figure.add_annotation(
        x=1, xref="paper", y=level, xanchor="left", xshift=4, showarrow=False, align="left",
        text=f"practice<br>{scale.words(practice['rate'])}", font={"color": colours.muted, "size": 12},
    )  # fmt: skip


def _reach(
    curves: pl.DataFrame, shown: Sequence[Mapping[str, Any]], practice: Mapping[str, Any], scale: Scale
) -> list[float]:
    """All dots and curves, with room for the half of a mark at an edge."""
    unit = 100 if scale.is_share else 1
    values = [unit * adjusted(row, practice) for row in shown]
    values += [unit * float(edge) for name in LIMITS for edge in curves[name].drop_nulls().to_list()]
    low, high = min(values), max(values)
    room = 0.05 * max(high - low, 0.1)
    return [-0.03 * high if scale.is_share else low - room, min(high + room, 104) if scale.is_share else high + room]


def _dots(
    figure: go.Figure, shown: Sequence[Mapping[str, Any]], practice: Mapping[str, Any], most: float,
    reach: Sequence[float], scale: Scale, colours: Palette,
) -> None:  # fmt: skip
    kinds = {
        "few": (colours.page, "circle", 8, colours.grey),
        "enough": (colours.ink, "circle", 9, colours.page),
        "hoped for": (colours.blue, "square", 11, colours.page),
        "worth discussing": (colours.orange, "diamond", 13, colours.page),
    }
    for kind, (colour, symbol, size, edge) in kinds.items():
        part = [row for row in shown if _kind(row, scale) == kind]
        if not part:
            continue
        figure.add_trace(
            go.Scatter(
                x=[row["n"] for row in part], y=[scale.drawn(adjusted(row, practice)) for row in part], mode="markers",
                marker={
                    "size": size, "symbol": symbol, "color": colour,
                    "line": {"color": edge, "width": 2 if kind == "few" else 1},
                },
                cliponaxis=False, hovertemplate="%{x} episodes<extra></extra>",
            )
        )  # fmt: skip
    for row in shown:
        if not told(row):
            continue
        late = row["n"] > LATE * most
        side = "higher" if standing_words(row) == HIGHER else "lower"
        y = scale.drawn(adjusted(row, practice)) or 0.0
        low, high = reach[0] + 0.1 * (reach[1] - reach[0]), reach[1] - 0.1 * (reach[1] - reach[0])
        figure.add_annotation(
            x=row["n"], y=y, yanchor="bottom" if y < low else "top" if y > high else "middle",
            xanchor="right" if late else "left", xshift=-10 if late else 10, showarrow=False,
            text=f"<b>{name(str(row['label']), 22)}</b><br>{side} than expected",
            align="right" if late else "left",
            font={"size": 12, "color": colours.blue if hopeful(row, scale) else colours.orange_text},
        )  # fmt: skip


def _kind(row: Mapping[str, Any], scale: Scale) -> str:
    if told(row):
        return "hoped for" if hopeful(row, scale) else "worth discussing"
    return "few" if row["n"] < PROVISIONAL else "enough"


def _numbers(ordered: Sequence[Mapping[str, Any]], practice: Mapping[str, Any] | None, scale: Scale) -> Numbers:
    rows = []
    for row in ordered:
        said = [NIL, NIL]
        if has_figure(row):
            adapted = NIL if practice is None or practice["rate"] is None else scale.words(adjusted(row, practice))
            said = [scale.observed(row), adapted]
        rows.append([str(row["label"]), str(row["n"]), *said, standing_words(row)])
    return Numbers(("Clinician, by name", "Episodes", "Observed", "Adjusted", "Reading"), rows)
