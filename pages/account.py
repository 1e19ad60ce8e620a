"""Your sign-in: how do I sign in, and where am I signed in now?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import streamlit as st

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.errors import SupervisionError
from dashboard.settings import Settings
from dashboard.sign_in_rules import second_factor_roles
from dashboard.signin.change import rule_in_words
from dashboard.signin.client import caller
from dashboard.signin.gate import session_id, sign_out, signed_in_by_provider
from dashboard.signin.own import choose_password, end_all, end_one, own_sign_ins, prove, remove_factor
from dashboard.signin.second import renew_codes
from dashboard.signin.set_up import SHOWN, draw_codes, draw_offer
from dashboard.ui.browser_words import browser_in_words
from dashboard.ui.frame import current_viewer
from dashboard.ui.say import done, refused
from dashboard.ui.show import show
from dashboard.ui.view import Block, Facts, Heading, Notice, Slot, Table, View
from dashboard.ui.words import MISSING, day, plural
from pages import BY_NAME
from queries import second_factors, sessions
from queries.engine import reading
from queries.second_factors import Factor
from queries.sessions import SignedIn

PAGE = BY_NAME["account"]
FEW_CODES = 3  # project default: recovery codes left at which the page says so
OFFERING, SAID = "_offering", "_account_said"
BY_PROVIDER = "Single sign-on opened this sign-in: your password there is not ours to change."


def _at(moment: datetime, today: datetime) -> str:
    return f"{moment:%H:%M}" if moment.date() == today.date() else f"{day(moment.date())}, {moment:%H:%M}"


def _sign_ins(found: Sequence[SignedIn], here: str | None, now: datetime) -> Table:
    rows = [
        [
            browser_in_words(one.agent) + (" (this one)" if one.sign_in_id == here else ""),
            _at(one.began, now),
            _at(one.last_used, now),
            one.address or "this machine or not known",
            one.method,
        ]
        for one in found
    ]
    return Table("Where you are signed in", ("Browser", "Began", "Last used", "Address", "With"), rows)


def build(
    viewer: Viewer,
    factor: Factor | None,
    found: Sequence[SignedIn],
    here: str | None,
    settings: Settings,
    now: datetime,
) -> View:
    """The person's own sign-in: second factor, password, where they are signed in."""
    has_one = factor is not None and factor.confirmed
    left = factor.codes_left if factor is not None and has_one else 0
    facts = [
        ("User name", viewer.username),
        ("Role", viewer.role.value),
        ("Second factor", "in force" if has_one else "not set up"),
        ("Recovery codes left", str(left) if has_one else MISSING),
    ]
    blocks: list[Block] = [Slot("said"), Facts(facts)]
    if has_one and left <= FEW_CODES:
        blocks.append(Notice(f"You have {plural(left, 'recovery code')} left. Make new ones below.", "orange"))
    blocks += [
        Heading(
            "Where you are signed in", f"A sign-in ends after {settings.session_idle_minutes} minutes without use."
        ),
        _sign_ins(found, here, now),
        Slot("sign-ins"),
        Heading("Your password"),
        Slot("password"),
        Heading("Your second factor", "A code from an app on your phone, asked for after the password."),
        Slot("factor"),
    ]
    return View(PAGE.title, PAGE.question, f"You are signed in as {viewer.name}", None, blocks)


def _acted(act: Callable[[], str]) -> None:
    try:
        said = act()
    except SupervisionError as error:
        refused(error)
        return
    st.session_state[SAID] = said
    st.rerun()


def _said() -> None:
    if words := st.session_state.pop(SAID, None):
        done(words)


def _asked_again(label: str = "Your password now") -> str:
    return st.text_input(label, type="password", autocomplete="current-password")


def _prove(viewer: Viewer, password: str) -> None:
    """The password again; a sign-in by a provider never asked for one, and its session is the proof."""
    if not signed_in_by_provider():
        settings = runtime.settings()
        prove(runtime.engine(), settings, viewer, password, caller(viewer.username), settings.now())


