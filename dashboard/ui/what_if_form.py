"""Trying another number for a rule: what would change today, and, for an administrator, saving it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from dashboard.errors import SupervisionError
from dashboard.harmless import for_markdown
from dashboard.ui.say import done, refused
from dashboard.ui.show import show_blocks
from dashboard.ui.view import Block

Try = Callable[[str, float], list[Block]]
Save = Callable[[str, float], str]


def what_if_form(numbers: Mapping[str, tuple[str, float, float, float]], attempt: Try, save: Save | None) -> None:
    """``numbers``: name to (words, value in force, least, most). ``attempt`` says what would change; ``save`` may be absent."""
    with st.expander("What if a number were another?"):
        name = st.selectbox("Number", list(numbers), format_func=lambda one: numbers[one][0], key="what_if_name")
        if name is None:
            return
        words, value, least, most = numbers[name]
        step = 1.0 if float(value).is_integer() and least >= 1 and float(least).is_integer() else 0.1
        other = st.number_input(
            for_markdown(f"{words}: now {value:g}"), min_value=float(least), max_value=float(most), value=float(value), step=step,
            key=f"what_if_{name}",
        )  # fmt: skip
        looked = st.button("Show what would change")
        saved = st.button("Save it for this practice") if save is not None else False
        try:
            if saved and save is not None:
                done(save(name, float(other)))
            elif looked:
                show_blocks(attempt(name, float(other)))
        except SupervisionError as error:
            refused(error)
