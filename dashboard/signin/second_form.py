"""The second step on the sign-in page."""

from __future__ import annotations

import time

import streamlit as st

from dashboard import runtime
from dashboard.signin.begin import SESSION, Half, finish, start_again
from dashboard.signin.client import caller
from dashboard.signin.second import WRONG, try_code
from dashboard.ui.say import refused
from dashboard.ui.show import show
from dashboard.ui.view import View

STEP = View("Supervision", "One more step: the code of your authenticator app.", "", None, [])


def second_step(waiting: Half) -> None:
    """Asks for a code; opens the session where it is good."""
    show(STEP)
    with st.form("second-step", clear_on_submit=True):
        st.subheader("Your code", anchor=False)
        typed = st.text_input("Code", autocomplete="one-time-code", max_chars=20)
        st.caption("Six digits from the app, or one of your recovery codes.")
        sent = st.form_submit_button("Sign in")
    st.button("Start again", on_click=start_again, type="tertiary")
    if not sent:
        return
    settings, who = runtime.settings(), waiting.person
    came_from = caller(who.username)
    kind = try_code(
        runtime.engine(), settings, person=who, typed=typed, caller=came_from, now=settings.now(), at=time.time()
    )
    if kind is None:
        refused(WRONG)
        return
    finish(waiting, kind, came_from)
    if st.session_state.get(SESSION):
        st.rerun()
