"""Random words that all processes on one database share: made once, by whoever needs one first."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, insert, select

from queries.sign_in_tables import DeploymentSecret

BYTES = 32  # 256 bits, as much as the digests that they key


def kept_secret(connection: Connection, purpose: str) -> str | None:
    """The word for a purpose; null where nobody needed one yet."""
    return connection.execute(
        select(DeploymentSecret.value).where(DeploymentSecret.name == purpose)
    ).scalar_one_or_none()


def shared_secret(connection: Connection, purpose: str) -> str:
    """The word for a purpose, 64 hexadecimal digits; made in the caller's write transaction where there is none yet."""
    kept = kept_secret(connection, purpose)
    if kept is not None:
        return kept
    made = secrets.token_hex(BYTES)
    connection.execute(insert(DeploymentSecret).values(name=purpose, value=made))
    return made
