"""Choosing a password of one's own after a reset, before anything else."""

from __future__ import annotations

import streamlit as st

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.errors import UnusableInput
from dashboard.signin.gate import sign_out
from dashboard.signin.passwords import LONGEST_BYTES, SHORTEST, hashed
from queries import people
from queries.engine import writing


def require_own_password(viewer: Viewer) -> None:
    """Lets everyone pass who has chosen their own password; shows the form, and nothing else, to the others."""
    if not viewer.must_change:
        return
    st.title("Choose your own password", anchor=False)
    st.markdown(
        f"At least {SHORTEST} characters, at most {LONGEST_BYTES} bytes. A few words you can remember are fine."
    )
    with st.form("own-password"):
        first = st.text_input("New password", type="password", autocomplete="new-password")
        second = st.text_input("The same again", type="password", autocomplete="new-password")
        sent = st.form_submit_button("Save password", type="primary")
    if sent:
        try:
            if first != second:
                raise UnusableInput("The two do not agree. Type the same password twice.")
            secret = hashed(first)
        except UnusableInput as error:
            st.error(str(error))
            st.stop()
        with writing(runtime.engine()) as connection:
            people.set_password(
                connection,
                practice_id=viewer.practice_id,
                username=viewer.username,
                password_hash=secret,
                must_change=False,
                now=runtime.settings().now(),
                actor=viewer.username,
            )
        sign_out()
        st.rerun()
    st.stop()
