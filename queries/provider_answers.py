"""Answers of the single sign-on provider: each opens one session, in one process or in several."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from queries.sign_in_tables import ProviderAnswer

KEPT = timedelta(days=2)  # far longer than an answer is fresh, whatever is done to the clock in between


def spend(connection: Connection, digest: str, now: datetime) -> bool:
    """Takes an answer, once, in the caller's write transaction; false where it was taken before."""
    connection.execute(delete(ProviderAnswer).where(ProviderAnswer.at < now - KEPT))
    if connection.execute(select(ProviderAnswer.digest).where(ProviderAnswer.digest == digest)).first():
        return False
    connection.execute(insert(ProviderAnswer).values(digest=digest, at=now))
    return True
