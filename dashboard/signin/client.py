"""What the browser's connection says of itself: address, name of the browser, and the word of a known one.

Streamlit's address is the connection's own, which uvicorn replaces by the last hop of X-Forwarded-For that is no trusted
proxy, for connections from trusted proxies only (``serving`` names them). Streamlit answers null for this machine itself.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

import streamlit as st

from dashboard.signin.accepted import Caller
from dashboard.signin.cookie import device_cookie_name

HOME_PREFIX = 64  # RFC 6177: a home or an office has at least a /64 of IPv6 addresses, and may change within it at will


def counted_address(given: object) -> str | None:
    """The address that tries are counted by: an IPv6 one by its network. Null for this machine, or where there is none."""
    try:
        found = ip_address(str(given))
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return None if found.is_loopback else str(ip_network((found, HOME_PREFIX), strict=False))
        found = found.ipv4_mapped
    return None if found.is_loopback else str(found)


def caller(username: str) -> Caller:
    """Where a try for that name comes from."""
    agent = st.context.headers.get("User-Agent")
    word = st.context.cookies.get(device_cookie_name(username))
    return Caller(
        counted_address(st.context.ip_address),
        agent if isinstance(agent, str) else None,
        word if isinstance(word, str) else None,
    )
