"""Links to entering by hand, drawn as what one presses."""

from __future__ import annotations

from urllib.parse import quote

import streamlit as st

from dashboard.harmless import escape


def enter_link(public_id: str) -> None:
    """Add a session to this episode."""
    st.html(
        f'<div class="sv"><p><a class="go" href="enter?episode={escape(quote(public_id))}" target="_self">Add a session</a>'
        "</p></div>"
    )


def enter_links() -> None:
    """Add a session to some episode, or a new episode."""
    st.html(
        '<div class="sv"><p><a class="go" href="enter" target="_self">Add a session</a> '
        '<a class="go" href="enter?new=episode" target="_self">New episode</a></p></div>'
    )


def visibility_link() -> None:
    """Who looked at one's own caseload, and what others see of it."""
    st.html(
        '<div class="sv"><p><a href="my-visibility" target="_self">Who looked at this, and what others see</a></p></div>'
    )


def new_episode_link() -> None:
    """A new episode, where none of those that are there is meant."""
    st.html('<div class="sv"><p><a href="enter?new=episode" target="_self">New episode</a></p></div>')


def back_link() -> None:
    """Back to the caseload."""
    st.html('<div class="sv"><p><a href="./" target="_self">Back to the caseload</a></p></div>')
