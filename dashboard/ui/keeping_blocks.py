"""On Data quality, for those who look after the data: a copy that is missing, and a client's erasure in two steps."""

from __future__ import annotations

import streamlit as st

from dashboard import runtime
from dashboard.access import Role, Viewer, can_erase
from dashboard.errors import SupervisionError
from dashboard.keeping.automatic import standing
from dashboard.keeping.erasing import erase_client

ASKED = "_erase_asked"
SAID = "_erase_said"


def keeping_blocks(viewer: Viewer) -> None:
    """What a director or an administrator should know of the copies; a director may also erase a client."""
    if viewer.role not in (Role.DIRECTOR, Role.ADMIN):
        return
    stands = standing(runtime.settings(), runtime.settings().now())
    if stands is not None and stands.wrong is not None:
        st.warning("No copy of the data was made lately. Whoever looks after this program can run: supervision doctor")
    if can_erase(viewer.role):
        with st.expander("Erase a client's data"):
            _erase(viewer)


def _run(viewer: Viewer, client: str, source: str | None, *, apply: bool) -> list[str] | None:
    settings = runtime.settings()
    try:
        return erase_client(
            runtime.engine(), settings, practice=None, client=client, source=source, apply=apply, now=settings.now(),
            viewer=viewer,
        )  # fmt: skip
    except SupervisionError as error:
        st.text(str(error))  # as plain text: it repeats what was typed
        return None


def _erase(viewer: Viewer) -> None:
    for line in st.session_state.pop(SAID, []):
        st.text(line)
    st.markdown(
        "Who the person was goes for good: ids, codes, and everything written about their episodes. Days, sessions and "
        "scores stay without a name, so that figures stay as they are. Nothing is changed before the second step."
    )
    with st.form("erase-count", border=False):
        client = st.text_input("The client's id in your own records", max_chars=200)
        source = st.text_input("Where that id comes from, if several sources have it", max_chars=80)
        counted = st.form_submit_button("Count what would go")
    if counted:
        st.session_state.pop(ASKED, None)
        lines = _run(viewer, client.strip(), source.strip() or None, apply=False) if client.strip() else None
        if lines is not None:
            st.session_state[ASKED] = (client.strip(), source.strip() or None, lines)
    asked = st.session_state.get(ASKED)
    if asked is None:
        return
    who, where, lines = asked
    for line in lines:
        st.text(line)
    with st.form("erase-confirm", border=False):
        again = st.text_input("The same id once more, to be sure", max_chars=200)
        sent = st.form_submit_button("Erase for good")
    if sent and again.strip() != who:
        st.error("That is another id. Nothing was changed.")
    elif sent:
        done = _run(viewer, who, where, apply=True)
        if done is not None:
            del st.session_state[ASKED]
            st.session_state[SAID] = done
            st.rerun()
