"""Single sign-on on the sign-in page: the button, and what came of the provider's answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAuthError

from dashboard import runtime
from dashboard.errors import NotAllowed
from dashboard.harmless import for_markdown
from dashboard.sign_in_rules import has_provider
from dashboard.signin.begin import go_on
from dashboard.signin.client import caller
from dashboard.signin.provider import AWAY, NAME, NOT_SET_UP, UNFINISHED, accept, answer_in, handed_over, in_words
from dashboard.ui.say import refused
from dashboard.ui.scripts import run_script

SAID, DROP = "_provider_said", "_provider_drop"
ASKED = "provider"  # the query parameter that routes.ProviderWords comes back with


def _claims() -> Mapping[str, Any]:
    # headers that a proxy may set (server.trustedUserHeaders) are no answer of the provider
    if handed_over() is None or st.get_option("server.trustedUserHeaders"):
        return {}
    return st.user.to_dict()


def take_answer() -> bool:
    """Takes a fresh answer of the provider, once; true where it let somebody in, or on to the second step."""
    settings = runtime.settings()
    if not has_provider(settings):
        return False
    claims = _claims()
    if not claims.get("is_logged_in"):
        return False
    st.session_state.setdefault(DROP, True)
    try:
        answer = answer_in(claims, settings.oidc_label, time.time())
        accepted = None if answer is None else accept(runtime.engine(), settings, answer, settings.now())
    except NotAllowed as error:
        st.session_state[SAID] = str(error)
        return False
    if accepted is None:
        return False
    forget_said()
    go_on(accepted, caller(accepted.person.username), by_provider=True)
    return True


def forget_said() -> None:
    """Forgets what there was to say of the last try: another one has begun."""
    st.session_state.pop(SAID, None)


def provider_button() -> None:
    """The button under the form, and what there is to say of the last try; nothing where single sign-on is not set up."""
    settings = runtime.settings()
    if not has_provider(settings):
        return
    if st.session_state.get(DROP):
        st.session_state[DROP] = False
        run_script("drop_provider")
    label = settings.oidc_label
    if st.button(for_markdown(f"Sign in with {label}"), key="provider-sign-in"):
        forget_said()
        try:
            st.login(NAME)
        except StreamlitAuthError:
            st.session_state[SAID] = in_words(NOT_SET_UP, label)
    if came_back := st.query_params.pop(ASKED, None):
        st.session_state[SAID] = in_words({"away": AWAY}.get(came_back, UNFINISHED), label)
    if said := st.session_state.get(SAID):
        refused(said)
