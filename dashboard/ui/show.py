"""Draws a View in the browser; decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from dashboard.charts.panel import Panel
from dashboard.charts.style import CONFIG
from dashboard.harmless import escape
from dashboard.ui.caseload_list import caseload_list
from dashboard.ui.markup import markup
from dashboard.ui.view import Block, Caseload, Figure, Fold, Slot, Split, Table, View

Draw = Callable[[], None]


def theme() -> str:
    """``dark`` or ``light``; light where the browser has not said so yet."""
    kind = getattr(st.context.theme, "type", None)
    return "dark" if kind == "dark" else "light"


def _html(text: str) -> None:
    st.html(f'<div class="sv">{text}</div>')


def _panel(panel: Panel) -> None:
    _html(f'<h2>{escape(panel.headline)}</h2><p class="quiet">{escape(panel.subtitle)}</p>')
    st.plotly_chart(panel.figure, theme=None, config=CONFIG, key=panel.key, alt=panel.alt, height=panel.height)
    numbers = Table(panel.headline, panel.numbers.columns, panel.numbers.rows)
    _html(
        f'<details><summary>How to read this</summary><p class="text">{escape(panel.reading)}</p></details>'
        + markup([Fold("Show the numbers", [numbers])])
    )


def _blocks(blocks: Sequence[Block], slots: Mapping[str, Draw]) -> None:
    waiting: list[Block] = []

    def flush() -> None:
        if waiting:
            _html(markup(waiting))
            waiting.clear()

    for block in blocks:
        match block:
            case Caseload():
                flush()
                caseload_list(block.rows, key=block.key)
            case Figure():
                flush()
                _panel(block.panel)
            case Split():
                flush()
                left, right = st.columns([2, 1], gap="large")
                with left:
                    _blocks(block.left, slots)
                with right:
                    _blocks(block.right, slots)
            case Slot():
                flush()
                if draw := slots.get(block.name):
                    draw()
            case _:
                waiting.append(block)
    flush()


def show(view: View, slots: Mapping[str, Draw] | None = None) -> None:
    """The page's first lines, then its parts; ``slots`` draws what can be acted on."""
    scope = f'<p class="scope">{escape(view.scope_line)}</p>' if view.scope_line else ""
    _html(f'{scope}<h1>{escape(view.title)}</h1><p class="question">{escape(view.question)}</p>')
    _blocks(view.blocks, slots or {})


def show_blocks(blocks: Sequence[Block]) -> None:
    """Parts alone, for what an action has to say."""
    _blocks(blocks, {})
