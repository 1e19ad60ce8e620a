"""Controls of the assistant: each shows what the draft holds and writes back what is chosen. Labels are our own words only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from typing import Any

import streamlit as st

from dashboard.harmless import escape
from dashboard.ui.assistant_state import Work, state

CELL = 60  # characters of a cell or name shown in one place


def cut(text: str, most: int = CELL) -> str:
    """A long name or cell for one line."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def said(words: str, sub: str = "", *, width: Any = "stretch") -> None:
    """A name with a quieter line under it, as text."""
    small = f"<small>{escape(sub)}</small>" if sub else ""
    st.html(f'<div class="sv as-said"><span>{escape(words)}</span>{small}</div>', width=width)


def line(key: str) -> AbstractContextManager[Any]:
    """One choice: its name, its control, why."""
    return st.container(key=f"as-row-{key}", horizontal=True, vertical_alignment="center", gap="small")


def turn_to(
    work: Work,
    what: str,
    options: Sequence[Any],
    shown: Callable[[Any], str],
    *,
    back: str,
    on: str,
    width: int,
    wanted: Collection[Any] = (),
) -> Any:
    """Which of several is looked at, with buttons to the next; it is remembered while other steps are shown.

    ``wanted``: those that lack an answer; the first look and the button onward go there before anywhere else.
    """
    offered = list(options)
    key = f"as-at-{what}"
    now = work.looks_at.get(what)
    first = next((one for one in offered if one in wanted), offered[0])
    place = offered.index(now if now in offered else first)
    round_ = [*offered[place + 1 :], *offered[:place]]
    onward = next((one for one in round_ if one in wanted), offered[place + 1] if place + 1 < len(offered) else None)

    def changed() -> None:
        work.looks_at[what] = state(key)

    def step(to: Any) -> None:
        work.looks_at[what] = to

    st.session_state[key] = work.looks_at[what] = offered[place]
    with st.container(key=f"as-turn-{len(what)}", horizontal=True, vertical_alignment="bottom"):
        st.selectbox(what, offered, key=key, on_change=changed, format_func=shown, width=width)
        if len(offered) > 1:
            st.button(back, on_click=step, args=(offered[max(place - 1, 0)],), disabled=place == 0)
            st.button(on, on_click=step, args=(onward,), disabled=onward is None)
    return offered[place]


def pick(
    work: Work,
    label: str,
    options: Sequence[Any],
    current: Any,
    write: Callable[[Any], None],
    *,
    key: str,
    shown: Callable[[Any], str] = str,
    width: Any = 340,
) -> None:
    """A select box. Its options are plain text, so they may hold names from files; its label may not."""
    offered = list(options)
    if current not in offered:
        offered.append(current)

    def changed() -> None:
        work.changed()
        write(state(key))

    st.session_state[key] = current
    st.selectbox(
        label, offered, key=key, on_change=changed, label_visibility="collapsed", width=width,
        format_func=lambda one: shown(one) if one in options else f"{shown(one)} (not in these files)",
    )  # fmt: skip


def pick_many(
    work: Work,
    label: str,
    options: Sequence[Any],
    current: Sequence[Any],
    write: Callable[[list[Any]], None],
    *,
    key: str,
    shown: Callable[[Any], str] = str,
    visible: bool = False,
    width: Any = "stretch",
) -> None:
    """Several of a list."""
    offered = [*options, *(one for one in current if one not in options)]

    def changed() -> None:
        work.changed()
        write(list(state(key)))

    st.session_state[key] = list(current)
    st.multiselect(
        label, offered, key=key, on_change=changed, format_func=shown, width=width, placeholder="None", wrap=True,
        label_visibility="visible" if visible else "collapsed",
    )  # fmt: skip


def write_text(
    work: Work, label: str, current: str, write: Callable[[str], None], *, key: str, width: Any = 340, most: int = 200
) -> None:
    """A line of text."""

    def changed() -> None:
        work.changed()
        write(str(state(key)).strip())

    st.session_state[key] = current
    st.text_input(
        label, key=key, on_change=changed, label_visibility="collapsed", width=width, max_chars=most, autocomplete="off"
    )


def tick(work: Work, label: str, current: bool, write: Callable[[bool], None], *, key: str) -> None:
    """Yes or no."""

    def changed() -> None:
        work.changed()
        write(bool(state(key)))

    st.session_state[key] = current
    st.checkbox(label, key=key, on_change=changed)
