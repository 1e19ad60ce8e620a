"""Make snapshot: asks once, lets the reader's own browser draw the figures, stores the files, and links to them.

Any page uses it with a function that gathers its own draft::

    snapshot_button(viewer, "episode-ab12", lambda: packets.episode_draft(reader, public_id))

The figures go to the browser as Plotly describes them and come back as SVG, which is checked against them before use; the
draft stays on the server between the two.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.downloads import link, snapshot_kind
from dashboard.errors import SupervisionError
from dashboard.harmless import escape
from dashboard.snapshot.compose import Draft
from dashboard.snapshot.content import Frozen
from dashboard.snapshot.files import SHOWN
from dashboard.snapshot.freeze import PRINT_WIDTH
from dashboard.snapshots import Stored, make
from dashboard.ui.say import refused

WARNING = "This file contains client-level information. Store it where your practice stores clinical records."
COUNTS = "This file holds counts only, small ones withheld. It names no client and no clinician."
_component = st.components.v2.component(
    "supervision.drawing",
    html='<p class="drawing" role="status"></p>',
    css="p {\n  font: 14px/1.5 var(--st-font);\n  color: var(--st-text-color);\n  margin: 0;\n}\n",  # on one line: a file's name
    js=Path(__file__).with_name("drawing.js").read_text("utf-8"),
)


def snapshot_button(
    viewer: Viewer, key: str, gather: Callable[[], Draft], *, words: str = "Make snapshot", warning: str = WARNING
) -> None:
    """The button and what follows it. ``key`` tells what is snapshotted; another key, another snapshot.

    ``gather`` runs when the person has agreed; its SupervisionError is shown in words.
    """
    job: dict[str, Any] = st.session_state.setdefault("_snapshot_jobs", {}).setdefault(key, {})
    with st.container(key=f"snapshot-{key}"):
        if st.button(words, key=f"snapshot-ask-{key}"):
            job.clear()
            job["asked"] = True
        if job.get("asked"):
            _ask(key, job, gather, warning)
        if "draft" in job:
            _draw(viewer, key, job)
        if "stored" in job:
            _links(viewer, job["stored"])


def _ask(key: str, job: dict[str, Any], gather: Callable[[], Draft], warning: str) -> None:
    st.html(f'<div class="sv"><p class="notice" role="status">{escape(warning)}</p></div>')
    with st.container(horizontal=True):
        agreed = st.button("Make it", key=f"snapshot-yes-{key}", type="primary")
        declined = st.button("Not now", key=f"snapshot-no-{key}")
    if declined:
        job.clear()
        st.rerun()
    if not agreed:
        return
    try:
        draft = gather()
    except SupervisionError as error:
        job.clear()
        refused(error)
        return
    job.clear()
    job.update(draft=draft, number=secrets.token_hex(8))
    st.rerun()


def _draw(viewer: Viewer, key: str, job: dict[str, Any]) -> None:
    draft: Draft = job["draft"]
    if not draft.content.figures:
        _store(viewer, job, [])
        return
    sent = _component(
        key=f"snapshot-draw-{key}",
        data={"job": job["number"], "width": PRINT_WIDTH, "figures": [_sendable(one) for one in draft.content.figures]},
        on_drawn_change=_ignore,
    )
    answer = getattr(sent, "drawn", None)
    if isinstance(answer, dict) and answer.get("job") == job["number"]:
        drawings = answer.get("drawings")
        _store(viewer, job, [str(one) for one in drawings] if isinstance(drawings, list) else None)


def _ignore() -> None:
    """A trigger value reaches the run that follows it only where a callback is named."""


def _sendable(figure: Frozen) -> Frozen:
    return {"height": figure["height"], "figure": figure["figure"]}


def _store(viewer: Viewer, job: dict[str, Any], raw: list[str] | None) -> None:
    settings = runtime.settings()
    draft: Draft = job.pop("draft")
    job.clear()
    try:
        job["stored"] = make(runtime.engine(), settings, viewer, draft, raw, settings.now())
    except SupervisionError as error:
        refused(error)
        return
    st.rerun()


def _links(viewer: Viewer, stored: Stored) -> None:
    now = runtime.settings().now()
    anchors = " · ".join(
        f'<a href="{escape(link(viewer, snapshot_kind(stored.public_id, form), now))}" target="_self">Download {SHOWN[form]}</a>'
        for form in stored.formats
    )
    problem = f'<p class="notice" role="status">{escape(stored.problem)}</p>' if stored.problem else ""
    st.html(
        f'<div class="sv"><p role="status">The snapshot is stored. {anchors} · '
        f'<a href="snapshots" target="_self">All snapshots</a></p>{problem}</div>'
    )