def _sign_in_forms(viewer: Viewer, found: Sequence[SignedIn], here: str | None, now: datetime) -> None:
    others = {one.sign_in_id: one for one in found if one.sign_in_id != here}
    if others:
        with st.form("end-one"):
            chosen = st.selectbox(
                "Another sign-in of yours",
                list(others),
                format_func=lambda one: f"{browser_in_words(others[one].agent)}, since {_at(others[one].began, now)}",
            )
            sent = st.form_submit_button("End this one")
        if sent and chosen:

            def act() -> str:
                end_one(runtime.engine(), viewer, chosen, runtime.settings().now())
                return "That sign-in has ended."

            _acted(act)
    if st.button("Sign out everywhere"):
        end_all(runtime.engine(), viewer, runtime.settings().now())
        sign_out()
        st.rerun()
    st.caption("Sign out everywhere also forgets the browsers that knew you, this one too.")


def _password_form(viewer: Viewer, settings: Settings) -> None:
    if signed_in_by_provider():
        st.caption(BY_PROVIDER)
        return
    with st.expander("Change your password"), st.form("change-password", border=False, clear_on_submit=True):
        old = _asked_again()
        first = st.text_input(
            "New password", type="password", autocomplete="new-password", help=rule_in_words(settings)
        )
        second = st.text_input("The new one again", type="password", autocomplete="new-password")
        st.caption("Every sign-in of yours ends, here too; then sign in with the new password.")
        sent = st.form_submit_button("Change it")
    if not sent:
        return
    try:
        _prove(viewer, old)
        choose_password(runtime.engine(), settings, viewer, first, second, settings.now())
    except SupervisionError as error:
        refused(error)
        return
    sign_out()
    st.rerun()


def _factor_forms(viewer: Viewer, factor: Factor | None, settings: Settings) -> None:
    if draw_codes():
        return
    if factor is None or not factor.confirmed:
        _offer_form(viewer)
        return
    st.session_state.pop(OFFERING, None)
    required = viewer.role in second_factor_roles(settings)
    verbs = ("Make new recovery codes", *(() if required else ("Remove the second factor",)))
    with st.expander("Change your second factor"), st.form("change-factor", border=False, clear_on_submit=True):
        verb = st.selectbox("What", verbs)
        password = "" if signed_in_by_provider() else _asked_again()
        st.caption("New codes take the place of the old ones.")
        if required:
            st.caption("Your role has to have a second factor here; an administrator can reset it.")
        sent = st.form_submit_button("Do it")
    if not sent:
        return
    now = settings.now()
    try:
        _prove(viewer, password)
        if verb == verbs[0]:
            st.session_state[SHOWN] = renew_codes(runtime.engine(), viewer, now)
        else:
            remove_factor(runtime.engine(), viewer, now)
            sign_out()
    except SupervisionError as error:
        refused(error)
        return
    st.rerun()


def _offer_form(viewer: Viewer) -> None:
    if st.session_state.get(OFFERING):
        draw_offer(viewer)
        return
    with st.expander("Set up an authenticator app"), st.form("offer", border=False, clear_on_submit=True):
        password = "" if signed_in_by_provider() else _asked_again()
        sent = st.form_submit_button("Go on")
    if not sent:
        return
    try:
        _prove(viewer, password)
    except SupervisionError as error:
        refused(error)
        return
    st.session_state[OFFERING] = True
    st.rerun()


def render() -> None:
    """Everyone's own page; nobody else's sign-in is ever read here."""
    viewer = current_viewer()
    settings = runtime.settings()
    now = settings.now()
    engine = runtime.engine()
    found = own_sign_ins(engine, settings, viewer, now)
    with reading(engine) as connection:
        factor = second_factors.factor_of(connection, viewer.username)
        here = sessions.sign_in_of(connection, session_id() or "")
    show(
        build(viewer, factor, found, here, settings, now),
        {
            "said": _said,
            "sign-ins": lambda: _sign_in_forms(viewer, found, here, now),
            "password": lambda: _password_form(viewer, settings),
            "factor": lambda: _factor_forms(viewer, factor, settings),
        },
    )


if __name__ == "__main__":
    render()
