"""The name of the session cookie.

Apart from the gate: streamlit-authenticator's component registers itself only when imported by a running server, so the
server module must not import it before that.
"""

from __future__ import annotations

from dashboard import runtime

COOKIE = "supervision_session"


def cookie_name() -> str:
    """Prefixed where the site is served over TLS, so that no other site can set it."""
    return f"__Host-{COOKIE}" if runtime.settings().tls else COOKIE
