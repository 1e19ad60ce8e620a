"""From a right password, code or provider's answer to a session; what is half done stands in this page's own memory only."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st

from dashboard import runtime
from dashboard.signin.accepted import Accepted, Caller
from dashboard.signin.second import PAPER
from queries import sessions
from queries.credentials import Credentials
from queries.engine import writing

SESSION, BIND, HALF = "_session_id", "_bind_code", "_half_signed_in"
HALF_SECONDS = 300  # project default: from the password to the code


@dataclass(frozen=True)
class Half:
    """Somebody whose first factor was right. It opens nothing: no session, no cookie, no row anywhere."""

    person: Credentials
    since: datetime
    by_provider: bool


def _methods(by_provider: bool) -> tuple[str, str, str]:
    if by_provider:
        return sessions.PROVIDER, sessions.PROVIDER_CODE, sessions.PROVIDER_RECOVERY
    return sessions.PASSWORD, sessions.PASSWORD_CODE, sessions.PASSWORD_RECOVERY


def _start(username: str, method: str, caller: Caller) -> None:
    settings = runtime.settings()
    session_id, code = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    with writing(runtime.engine()) as connection:
        sessions.forget_old(connection, settings.now(), settings.session_absolute_hours)
        opening = sessions.Opening(method, caller.address, caller.agent)
        sessions.start(connection, username, session_id, code, settings.now(), opening)
    st.session_state[SESSION], st.session_state[BIND] = session_id, code


def go_on(accepted: Accepted, caller: Caller, *, by_provider: bool = False) -> None:
    """Opens a session, or waits for the code where a second factor is in force."""
    if accepted.needs_code:
        st.session_state[HALF] = Half(accepted.person, runtime.settings().now(), by_provider)
        return
    _start(accepted.person.username, _methods(by_provider)[0], caller)


def half() -> Half | None:
    """Who waits for a code on this page; null where nobody does, or the time for it is over."""
    waiting = st.session_state.get(HALF)
    if not isinstance(waiting, Half):
        return None
    if runtime.settings().now() - waiting.since > timedelta(seconds=HALF_SECONDS):
        start_again()
        return None
    return waiting


def start_again() -> None:
    """Forgets who was waiting."""
    st.session_state.pop(HALF, None)


def finish(waiting: Half, kind: str, caller: Caller) -> None:
    """Opens the session after a good code; ``kind``: APP or PAPER."""
    start_again()
    _start(waiting.person.username, _methods(waiting.by_provider)[2 if kind == PAPER else 1], caller)
