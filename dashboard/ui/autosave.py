"""A text box that saves itself while somebody writes; nobody's text is overwritten unseen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from dashboard.harmless import escape

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "supervision.autosave",
    html='<div><label for="t"></label><textarea id="t"></textarea><p><span class="note" role="status"></span>'
    '<span class="count"></span></p></div>',
    css=(_HERE / "autosave.css").read_text("utf-8"),
    js=(_HERE / "autosave.js").read_text("utf-8"),
)

Save = Callable[[str, int], int | None]


@dataclass(frozen=True)
class Box:
    """What is stored: the text, its version (0: nothing yet), whose it is and when it was saved."""

    text: str = ""
    version: int = 0
    username: str = ""
    when: str = ""

    @property
    def note(self) -> str:
        """Saved, by whom and when."""
        return f"Saved {self.when} by {self.username}" if self.version else "Saved as you write"


def autosave(
    label: str, *, key: str, stored: Box, save: Save, longest: int, words: int = 0, rows: int = 3, read_only: bool = False
) -> None:  # fmt: skip
    """Draws the box. ``save``: text and the version it was written on; gives the new version, or null where that was overtaken.

    Where somebody else saved in between, both texts are shown and one of them is chosen.
    """
    clash_key = f"{key}-clash"

    def store() -> None:
        draft = (st.session_state[key] or {}).get("draft")
        if not draft or read_only:
            return
        st.session_state.pop(clash_key, None)
        if save(draft["text"], int(draft["base"] or 0)) is None:
            st.session_state[clash_key] = draft["text"]

    mine = st.session_state.get(clash_key)
    heard = ((st.session_state.get(key) or {}).get("draft") or {}).get("number", 0)
    said = "" if read_only and not stored.version else stored.note
    note = said if mine is None else f"Not saved: {stored.username} wrote here while you did"
    _component(
        key=key,
        data={
            "label": label, "text": stored.text, "base": stored.version, "note": note, "longest": longest, "words": words,
            "rows": rows, "readOnly": read_only, "clash": mine is not None, "heard": heard,
        },
        default={"draft": None},
        on_draft_change=store,
    )  # fmt: skip
    if mine is None:
        return
    st.html(
        f'<div class="sv"><p class="notice orange" role="status">{_shown(stored)}</p></div>',
    )

    def keep_mine() -> None:
        if save(mine, stored.version) is not None:
            st.session_state.pop(clash_key, None)

    left, right = st.columns(2)
    left.button("Keep mine", key=f"{key}-mine", on_click=keep_mine)
    right.button("Take theirs", key=f"{key}-theirs", on_click=lambda: st.session_state.pop(clash_key, None))


def _shown(stored: Box) -> str:
    return f"{escape(stored.username)} wrote: {escape(stored.text)}"
