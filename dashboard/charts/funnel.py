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

from dashboard.charts.figure_text import EMPTY, NIL, day, name
from dashboard.charts.interval_plot import ENOUGH, SCALES, Scale, in_order, standing_words
from dashboard.charts.panel import Numbers, Panel
from dashboard.charts.style import Palette, palette, template

HEIGHT = 400
Z95, Z998 = 1.96, 3.09  # science 6.5


def adjusted(row: Mapping[str, Any], practice: Mapping[str, Any]) -> float:
    """The practice's rate plus what this clinician differs from the expectation of their own caseload."""
    value = float(practice["rate"]) + float(row["rate"]) - float(row["expected"]) / int(row["n"])
    return min(1.0, max(0.0, value)) if SCALES[row["measure"]].is_share else value


def funnel(
    rows: Sequence[Mapping[str, Any]],
    practice: Mapping[str, Any] | None,
    measure: str,
    *,
    coverage: str,
    as_of: date,
    theme: str,
) -> Panel:
    """``rows``: the estimates that may be shown are drawn; ``practice``: its rate and tau. Null: nothing to draw yet.

    The curves are the arcsine form with tau added (FunnelPlotR; science 6.5); the verdicts are those of the estimates.
    """
    colours, scale = palette(theme), SCALES[measure]
    shown = [row for row in in_order(rows) if row["shown"]]
    figure = go.Figure()
    drawable = bool(shown) and practice is not None and practice["rate"] is not None
    if drawable and practice is not None:
        most = 1.12 * max(row["n"] for row in shown)
        _curves(figure, practice, scale, np.geomspace(8, most, 80), _spread(shown), colours)
        _dots(figure, shown, practice, scale, colours)
        figure.update_xaxes(range=[0, most])
    else:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", text="No clinician has enough closed episodes yet", showarrow=False,
            font={"color": colours.muted, "size": 13},
        )  # fmt: skip
    figure.update_layout(
        template=template(colours), height=HEIGHT if drawable else EMPTY, margin={"l": 64, "r": 76, "t": 12, "b": 48}
    )
    figure.update_xaxes(title={"text": "Episodes"}, showgrid=False, visible=drawable)
    figure.update_yaxes(
        title={"text": f"{scale.name},<br>adjusted"}, ticksuffix=" %" if scale.is_share else "", visible=drawable,
        **({"rangemode": "tozero"} if scale.is_share else {}),
    )  # fmt: skip
    average = sum(standing_words(row).startswith("cannot") for row in shown)
    beyond = [row for row in shown if "99.8" in standing_words(row) or "beyond chance" in standing_words(row)]
    headline = (
        f"{average} of {len(shown)} clinicians cannot be told from average"
        if drawable
        else "No clinician has enough closed episodes yet for a funnel"
    )
    together = (
        f" {len(beyond)} are beyond the 99.8 % limits at once: read this first as a question about data or case mix."
        if len(beyond) > 1
        else ""
    )
    n = sum(row["n"] for row in shown)
    return Panel(
        key=f"funnel-{measure}",
        headline=headline,
        subtitle=f"{scale.name}, {scale.better} · whole practice · n = {n} episodes of {len(shown)} clinicians with enough of "
        f"them · {coverage} · as of {day(as_of)}.{together}",
        figure=figure,
        alt=f"Funnel plot of {scale.name.lower()} against number of episodes for {len(shown)} clinicians. {headline}.{together}",
        reading="Each dot is a clinician; the further right, the more episodes. The dotted line is the practice. Between the "
        "inner curves lie 95 %, between the outer ones 99.8 % of clinicians who differ by chance and by the ordinary "
        "differences between clinicians. The rate is adjusted: the practice's rate plus the difference from what the "
        "clinician's own clients would lead one to expect, held within the scale. Position "
        "within the curves says nothing about anyone.",
        numbers=_numbers(shown, practice, scale),
        height=HEIGHT if drawable else EMPTY,
    )


