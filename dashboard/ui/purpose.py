"""What a supervisor or director looks at other people's work for: asked once a session, changed at any time."""

from __future__ import annotations

import streamlit as st

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.looking import Purpose, says_purpose
from queries import sessions
from queries.engine import writing

WORDS: dict[str, str] = {
    Purpose.SUPERVISION.value: "supervision",
    Purpose.APPRAISAL.value: "appraisal",
    Purpose.PRACTICE.value: "running the practice",
}
NOT_SAID = "not said"
ASK = "What do you look at other people's work for, in this session?"
WHY = "Kept with each look; the clinician sees it under My visibility, where you can say something else."


def purpose_words(purpose: str | None) -> str:
    """A purpose for people; one that was never said is said to be so."""
    return NOT_SAID if purpose is None else WORDS.get(purpose, purpose)


def _say(key: str) -> None:
    chosen = st.session_state.get(key)
    if chosen is None:
        return
    session_id = st.session_state.get("_session_id", "")
    with writing(runtime.engine()) as connection:
        sessions.say_purpose(connection, session_id, Purpose(chosen).value, runtime.settings().now())


def _choice(viewer: Viewer, label: str, key: str) -> None:
    # what is kept decides: it may have been said in another window
    st.session_state[key] = viewer.purpose
    st.radio(
        label, [one.value for one in Purpose], format_func=purpose_words, horizontal=True, key=key, on_change=_say, args=(key,)
    )  # fmt: skip


def ask_purpose(viewer: Viewer) -> None:
    """The question, until it is answered; nothing for anybody who reads their own rows only."""
    if says_purpose(viewer.role) and viewer.purpose is None:
        with st.container(key="purpose"):
            _choice(viewer, ASK, "purpose-asked")
            st.caption(WHY)


def change_purpose(viewer: Viewer) -> None:
    """What was said in this session, and another answer."""
    if says_purpose(viewer.role):
        _choice(viewer, "What you look at other people's work for, in this session", "purpose-now")


def must_say(viewer: Viewer) -> bool:
    """Whether this practice shows nothing of others before the question is answered."""
    return runtime.settings().purpose_required and says_purpose(viewer.role) and viewer.purpose is None
