"""The names of our cookies.

Apart from the gate: streamlit-authenticator's component registers itself only when imported by a running server, so the
server module must not import it before that.
"""

from __future__ import annotations

import hashlib

from dashboard import runtime

COOKIE = "supervision_session"
DEVICE = "supervision_device"


def _own(name: str) -> str:
    return f"__Host-{name}" if runtime.settings().tls else name


def cookie_name() -> str:
    """Prefixed where the site is served over TLS, so that no other site can set it."""
    return _own(COOKIE)


def device_cookie_name(username: str) -> str:
    """One for each person who signed in with this browser, so that colleagues at one desk do not undo each other's."""
    return f"{_own(DEVICE)}_{hashlib.sha256(username.encode()).hexdigest()[:12]}"
