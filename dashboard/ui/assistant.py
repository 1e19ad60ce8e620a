"""The import assistant: six calm steps from another system's files to loaded data, nothing stored before the last."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.harmless import escape
from dashboard.saved_mappings import Shelf
from dashboard.ui.assistant_check import check_step
from dashboard.ui.assistant_columns import columns_step
from dashboard.ui.assistant_files import files_step
from dashboard.ui.assistant_save import save_step
from dashboard.ui.assistant_state import Work, forget, work_of
from dashboard.ui.assistant_tables import tables_step
from dashboard.ui.assistant_words import words_step
from dashboard.ui.show import show_blocks
from dashboard.ui.view import Notice

STEPS = {
    "files": ("Files", "Which files, and what is in them?"),
    "tables": ("Tables", "Which of our tables does each file feed?"),
    "columns": ("Columns", "Which column is which?"),
    "words": ("Words and dates", "What do its words, days and numbers mean?"),
    "check": ("Check", "What would be accepted, and what set aside?"),
    "save": ("Save and load", "Keep the mapping, load the files."),
}
PART = "assistant"


def asked_for() -> bool:
    """Whether the address asks for the assistant."""
    return st.query_params.get("part") == PART


def open_assistant() -> None:
    """Goes to the assistant's first step."""
    st.query_params.update({"part": PART, "step": "files"})


def close_assistant() -> None:
    """Back to the page; files and choices stay for this session."""
    st.query_params.clear()


def _start_again() -> None:
    forget()
    open_assistant()


def _go(step: str) -> None:
    st.query_params.update({"part": PART, "step": step})
    st.session_state["as-step"] = step


def assistant(viewer: Viewer) -> None:
    """The step that the address names. Raises NotAllowed for who may not import."""
    work = work_of(viewer)
    keys = list(STEPS)
    step = st.query_params.get("step", "files")
    if step not in keys or not work.tables:
        step = "files"
    place = keys.index(step)
    shelf = Shelf(runtime.engine(), viewer.practice_id, viewer, runtime.settings().now())
    _head(work, step, place)
    if work.said:
        show_blocks([Notice(work.said)])
        work.said = ""
    draw: dict[str, Callable[[], None]] = {
        "files": lambda: files_step(work, shelf),
        "tables": lambda: tables_step(work),
        "columns": lambda: columns_step(work),
        "words": lambda: words_step(work),
        "check": lambda: check_step(work, viewer),
        "save": lambda: save_step(work, viewer, shelf),
    }
    draw[step]()
    _foot(work, keys, place)


def _head(work: Work, step: str, place: int) -> None:
    name, question = STEPS[step]
    st.html(
        f'<div class="sv"><h1>Import assistant</h1><p class="question">Step {place + 1} of {len(STEPS)}, '
        f"{escape(name.lower())}: {escape(question)}</p></div>"
    )
    st.session_state["as-step"] = step
    st.segmented_control(
        "Step", list(STEPS), key="as-step", required=True, on_change=lambda: _go(st.session_state["as-step"]),
        format_func=lambda key: STEPS[key][0], label_visibility="collapsed", disabled=not work.tables,
    )  # fmt: skip


def _foot(work: Work, keys: list[str], place: int) -> None:
    with st.container(key="as-foot", horizontal=True, vertical_alignment="center"):
        if place:
            st.button("Back", on_click=_go, args=(keys[place - 1],))
        if place < len(keys) - 1:
            words = f"Next: {STEPS[keys[place + 1]][0]}"
            st.button(words, type="primary", on_click=_go, args=(keys[place + 1],), disabled=not work.tables)
        st.button("Close the assistant", type="tertiary", on_click=close_assistant)
        if work.uploads or work.refused:
            st.button("Start again", type="tertiary", on_click=_start_again, help="Forgets these files and choices.")
