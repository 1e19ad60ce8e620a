"""What Streamlit runs: the gate, the pages of this viewer, the page asked for."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

import pages
from dashboard import runtime
from dashboard.access import Viewer, screen_scope
from dashboard.errors import DatabaseUnavailable, SupervisionError
from dashboard.evaluation import ensure_current
from dashboard.harmless import escape
from dashboard.signin.change import require_own_password
from dashboard.signin.gate import require_sign_in, sign_out
from dashboard.signin.set_up import require_second_factor
from dashboard.ui.frame import acting_for_the_session, footer, remember
from dashboard.ui.purpose import ask_purpose, must_say
from dashboard.ui.scripts import run_script
from dashboard.ui.show import show
from dashboard.ui.view import View
from queries import audit, store_evaluation
from queries.acting import Door, acting, otherwise
from queries.engine import reading, writing


def _file(name: str) -> Path:
    return Path(pages.__file__).resolve().with_name(f"{name}.py")


def _addresses(page: pages.Page, viewer: Viewer) -> list[StreamlitPage]:
    """A page at its own address; the viewer's first page also at /, which is where the menu then leads."""
    is_home = page is pages.home(viewer.role)
    in_menu = page.in_menu and pages.can_open(viewer.role, page) and not is_home
    own = st.Page(_file(page.name), title=page.title, url_path=page.url, visibility="visible" if in_menu else "hidden")
    return [st.Page(_file(page.name), title=page.title, url_path="home", default=True), own] if is_home else [own]


def _bar(viewer: Viewer) -> None:
    with st.container(key="who", horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        st.html(
            f'<div class="sv"><p class="quiet"><a href="account" target="_self" title="{escape(viewer.name)}" '
            f'aria-label="{escape(viewer.name)}, your sign-in">{escape(viewer.name)}</a> · {viewer.role.value}</p></div>',
            width="content",
        )
        st.button("Sign out", on_click=sign_out, type="tertiary")


def _refused(viewer: Viewer, page: pages.Page, error: SupervisionError) -> None:
    with writing(runtime.engine()) as connection:
        audit.record(
            connection, at=runtime.settings().now(), practice_id=viewer.practice_id, username=viewer.username,
            purpose=viewer.purpose, action=f"refuse page {page.name}",
        )  # fmt: skip
    show(View("Not part of your role", str(error), "", None, []))


def _bring_up_to_date(viewer: Viewer) -> None:
    """The first look of a day evaluates what nobody has evaluated yet; every other look only reads."""
    settings = runtime.settings()
    today = settings.today()
    with reading(runtime.engine()) as connection:
        as_of = store_evaluation.current_day(connection, viewer.practice_id)
    if as_of is not None and as_of < today:
        with (
            suppress(
                DatabaseUnavailable
            ),  # where nothing can be saved, the signals of an earlier day are still there to read
            st.spinner("Bringing the signals up to today", show_time=False),
        ):
            ensure_current(runtime.engine(), settings, viewer.practice_id, settings.now())


st.set_page_config(page_title="Supervision", layout="wide")
st.html(Path(__file__).with_name("ui") / "app.css")
OF_NOBODY_ELSE = ("my_visibility", "people", "account")  # pages without rows of other people's clients
FIRST_SAY = "Say first what you look for: this practice shows nobody's work before."


def _run() -> None:
    with acting(Door.SIGN_IN):
        viewer = require_sign_in()
    remember(viewer)
    with acting(screen_scope(viewer), viewer.username):
        _run_for(viewer)


def _run_for(viewer: Viewer) -> None:
    require_own_password(viewer)
    require_second_factor(viewer)
    _bring_up_to_date(viewer)
    running = st.navigation([one for page in pages.PAGES for one in _addresses(page, viewer)], position="top")
    _bar(viewer)
    asked = next(page for page in pages.PAGES if page.title == running.title)
    try:
        pages.check_can_open(viewer.role, asked)
        if asked.name not in OF_NOBODY_ELSE:
            ask_purpose(viewer)
            if must_say(viewer):
                show(View(asked.title, FIRST_SAY, "", None, []))
                return
        running.run()
    except DatabaseUnavailable:
        raise
    except SupervisionError as error:
        _refused(viewer, asked, error)


otherwise(acting_for_the_session)
try:
    _run()
except DatabaseUnavailable as error:
    show(View("One moment", error.calm, "", None, []))
footer()
run_script("links")
