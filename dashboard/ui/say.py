"""What a page says after somebody acted. The only place that hands changing text to Streamlit's messages: they are Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.harmless import for_markdown

Step = Callable[[str, float], None]


def refused(words: object) -> None:
    """That something was not done, and what to do: usually a SupervisionError."""
    st.error(for_markdown(str(words)))


def waits(words: object) -> None:
    """That something cannot be done at this moment."""
    st.warning(for_markdown(str(words)))


def done(words: str) -> None:
    """That something was done."""
    st.success(for_markdown(words))


def noted(words: str) -> None:
    """That something small was done; goes by itself."""
    st.toast(for_markdown(words))


@contextmanager
def progress() -> Iterator[Step]:
    """A bar while something takes its time; yields how to move it, with words that may name a file."""
    bar = st.progress(0.0, "Starting")

    def step(what: str, share: float) -> None:
        bar.progress(min(share, 1.0), for_markdown(what))

    try:
        yield step
    finally:
        bar.empty()
