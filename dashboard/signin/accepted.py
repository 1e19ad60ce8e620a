"""Who tries to sign in from where, and who was let in."""

from __future__ import annotations

from dataclasses import dataclass, field

from queries.credentials import Credentials


@dataclass(frozen=True)
class Caller:
    """Where a try comes from: address (null: this machine), what the browser says it is, and the word of a known browser."""

    address: str | None = None
    agent: str | None = None
    device: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Accepted:
    """Somebody whose password, or whose provider's answer, was right. ``needs_code``: their second factor is still to come."""

    person: Credentials
    needs_code: bool
