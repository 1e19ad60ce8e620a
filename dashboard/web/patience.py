"""HTTP connections that do not stay open while nothing whole arrives on them."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 15  # project default: how long a request line and its headers may take to arrive


class PatientProtocol(H11Protocol):
    """uvicorn's own, which waits without end for a request that was begun, or never was, and so can be held by a few senders."""

    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection: its first request has to come."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Some bytes: the clock stops once the headers are whole."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end of it."""
        self._stop()
        super().connection_lost(exc)

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _watch(self) -> None:
        waits = self.conn.their_state is h11.IDLE and (self.cycle is None or self.cycle.response_complete)
        if not waits or self.transport.get_protocol() is not self:
            self._stop()
        elif self._clock is None:
            self._clock = self.loop.call_later(HEADER_SECONDS, self.transport.close)