def _spread(shown: Sequence[Mapping[str, Any]]) -> float:
    """SD of one gain, from the clinicians' own intervals (t intervals; from ten episodes on about 2 standard errors)."""
    widths = [(row["high"] - row["low"]) / 2 / Z95 * np.sqrt(row["n"]) for row in shown if row["high"] is not None]
    return float(np.median(widths)) if widths else 1.0


def _limits(practice: Mapping[str, Any], scale: Scale, n: Any, z: float, spread: float) -> tuple[Any, Any]:
    centre, tau = float(practice["rate"]), float(practice["tau"] or 0.0)
    if not scale.is_share:
        half = z * np.sqrt(spread**2 / n + tau**2)
        return centre - half, centre + half
    middle = np.arcsin(np.sqrt(min(max(centre, 1e-4), 1 - 1e-4)))
    on_scale = tau * np.sqrt(centre * (1 - centre)) / 2  # d asin(sqrt(p)) / d logit(p) = sqrt(p (1 - p)) / 2
    half = z * np.sqrt(1 / (4 * n) + on_scale**2)
    low, high = np.maximum(0, middle - half), np.minimum(np.pi / 2, middle + half)
    return 100 * np.sin(low) ** 2, 100 * np.sin(high) ** 2


def _curves(
    figure: go.Figure, practice: Mapping[str, Any], scale: Scale, n: Any, spread: float, colours: Palette
) -> None:
    for z, words, dash in ((Z998, "99.8 %", "dot"), (Z95, "95 %", "solid")):
        for edge in _limits(practice, scale, n, z, spread):
            figure.add_trace(
                go.Scatter(x=n, y=edge, mode="lines", line={"color": colours.grey, "width": 1.2, "dash": dash}, hoverinfo="skip")
            )  # fmt: skip
        figure.add_annotation(
            x=float(n[-1]), y=float(_limits(practice, scale, n, z, spread)[1][-1]), text=words,
            showarrow=False, xanchor="left", xshift=4,
            font={"color": colours.muted, "size": 12},
        )  # fmt: skip
    figure.add_hline(y=scale.drawn(practice["rate"]), line={"color": colours.muted, "width": 1, "dash": "dash"})
    figure.add_annotation(
        x=1, xref="paper", y=scale.drawn(practice["rate"]), xanchor="left", xshift=4, showarrow=False, align="left",
        text=f"practice<br>{scale.words(practice['rate'])}", font={"color": colours.muted, "size": 12},
    )  # fmt: skip


def _dots(
    figure: go.Figure, shown: Sequence[Mapping[str, Any]], practice: Mapping[str, Any], scale: Scale, colours: Palette
) -> None:
    def told(row: Mapping[str, Any]) -> bool:
        return "beyond chance" in standing_words(row) and (row["reliability"] or 0.0) >= ENOUGH

    for labelled in (False, True):
        part = [row for row in shown if told(row) == labelled]
        if not part:
            continue
        figure.add_trace(
            go.Scatter(
                x=[row["n"] for row in part], y=[scale.drawn(adjusted(row, practice)) for row in part],
                mode="markers+text" if labelled else "markers",
                marker={
                    "size": 12 if labelled else 9, "symbol": "diamond" if labelled else "circle",
                    "color": colours.orange if labelled else colours.ink, "line": {"color": colours.page, "width": 1},
                },
                text=[name(str(row["label"])) for row in part] if labelled else None, textposition="top center",
                textfont={"size": 12, "color": colours.ink}, cliponaxis=False,
                hovertemplate="%{x} episodes<extra></extra>",
            )
        )  # fmt: skip


def _numbers(shown: Sequence[Mapping[str, Any]], practice: Mapping[str, Any] | None, scale: Scale) -> Numbers:
    rows = []
    for row in shown:
        value = NIL if practice is None or practice["rate"] is None else scale.words(adjusted(row, practice))
        rows.append([str(row["label"]), str(row["n"]), scale.words(row["rate"]), value, standing_words(row)])
    return Numbers(("Clinician, by name", "Episodes", "Observed", "Adjusted", "Reading"), rows)
