"""The gate: who is this? Asked on every rerun, answered from the database.

streamlit-authenticator checks the bcrypt hash. The form is ours, because the library's comes with a component that reads its
own cookie and so draws the form again just after it was drawn: a click in between was lost. Its cookie is neither issued nor
accepted. The session is ours too: a random id in an HttpOnly cookie, its hash and its life in the database.
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from typing import Any

import bcrypt
import streamlit as st
from streamlit_authenticator.controllers import AuthenticationController

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.errors import DatabaseUnavailable
from dashboard.signin.cookie import cookie_name
from dashboard.signin.passwords import COST
from dashboard.ui.show import show
from dashboard.ui.view import Para, Table, View
from dashboard.viewing import viewer_now
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
_KEY = secrets.token_hex(32)
_NOBODY = bcrypt.hashpw(secrets.token_bytes(16), bcrypt.gensalt(COST)).decode()


class _Names(dict[str, dict[str, Any]]):
    """Credentials by name, read when asked: an unknown, disabled or locked name costs the same bcrypt check and fails."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> dict[str, Any]:
        settings = runtime.settings()
        with reading(runtime.engine()) as connection:
            found = sessions.attempt(connection, name, settings.now(), settings.lock_minutes)
        locked = found.failed >= settings.max_sign_in_attempts
        open_hash = _NOBODY if locked or found.password_hash is None else found.password_hash
        self[name] = {"password": open_hash, "roles": [], "failed_login_attempts": 0, "email": None, "name": name}
        return self[name]

    def get(self, name: str, default: Any = None) -> dict[str, Any]:
        return self[name]


def _session_id() -> str | None:
    kept = st.session_state.get("_session_id") or st.context.cookies.get(cookie_name())
    return kept if isinstance(kept, str) else None


def _viewer(session_id: str) -> Viewer | None:
    settings = runtime.settings()
    now = settings.now()
    with reading(runtime.engine()) as connection:
        live = sessions.username_of(
            connection,
            session_id,
            now,
            idle_minutes=settings.session_idle_minutes,
            absolute_hours=settings.session_absolute_hours,
        )
        viewer = None if live is None else viewer_now(connection, settings, live[0], now)
    if live is not None and live[1]:
        # where nothing can be saved, pages can still be read until the session ends
        with suppress(DatabaseUnavailable), writing(runtime.engine()) as connection:
            sessions.touch(connection, session_id, now)
    return viewer


def still_signed_in(*, active: bool) -> bool:
    """Whether the session behind this page is still good. ``active``: the person did something; asking alone is none."""
    settings = runtime.settings()
    session_id = _session_id()
    if session_id is None:
        return False
    with reading(runtime.engine()) as connection:
        live = sessions.username_of(
            connection,
            session_id,
            settings.now(),
            idle_minutes=settings.session_idle_minutes,
            absolute_hours=settings.session_absolute_hours,
        )
    if live is not None and live[1] and active:
        with writing(runtime.engine()) as connection:
            sessions.touch(connection, session_id, settings.now())
    return live is not None


def _forget_state() -> None:
    for key in list(st.session_state):
        del st.session_state[key]


def sign_out() -> None:
    """Ends the session on the server; the cookie that is left opens nothing."""
    session_id = _session_id()
    if session_id:
        with writing(runtime.engine()) as connection:
            sessions.end(connection, session_id, runtime.settings().now())
    _forget_state()


def _bind_cookie(code: str) -> None:
    script = (
        f"<script>fetch('/session/bind',{{method:'POST',body:{json.dumps(code)},credentials:'same-origin'}})</script>"
    )
    st.html(script, unsafe_allow_javascript=True)


def _accepted(username: str) -> None:
    settings = runtime.settings()
    session_id, code = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    with writing(runtime.engine()) as connection:
        sessions.forget_old(connection, settings.now(), settings.session_absolute_hours)
        sessions.start(connection, username, session_id, code, settings.now())
    st.session_state["_session_id"], st.session_state["_bind_code"] = session_id, code


def _form() -> None:
    settings = runtime.settings()
    with reading(runtime.engine()) as connection:
        nobody = not people.anybody(connection)
    show(FIRST_RUN if nobody else WELCOME)
    if nobody:
        return
    credentials: dict[str, Any] = {"usernames": {}}
    library = AuthenticationController(credentials, auto_hash=False, secret_key=_KEY)
    names = _Names()
    credentials["usernames"] = names
    with st.form("sign-in"):
        st.subheader("Your sign-in", anchor=False)
        username = st.text_input("User name", autocomplete="username")
        password = st.text_input("Password", type="password", autocomplete="current-password")
        sent = st.form_submit_button("Sign in")
    if sent:
        library.login(username, password, callback=lambda given: _accepted(given["username"]))
    if st.session_state.get("_session_id"):
        st.rerun()
    failed = [name for name, one in names.items() if one["failed_login_attempts"]]
    for name in failed:
        with writing(runtime.engine()) as connection:
            sessions.record_failure(connection, name, settings.now(), settings.lock_minutes)
    if failed or st.session_state.get("authentication_status") is False:
        st.error(REFUSED)


def require_sign_in() -> Viewer:
    """The person on the other side, or the sign-in form and nothing else."""
    session_id = _session_id()
    viewer = _viewer(session_id) if session_id else None
    if viewer is not None:
        st.session_state["_session_id"] = session_id
        if code := st.session_state.pop("_bind_code", None):
            _bind_cookie(code)
        return viewer
    if st.session_state.get("_session_id"):
        _forget_state()
    _form()
    st.stop()
    raise AssertionError
