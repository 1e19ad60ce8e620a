"""Whose caseload a page shows: the picker, bound to the address."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st


def pick_caseload(names: Mapping[str, str], current: str) -> None:
    """``names``: opaque id to name of the clinicians offered. ``current``: the id in the address."""

    def go() -> None:
        st.query_params.from_dict({"clinician": st.session_state["whose"]} if st.session_state["whose"] else {})

    # the address decides: somebody may have come by a link, which the picker knows nothing of
    st.session_state["whose"] = current if current in names else ""
    st.selectbox(
        "Whose caseload",
        ["", *names],
        format_func=lambda one: names.get(one, "Everyone, by name"),
        key="whose",
        on_change=go,
        width=320,
    )
