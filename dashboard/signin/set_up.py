"""Setting up an authenticator app: the picture, the first code, and the codes on paper. For the gate and for one's own page."""

from __future__ import annotations

import time

import streamlit as st

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.errors import UnusableInput
from dashboard.harmless import escape
from dashboard.signin.gate import sign_out
from dashboard.signin.second import CODES, confirm, in_fours, offer, picture
from dashboard.ui.say import refused
from queries import second_factors
from queries.engine import reading

SECRET, SHOWN = "_offered_secret", "_recovery_codes"
HOW = (
    "Open an authenticator app on your phone (any that makes codes of six digits), add an account and point it at this "
    "picture. Nothing is sent anywhere: the picture is made here."
)
KEEP = (
    f"Print these {CODES} codes or write them down, and keep them where your phone is not. Each works once, in place of a "
    "code, if the phone is lost. They are shown this one time only."
)


def _offered(viewer: Viewer) -> str:
    kept = st.session_state.get(SECRET)
    with reading(runtime.engine()) as connection:
        factor = second_factors.factor_of(connection, viewer.username)
    if not (isinstance(kept, str) and factor is not None and not factor.confirmed and factor.secret == kept):
        kept = offer(runtime.engine(), viewer, runtime.settings().now())
        st.session_state[SECRET] = kept
    return kept


def draw_offer(viewer: Viewer) -> None:
    """The picture and the form for its first code; where that is right, the recovery codes are next."""
    secret = _offered(viewer)
    st.html(
        f'<div class="sv"><p>{HOW}</p><img class="qr" alt="QR code for your authenticator app; the same as the text below" '
        f'src="{picture(secret, viewer.username)}" width="225" height="225">'
        f'<p class="quiet">Or type this in: <code>{escape(in_fours(secret))}</code></p></div>'
    )
    with st.form("first-code", clear_on_submit=True):
        typed = st.text_input("Code that the app shows now", autocomplete="one-time-code", max_chars=12)
        sent = st.form_submit_button("Confirm", type="primary")
    if not sent:
        return
    try:
        codes = confirm(runtime.engine(), viewer, typed, runtime.settings().now(), time.time())
    except UnusableInput as error:
        refused(error)
        return
    st.session_state.pop(SECRET, None)
    st.session_state[SHOWN] = codes
    st.rerun()


def _kept() -> None:
    st.session_state.pop(SHOWN, None)


def draw_codes() -> bool:
    """The recovery codes that were just made, until the person says that they keep them; false where there are none."""
    codes = st.session_state.get(SHOWN)
    if not codes:
        return False
    st.html(f'<div class="sv"><h2>Your recovery codes</h2><p>{KEEP}</p></div>')
    st.code("\n".join(codes), language=None)
    st.button("I have kept them", on_click=_kept, type="primary")
    return True


def require_second_factor(viewer: Viewer) -> None:
    """Lets everyone pass who has a second factor or needs none here; shows the set-up, and nothing else, to the others."""
    if st.session_state.get(SHOWN) and st.session_state.get("_required_set_up"):
        st.title("Your second factor is in force", anchor=False)
        draw_codes()
        st.stop()
    st.session_state.pop("_required_set_up", None)
    if not viewer.must_set_up:
        return
    st.session_state["_required_set_up"] = True
    st.title("Set up your second factor", anchor=False)
    st.markdown("Your role opens the data of many people, so this practice asks for a code beside the password.")
    draw_offer(viewer)
    st.button("Sign out", on_click=sign_out, type="tertiary")
    st.stop()
