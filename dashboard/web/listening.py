"""How the server listens: limits on what it takes, and no line in the log for each request.

Access lines would hold addresses with ids in them; there are none. What is refused or fails is told by ``dashboard.logs``.
"""

from __future__ import annotations

import os
import socket
from typing import Any

import uvicorn

from dashboard.errors import SupervisionError
from dashboard.settings import Settings
from dashboard.sign_in_rules import trusted_proxies
from dashboard.web.guard import MB
from dashboard.web.patience import PatientProtocol

MOST_HEADER_BYTES = 32 * 1024  # project default: a request line and its headers, cookies among them
KEEP_ALIVE_SECONDS = 10  # project default: an idle connection between two requests
MOST_CONNECTIONS = 2000  # project default: of everybody together, pages and requests; beyond it 503
PING_SECONDS = 30  # as Streamlit: a page that does not answer is let go
END_SECONDS = 5  # project default: how long pages may go on when the server is told to stop


def bound(host: str, port: int) -> socket.socket:
    """A socket that holds the address and does not listen yet. Raises SupervisionError where it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or "0.0.0.0",  # noqa: S104 - asked for
            port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )[0]
        found = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":  # elsewhere it would let two programs hold one port
                found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(address)
        except OSError:
            found.close()
            raise
    except OSError as error:
        raise SupervisionError(
            f"Port {port} of {host} cannot be used: {error.strerror}. Stop what uses it, or choose another: --port"
        ) from None
    return found


def server_config(app: Any, settings: Settings) -> uvicorn.Config:
    """The server of ``app`` under these settings."""
    # the address is then the last hop that is no proxy of the practice; by itself uvicorn would believe this whole machine
    trusted = trusted_proxies(settings)
    return uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="websockets-sansio",
        ws_max_size=settings.max_message_mb * MB,
        ws_max_queue=8,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,  # as Streamlit: a small message cannot unpack into a large one
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=END_SECONDS,
        limit_concurrency=MOST_CONNECTIONS,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=list(trusted),
        server_header=False,
        access_log=False,
        log_config=None,
        use_colors=False,
    )
