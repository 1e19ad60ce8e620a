"""Colours and templates of every figure: two hues and greys, light and dark (contrast computed in a test)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import plotly.graph_objects as go

FONT = '"Source Sans", "Source Sans 3", "Source Sans Pro", "Segoe UI", system-ui, sans-serif'
CONFIG: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False, "responsive": True, "doubleClick": False}


@dataclass(frozen=True)
class Palette:
    """One theme's tokens, as named in the design."""

    page: str
    surface: str
    ink: str
    muted: str
    rule: str
    blue: str
    orange: str
    orange_text: str
    orange_tint: str
    grey: str
    band: str
    neutral_band: str
    error: str


LIGHT = Palette(
    "#FFFFFF", "#F4F6F8", "#1B2733", "#52606D", "#D5DCE3", "#00508F", "#C24E00", "#9A3E00", "#FBE6D6", "#7A8694",
    "#DDE7F1", "#E9EDF1", "#A3123A",
)  # fmt: skip
DARK = Palette(
    "#12181F", "#1B232C", "#E8EDF2", "#AAB6C2", "#33404D", "#8CC8FF", "#F0883E", "#FFB27A", "#432B18", "#7F8C99",
    "#22374B", "#252F3A", "#FF9DB0",
)  # fmt: skip
PALETTES = {"light": LIGHT, "dark": DARK}


def palette(theme: str) -> Palette:
    """The palette of ``light`` or ``dark``."""
    return PALETTES[theme]


@cache
def template(colours: Palette) -> go.layout.Template:
    """Opaque background, horizontal text, no zero line, quiet grid. Made once per palette; a figure takes a copy."""
    axis = {
        "zeroline": False,
        "gridcolor": colours.rule,
        "linecolor": colours.rule,
        "tickfont": {"color": colours.muted, "size": 12},
        "title": {"font": {"color": colours.ink, "size": 12}},
        "fixedrange": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": colours.ink},
            "paper_bgcolor": colours.page,
            "plot_bgcolor": colours.page,
            "colorway": [colours.ink, colours.blue, colours.orange, colours.grey, colours.muted] * 2,
            "xaxis": axis,
            "yaxis": axis,
            "showlegend": False,
            "hoverlabel": {"bgcolor": colours.surface, "font": {"color": colours.ink}, "bordercolor": colours.rule},
            "margin": {"l": 64, "r": 96, "t": 8, "b": 44},
            "dragmode": False,
        }
    )
