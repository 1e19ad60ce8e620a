"""Which names and sites a request may come by: the Host header, and the Origin of a page's connection."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from dashboard.exposure import is_public
from dashboard.settings import Settings

NAME = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)


def listed(text: str) -> tuple[str, ...]:
    """The words of a setting that holds several, with commas between them."""
    return tuple(word.strip().lower() for word in text.split(",") if word.strip())


def _bare(host: str) -> str:
    name = host.lower()
    name = name.partition("]")[0].lstrip("[") if name.startswith("[") else name.partition(":")[0]
    return name.rstrip(".")


def _of_this_machine(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def host_allowed(host: str | None, settings: Settings) -> bool:
    """Whether a Host header names us.

    By setting ``allowed_hosts`` (``*.example.org`` is any name below). Without it: only this machine's own names where nobody
    else can reach us, which keeps a foreign site from being pointed at us; any name behind a proxy or on a public address.
    """
    if host is None or not NAME.fullmatch(host):
        return False
    name = _bare(host)
    if allowed := listed(settings.allowed_hosts):
        return any(name.endswith(one[1:]) if one.startswith("*.") else name == one.rstrip(".") for one in allowed)
    return _of_this_machine(name) or settings.tls or is_public(settings.host)


def origin_allowed(origin: str | None, host: str | None, settings: Settings) -> bool:
    """Whether the site that opened a connection is ours: the same name and port, over TLS where we are served over it.

    ``origin`` None: by setting ``require_origin``, since browsers always say it.
    """
    if origin is None:
        return not settings.require_origin
    parsed = urlsplit(origin)
    scheme = "https" if settings.tls else "http"
    return bool(host) and parsed.scheme == scheme and parsed.netloc.lower() == str(host).lower()
