"""Whether an address of ours can be reached from other machines, and what is needed before we serve there."""

from __future__ import annotations

import socket
from functools import lru_cache
from ipaddress import ip_address

from dashboard.errors import UnusableInput
from dashboard.settings import Settings


@lru_cache(maxsize=16)
def _addresses(host: str) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(sorted({str(one[4][0]).partition("%")[0] for one in found}))


def is_public(host: str) -> bool:
    """Whether anything but this machine itself could reach a server that listens at ``host``.

    True as well for the addresses that stand for all (empty, 0.0.0.0, ::), and where the name is not known.
    """
    found = _addresses(host) if host else ()
    return not found or not all(ip_address(one).is_loopback for one in found)


def check_exposure(host: str, settings: Settings, *, insecure_http: bool) -> None:
    """Raises UnusableInput where people's passwords and clients' data would cross a network in the clear, unasked for."""
    if host and not _addresses(host):
        raise UnusableInput(f"'{host}' is no address of this machine. Use 127.0.0.1, or one that it has.")
    if is_public(host) and not settings.tls and not insecure_http:
        raise UnusableInput(
            f"Other machines can reach '{host or '0.0.0.0'}', and nothing encrypts what they send: not served.\n"  # noqa: S104
            "Put a proxy that speaks TLS in front and set SUPERVISION_TLS=true (dashboard/deploy/nginx.conf is one),\n"
            "or serve this machine only (--host 127.0.0.1). --insecure-http serves in the clear all the same."
        )
