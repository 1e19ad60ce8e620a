"""Choosing a password of one's own after a reset, before anything else."""

from __future__ import annotations

import streamlit as st

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.errors import UnusableInput
from dashboard.settings import Settings
from dashboard.signin.gate import sign_out
from dashboard.signin.own import choose_password
from dashboard.signin.passwords import LONGEST
from dashboard.ui.say import refused


def rule_in_words(settings: Settings) -> str:
    """What a password has to be."""
    return (
        f"At least {settings.password_min_length} characters, at most {LONGEST}; any characters will do. "
        "A few words you can remember are fine."
    )


def require_own_password(viewer: Viewer) -> None:
    """Lets everyone pass who has chosen their own password; shows the form, and nothing else, to the others."""
    if not viewer.must_change:
        return
    settings = runtime.settings()
    st.title("Choose your own password", anchor=False)
    st.text(rule_in_words(settings))
    with st.form("own-password"):
        first = st.text_input("New password", type="password", autocomplete="new-password")
        second = st.text_input("The same again", type="password", autocomplete="new-password")
        sent = st.form_submit_button("Save password", type="primary")
    if sent:
        try:
            choose_password(runtime.engine(), settings, viewer, first, second, settings.now())
        except UnusableInput as error:
            refused(error)
            st.stop()
        sign_out()
        st.rerun()
    st.stop()
