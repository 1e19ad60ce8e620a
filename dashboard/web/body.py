"""What is sent along with a request: counted as it comes, and not waited for without end."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive

WAIT_SECONDS = 30  # project default: how long a sender may pause


class TooLarge(Exception):
    """More came than this address takes."""


class TooSlow(Exception):
    """The sender paused for too long."""


def counted(receive: Receive, most_bytes: int) -> Receive:
    """``receive``, which raises TooLarge after ``most_bytes`` and TooSlow after a pause.

    The length that the sender announced plays no part: it may be missing or untrue.
    """
    seen, ended = 0, False

    async def limited() -> Message:
        nonlocal seen, ended
        if ended:  # the sender may stay silent for as long as we take to answer
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), WAIT_SECONDS)
        except TimeoutError:
            raise TooSlow from None
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            if seen > most_bytes:
                raise TooLarge
        return message

    return limited
