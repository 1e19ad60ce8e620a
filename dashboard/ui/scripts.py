"""The few scripts that we put into a page ourselves: constants, each run by name and known to the content policy by its hash.

Nothing else of ours may run as an inline script: what a script needs to know comes in ``data-`` attributes, so that its text,
and with it its hash, never changes.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import streamlit as st

from dashboard.harmless import escape

HERE = Path(__file__).parent
# links: pages open without a reload · meeting_keys: arrow keys and H in a meeting · bind: trades a sign-in for its cookie
# drop_provider: lets go of the cookies of single sign-on
SCRIPTS = {
    name: (HERE / f"{name}.js").read_text("utf-8") for name in ("links", "meeting_keys", "bind", "drop_provider")
}


def run_script(name: str, **data: str) -> None:
    """Runs one of ``SCRIPTS`` on the page. ``data``: what it finds as ``document.currentScript.dataset``."""
    attributes = "".join(f' data-{key}="{escape(value)}"' for key, value in data.items())
    st.html(f'<div class="sv-hidden"></div><script{attributes}>{SCRIPTS[name]}</script>', unsafe_allow_javascript=True)


def hash_source(text: str) -> str:
    """The text of a script as a content policy names it: 'sha256-…'."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def hash_sources() -> tuple[str, ...]:
    """All of ``SCRIPTS``, as a content policy names them."""
    return tuple(hash_source(text) for text in SCRIPTS.values())
