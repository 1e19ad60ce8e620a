"""The form "Add a session" in the browser: drawn from data, for the keyboard; what it sends is read as anybody's words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.entry.sheet import Sheet

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "supervision.entry",
    html='<div class="entry"></div>',
    css=(_HERE / "entry.css").read_text("utf-8"),
    js=(_HERE / "entry.js").read_text("utf-8"),
)
HINT = (
    "Enter saves. In short items a digit moves on to the next. Nothing is asked for but the day and what became of it."
)


@dataclass(frozen=True)
class Answer:
    """What the server says to an entry: ``trouble`` in words, or ``questions`` (code, words) to agree to. ``heard``: of it."""

    heard: int = 0
    trouble: str = ""
    questions: Sequence[tuple[str, str]] = field(default_factory=tuple)


def entry_form(sheet: Sheet, answer: Answer, act: Callable[[Any], None], *, key: str, focus: bool = True) -> None:
    """Draws the form; ``act`` gets what was sent, before the page is drawn again."""

    def sent() -> None:
        entry = (st.session_state[key] or {}).get("entry")
        if entry:
            act(entry)

    _component(
        key=key,
        data={
            "token": sheet.token, "slots": list(sheet.slots), "chosen": sheet.chosen, "statuses": list(sheet.statuses),
            "modes": list(sheet.modes), "measures": list(sheet.measures), "more": list(sheet.more), "booked": sheet.booked,
            "seen": sheet.seen, "save": sheet.save, "canBook": sheet.can_book, "hint": HINT, "focus": focus,
            "heard": answer.heard, "trouble": answer.trouble, "yes": "Yes, save it so",
            "questions": [{"code": code, "words": words} for code, words in answer.questions],
        },
        on_entry_change=sent,
    )  # fmt: skip
