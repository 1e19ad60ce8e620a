"""Browsers that somebody signed in with before. Knowing one opens nothing: it only gives that person a counter of their own."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from queries.keys import next_id
from queries.sessions import fingerprint
from queries.sign_in_tables import UserDevice
from queries.tables import User

DAYS = 180  # project default: how long a browser stays known without a sign-in
MOST = 20  # project default: known browsers of one person; the one that was used longest ago goes first


def known(connection: Connection, username: str, secret: str | None, now: datetime) -> str | None:
    """The digest of a browser that this very person signed in with; null for anybody else's, an old or an invented one."""
    if not secret:
        return None
    digest = fingerprint(secret)
    found = connection.execute(
        select(UserDevice.id)
        .join(User, User.id == UserDevice.user_id)
        .where(
            UserDevice.secret_hash == digest,
            User.username == username,
            UserDevice.last_used_at >= now - timedelta(days=DAYS),
        )
    ).first()
    return None if found is None else digest


def remember(connection: Connection, user_id: int, username: str, presented: str | None, now: datetime) -> str:
    """The word that this browser keeps from now on: the one it has where it is good, else a new one."""
    digest = known(connection, username, presented, now)
    if presented and digest is not None:
        connection.execute(update(UserDevice).where(UserDevice.secret_hash == digest).values(last_used_at=now))
        return presented
    long_ago = now - timedelta(days=DAYS)
    connection.execute(delete(UserDevice).where(UserDevice.user_id == user_id, UserDevice.last_used_at < long_ago))
    made = secrets.token_urlsafe(32)
    connection.execute(
        insert(UserDevice).values(
            id=next_id(connection, UserDevice), user_id=user_id, secret_hash=fingerprint(made), created_at=now, last_used_at=now,
        )
    )  # fmt: skip
    kept = (
        select(UserDevice.id)
        .where(UserDevice.user_id == user_id)
        .order_by(UserDevice.last_used_at.desc(), UserDevice.id.desc())
        .limit(MOST)
    )
    connection.execute(
        delete(UserDevice).where(UserDevice.user_id == user_id, UserDevice.id.not_in(kept.scalar_subquery()))
    )
    return made


def forget(connection: Connection, user_id: int) -> None:
    """Forgets every browser of a person."""
    connection.execute(delete(UserDevice).where(UserDevice.user_id == user_id))
