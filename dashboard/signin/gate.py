"""The gate: who is this? Asked on every rerun, answered from the database.

streamlit-authenticator compares the bcrypt hash (``checking``). The form is ours, because the library's comes with a component
that reads its own cookie and so draws the form again just after it was drawn: a click in between was lost. Its cookie is
neither issued nor accepted. The session is ours too: a random id in an HttpOnly cookie, its hash and its life in the database.
"""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.errors import DatabaseUnavailable
from dashboard.signin.attempt import same_name, try_password
from dashboard.signin.begin import BIND, HALF, SESSION, go_on, half
from dashboard.signin.client import caller
from dashboard.signin.cookie import cookie_name
from dashboard.signin.current import Current, current
from dashboard.signin.provider_form import forget_said, provider_button, take_answer
from dashboard.signin.second_form import second_step
from dashboard.ui.say import refused
from dashboard.ui.scripts import run_script
from dashboard.ui.show import show
from dashboard.ui.view import Para, Table, View
from queries import people, sessions
from queries.engine import reading, writing

REFUSED = "Sign-in did not work. Check the name and the password, or wait a while and try again."
WELCOME = View("Supervision", "Sign in to see your caseload.", "", None, [])
FIRST_RUN = View(
    "Supervision",
    "Nothing is here yet. Three commands, run where this program is installed, make it yours.",
    "",
    None,
    [
        Table(
            "First steps",
            ("What", "Command"),
            [
                ["Load the practice's files", 'supervision import FOLDER --practice "Our practice"'],
                ["Let a clinical director sign in", "supervision user add r.okafor --role director"],
                ["Reload this page", "then sign in with the password that was printed"],
            ],
        ),
        Para("To look around first, stop this program and run: supervision demo", quiet=True),
    ],
)
METHOD = "_method"


def session_id() -> str | None:
    """The session of this page: kept in its memory, or brought by the cookie."""
    kept = st.session_state.get(SESSION) or st.context.cookies.get(cookie_name())
    return kept if isinstance(kept, str) else None


def _current(session: str) -> Current | None:
    settings = runtime.settings()
    now = settings.now()
    found = current(runtime.engine(), settings, session, now)
    if found is not None and found.stale:
        # where nothing can be saved, pages can still be read until the session ends
        with suppress(DatabaseUnavailable), writing(runtime.engine()) as connection:
            sessions.touch(connection, session, now)
    return found


def still_signed_in(*, active: bool) -> bool:
    """Whether the session behind this page is still good. ``active``: the person did something; asking alone is none."""
    settings = runtime.settings()
    session = session_id()
    if session is None:
        return False
    with reading(runtime.engine()) as connection:
        live = sessions.username_of(
            connection,
            session,
            settings.now(),
            idle_minutes=settings.session_idle_minutes,
            absolute_hours=settings.session_absolute_hours,
        )
    if live is not None and live.stale and active:
        with writing(runtime.engine()) as connection:
            sessions.touch(connection, session, settings.now())
    return live is not None


def signed_in_by_provider() -> bool:
    """Whether single sign-on opened this session."""
    return str(st.session_state.get(METHOD, "")).startswith(sessions.PROVIDER)


def _forget_state() -> None:
    for key in list(st.session_state):
        del st.session_state[key]


def sign_out() -> None:
    """Ends the session on the server; the cookie that is left opens nothing."""
    session = session_id()
    if session:
        with writing(runtime.engine()) as connection:
            sessions.end(connection, session, runtime.settings().now())
    _forget_state()


def _form() -> None:
    settings = runtime.settings()
    with reading(runtime.engine()) as connection:
        nobody = not people.anybody(connection)
    show(FIRST_RUN if nobody else WELCOME)
    if nobody:
        return
    with st.form("sign-in"):
        st.subheader("Your sign-in", anchor=False)
        username = st.text_input("User name", autocomplete="username")
        password = st.text_input("Password", type="password", autocomplete="current-password")
        sent = st.form_submit_button("Sign in")
    if sent:
        forget_said()
        came_from = caller(same_name(username))
        accepted = try_password(
            runtime.engine(), settings, username=username, password=password, caller=came_from, now=settings.now()
        )
        if accepted is None:
            refused(REFUSED)
        else:
            go_on(accepted, came_from)
            st.rerun()
    provider_button()


def require_sign_in() -> Viewer:
    """The person on the other side, or the sign-in form and nothing else."""
    session = session_id()
    found = _current(session) if session else None
    if found is not None:
        st.session_state[SESSION], st.session_state[METHOD] = session, found.method
        st.session_state.pop(HALF, None)
        if code := st.session_state.pop(BIND, None):
            run_script("bind", code=code)
        return found.viewer
    if st.session_state.get(SESSION):
        _forget_state()
    waiting = half()
    if waiting is None and take_answer():
        st.rerun()
    if waiting is not None:
        second_step(waiting)
    else:
        _form()
    st.stop()
    raise AssertionError
