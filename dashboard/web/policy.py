"""The headers of every answer, and why the content policy is no stricter.

Measured in Chromium on every page and role, with figures, tables, components, forms, the import assistant, a meeting and the
drawing of a snapshot; a test repeats it and fails on any complaint of the browser.

| exception | what breaks without it |
| --- | --- |
| script-src 'sha256-…' | the one inline script of Streamlit's own page, and our three constants (``dashboard.ui.scripts``); no other inline script runs, so 'unsafe-inline' is not there |
| script-src blob: | a component of ours (caseload table, entry form, boxes that save themselves) is handed over by Streamlit as a blob and imported; a page cannot make a blob without a script that runs already |
| style-src 'unsafe-inline' | Streamlit's look (emotion) and Plotly put style sheets and style attributes into the page while it runs, with texts that differ each time; no hash or nonce can be given to them |
| img-src data: | the picture that an authenticator app reads, made here and shown once; an image runs nothing |
| font-src data: | signs of Streamlit's icons |
| connect-src ws://host | the page's own connection, for browsers that do not take 'self' to mean it; only the host that was asked for |

Not there at all: 'unsafe-eval' and WebAssembly (nothing we use needs them), frames, workers, plug-ins, any other host.
"""  # noqa: E501 - a table

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import streamlit

from dashboard.ui.scripts import hash_source, hash_sources

INDEX = Path(streamlit.__file__).with_name("static") / "index.html"
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "x-permitted-cross-domain-policies": "none",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "origin-agent-cluster": "?1",
    "permissions-policy": ", ".join(
        f"{name}=()"
        for name in (
            "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation",
            "gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking",
        )
    ),
}  # fmt: skip
TLS = {"strict-transport-security": "max-age=31536000"}
FILE = (
    "default-src 'none'; frame-ancestors 'none'; sandbox"  # of what is downloaded: even opened in place it runs nothing
)


@cache
def _scripts() -> str:
    own = (hash_source(text) for text in INLINE.findall(INDEX.read_text("utf-8")))
    return " ".join(("'self'", "blob:", *own, *hash_sources()))


def page_policy(host: str, *, tls: bool) -> str:
    """The content policy of a page that was asked for at ``host``, a name that has been checked, with its port."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_scripts()}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            f"connect-src 'self' {'wss' if tls else 'ws'}://{host}",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            *(("upgrade-insecure-requests",) if tls else ()),
        )
    )


def cache_control(path: str, said: str | None) -> str:
    """How long an answer may be kept: program files as Streamlit says, anything else not at all."""
    if path.startswith("/static/") and said:
        return said
    return said if said is not None and path == "/assets/plotly.min.js" else "no-store"
