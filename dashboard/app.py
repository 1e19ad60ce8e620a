"""What Streamlit runs: the gate, the pages of this viewer, the page asked for."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import pages
from dashboard import runtime
from dashboard.access import Viewer
from dashboard.errors import SupervisionError
from dashboard.signin.change import require_own_password
from dashboard.signin.gate import require_sign_in, sign_out
from dashboard.ui.frame import footer, remember
from queries import audit
from queries.engine import writing


def _file(name: str) -> Path:
    return Path(pages.__file__).resolve().with_name(f"{name}.py")


def _bar(viewer: Viewer) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.caption(f"{viewer.name} · {viewer.role.value}")
    right.button("Sign out", on_click=sign_out, type="tertiary")


def _refused(viewer: Viewer, page: pages.Page, error: SupervisionError) -> None:
    with writing(runtime.engine()) as connection:
        audit.record(
            connection, at=runtime.settings().now(), practice_id=viewer.practice_id, username=viewer.username,
            action=f"refuse page {page.name}",
        )  # fmt: skip
    st.title("Not part of your role", anchor=False)
    st.markdown(str(error))


st.set_page_config(page_title="Supervision", layout="wide")
st.html(Path(__file__).with_name("ui") / "app.css")
viewer = require_sign_in()
require_own_password(viewer)
remember(viewer)
home = pages.home(viewer.role)
chosen = {
    page.name: st.Page(
        _file(page.name),
        title=page.title,
        url_path=page.url,
        default=page is home,
        visibility="visible" if page.in_menu and pages.can_open(viewer.role, page) else "hidden",
    )
    for page in pages.PAGES
}
running = st.navigation(list(chosen.values()), position="top")
_bar(viewer)
asked = next(page for page in pages.PAGES if chosen[page.name] is running or chosen[page.name].title == running.title)
try:
    pages.check_can_open(viewer.role, asked)
    running.run()
except SupervisionError as error:
    _refused(viewer, asked, error)
footer()
