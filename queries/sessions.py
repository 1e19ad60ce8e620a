"""Signed-in browsers, kept on the server. The database holds hashes only; every check reads role and activity afresh."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from queries import audit
from queries.tables import User, UserSession

BIND_SECONDS = 30
TOUCH_SECONDS = 30  # how stale last_seen_at may be: a write on each rerun would serialise all readers


def fingerprint(secret: str) -> str:
    """What is stored of a session id or a one-time code."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class Attempt:
    """What the sign-in form needs to know of a name: its hash and its recent failures. Null hash: nobody to let in."""

    password_hash: str | None
    failed: int


def attempt(connection: Connection, username: str, now: datetime, lock_minutes: int) -> Attempt:
    """The stored hash of an active person and how often the password was wrong lately."""
    row = connection.execute(
        select(User.password_hash, User.failed_attempts, User.last_failed_at).where(
            User.username == username, User.is_active
        )
    ).first()
    if row is None:
        return Attempt(None, 0)
    recent = row.last_failed_at is not None and now - row.last_failed_at < timedelta(minutes=lock_minutes)
    return Attempt(row.password_hash, row.failed_attempts if recent else 0)


def record_failure(connection: Connection, username: str, now: datetime, lock_minutes: int) -> None:
    """Counts a wrong password in the database itself, and notes it. An unknown name is noted without being repeated."""
    row = connection.execute(
        select(User.id, User.practice_id, User.last_failed_at).where(User.username == username)
    ).first()
    if row is None:
        audit.record(connection, at=now, practice_id=None, username="unknown", action="refuse sign_in")
        return
    fresh = row.last_failed_at is None or now - row.last_failed_at >= timedelta(minutes=lock_minutes)
    connection.execute(
        update(User)
        .where(User.id == row.id)
        .values(failed_attempts=1 if fresh else User.failed_attempts + 1, last_failed_at=now)
    )
    audit.record(connection, at=now, practice_id=row.practice_id, username=username, action="refuse sign_in")


def start(connection: Connection, username: str, session_id: str, bind_code: str, now: datetime) -> None:
    """Opens a session for a person whose password was right; the browser claims it with the one-time code."""
    user = connection.execute(
        select(User.id, User.practice_id, User.token_version).where(User.username == username, User.is_active)
    ).one()
    connection.execute(update(User).where(User.id == user.id).values(failed_attempts=0, last_failed_at=None))
    connection.execute(
        insert(UserSession).values(
            id_hash=fingerprint(session_id),
            user_id=user.id,
            created_at=now,
            last_seen_at=now,
            revoked=False,
            token_version=user.token_version,
            bind_code_hash=fingerprint(bind_code),
            bind_expires_at=now + timedelta(seconds=BIND_SECONDS),
        )
    )
    audit.record(connection, at=now, practice_id=user.practice_id, username=username, action="sign_in")


def redeem(connection: Connection, bind_code: str, session_id: str, now: datetime) -> bool:
    """Spends the one-time code: the session goes by ``session_id`` from now on. False for a wrong, old or spent code."""
    row = connection.execute(
        select(
            UserSession.id_hash,
            UserSession.user_id,
            UserSession.created_at,
            UserSession.token_version,
            UserSession.bind_expires_at,
            UserSession.purpose,
        ).where(UserSession.bind_code_hash == fingerprint(bind_code), ~UserSession.revoked)
    ).first()
    if row is None or row.bind_expires_at is None or now > row.bind_expires_at:
        return False
    connection.execute(
        insert(UserSession).values(
            id_hash=fingerprint(session_id),
            user_id=row.user_id,
            created_at=row.created_at,
            last_seen_at=now,
            revoked=False,
            token_version=row.token_version,
            bind_code_hash=None,
            bind_expires_at=None,
            purpose=row.purpose,
        )
    )
    connection.execute(
        update(UserSession).where(UserSession.id_hash == row.id_hash).values(bind_code_hash=None, bind_expires_at=None)
    )
    return True


def username_of(
    connection: Connection, session_id: str, now: datetime, *, idle_minutes: int, absolute_hours: int
) -> tuple[str, bool] | None:
    """Whose live session it is, and whether its last_seen_at wants writing. Null where it ended, in whatever way."""
    row = connection.execute(
        select(UserSession.created_at, UserSession.last_seen_at, User.username)
        .join(User, User.id == UserSession.user_id)
        .where(
            UserSession.id_hash == fingerprint(session_id),
            ~UserSession.revoked,
            User.is_active,
            User.token_version == UserSession.token_version,
        )
    ).first()
    if row is None or now - row.created_at > timedelta(hours=absolute_hours):
        return None
    idle = now - row.last_seen_at
    if idle > timedelta(minutes=idle_minutes):
        return None
    return str(row.username), idle > timedelta(seconds=TOUCH_SECONDS)


def touch(connection: Connection, session_id: str, now: datetime) -> None:
    """Notes that the session is in use."""
    connection.execute(
        update(UserSession).where(UserSession.id_hash == fingerprint(session_id)).values(last_seen_at=now)
    )


def end(connection: Connection, session_id: str, now: datetime) -> None:
    """Signs out: every session of the same sign-in ends, with an audit row."""
    row = connection.execute(
        select(UserSession.user_id, UserSession.created_at, UserSession.purpose, User.username, User.practice_id)
        .join(User, User.id == UserSession.user_id)
        .where(UserSession.id_hash == fingerprint(session_id))
    ).first()
    if row is None:
        return
    connection.execute(
        update(UserSession)
        .where(UserSession.user_id == row.user_id, UserSession.created_at == row.created_at)
        .values(revoked=True)
    )
    audit.record(
        connection, at=now, practice_id=row.practice_id, username=row.username, action="sign_out", purpose=row.purpose
    )  # fmt: skip


@dataclass(frozen=True)
class SignedIn:
    """What a session knows besides who it is: since when, and what it is for (null: not said)."""

    since: datetime
    purpose: str | None


def signed_in(connection: Connection, session_id: str) -> SignedIn | None:
    """What a session knows; null where there is none of that id."""
    row = connection.execute(
        select(UserSession.created_at, UserSession.purpose).where(UserSession.id_hash == fingerprint(session_id))
    ).first()
    return None if row is None else SignedIn(row.created_at, row.purpose)


def say_purpose(connection: Connection, session_id: str, purpose: str, now: datetime) -> bool:
    """Keeps what a session is for, with an audit row, for every browser and process it lives in. False where it has ended."""
    row = connection.execute(
        select(UserSession.user_id, UserSession.created_at, UserSession.purpose, User.username, User.practice_id)
        .join(User, User.id == UserSession.user_id)
        .where(UserSession.id_hash == fingerprint(session_id), ~UserSession.revoked)
    ).first()
    if row is None:
        return False
    connection.execute(
        update(UserSession)
        .where(UserSession.user_id == row.user_id, UserSession.created_at == row.created_at)
        .values(purpose=purpose)
    )
    audit.record(
        connection, at=now, practice_id=row.practice_id, username=row.username, action="change purpose", purpose=purpose,
        detail=f"{row.purpose or 'not said'} to {purpose}",
    )  # fmt: skip
    return True


def forget_old(connection: Connection, now: datetime, absolute_hours: int) -> None:
    """Removes sessions that can no longer be used."""
    connection.execute(delete(UserSession).where(UserSession.created_at < now - timedelta(hours=absolute_hours)))
