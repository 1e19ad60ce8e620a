"""Signed-in browsers, kept on the server. The database holds hashes only; every check reads role and activity afresh."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from queries import audit
from queries.tables import Statement, User, UserSession

BIND_SECONDS = 30
TOUCH_SECONDS = 30  # how stale last_seen_at may be: a write on each rerun would serialise all readers
PASSWORD, PASSWORD_CODE, PASSWORD_RECOVERY = "password", "password and code", "password and recovery code"
PROVIDER, PROVIDER_CODE, PROVIDER_RECOVERY = "provider", "provider and code", "provider and recovery code"
METHODS = (PASSWORD, PASSWORD_CODE, PASSWORD_RECOVERY, PROVIDER, PROVIDER_CODE, PROVIDER_RECOVERY)
LONGEST_AGENT = 300  # project default: what a browser says of itself is cut there


def fingerprint(secret: str) -> str:
    """What is stored of a session id or a one-time code."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class Opening:
    """How a sign-in came about: by which of METHODS, from which address, in which browser (null: not said)."""

    method: str = PASSWORD
    address: str | None = None
    agent: str | None = None


class Live(NamedTuple):
    """A session that is good: whose, whether its last_seen_at wants writing, what it was opened with and what it is for.

    ``purpose`` null: not said.
    """

    username: str
    stale: bool
    method: str
    purpose: str | None


class Bound(NamedTuple):
    """Who a one-time code has just bound a browser to."""

    user_id: int
    username: str


@dataclass(frozen=True)
class SignedIn:
    """One sign-in of somebody, with all its sessions. ``sign_in_id`` names it to its owner and opens nothing."""

    sign_in_id: str
    began: datetime
    last_used: datetime
    method: str
    address: str | None
    agent: str | None


def record_failure(connection: Connection, username: str, now: datetime, detail: str | None = None) -> None:
    """Notes a try that did not work. An unknown name is noted without being repeated."""
    practice = connection.execute(select(User.practice_id).where(User.username == username)).scalar_one_or_none()
    audit.record(
        connection, at=now, practice_id=practice, username="unknown" if practice is None else username, action="refuse sign_in",
        detail=detail,
    )  # fmt: skip


def start(
    connection: Connection,
    username: str,
    session_id: str,
    bind_code: str,
    now: datetime,
    opening: Opening = Opening(),
) -> str:
    """Signs in, with an audit row: a session and its one-time code, by which a browser claims it. Returns the sign-in's name."""
    user = connection.execute(
        select(User.id, User.practice_id, User.token_version).where(User.username == username, User.is_active)
    ).one()
    sign_in_id = secrets.token_hex(8)
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
            sign_in_id=sign_in_id,
            method=opening.method,
            address=opening.address,
            agent=None if opening.agent is None else opening.agent[:LONGEST_AGENT],
        )
    )
    audit.record(
        connection, at=now, practice_id=user.practice_id, username=username, action="sign_in", detail=opening.method
    )
    return sign_in_id


def redeem(connection: Connection, bind_code: str, session_id: str, now: datetime) -> Bound | None:
    """Spends the one-time code: the session goes by ``session_id`` from now on. Null for a wrong, old or spent code."""
    row = connection.execute(
        select(UserSession, User.username)
        .join(User, User.id == UserSession.user_id)
        .where(
            UserSession.bind_code_hash == fingerprint(bind_code),
            ~UserSession.revoked,
            User.is_active,
            User.token_version == UserSession.token_version,
        )
    ).first()
    if row is None or row.bind_expires_at is None or now > row.bind_expires_at:
        return None
    same = ("user_id", "created_at", "token_version", "sign_in_id", "method", "address", "agent", "purpose")
    connection.execute(
        insert(UserSession).values(
            {name: row._mapping[name] for name in same}
            | {
                "id_hash": fingerprint(session_id),
                "last_seen_at": now,
                "revoked": False,
                "bind_code_hash": None,
                "bind_expires_at": None,
            }
        )
    )
    connection.execute(
        update(UserSession).where(UserSession.id_hash == row.id_hash).values(bind_code_hash=None, bind_expires_at=None)
    )
    return Bound(row.user_id, row.username)


def username_of(
    connection: Connection, session_id: str, now: datetime, *, idle_minutes: int, absolute_hours: int
) -> Live | None:
    """Whose live session it is, and whether its last_seen_at wants writing. Null where it ended, in whatever way."""
    row = connection.execute(
        select(UserSession.created_at, UserSession.last_seen_at, UserSession.method, UserSession.purpose, User.username)
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
    return Live(str(row.username), idle > timedelta(seconds=TOUCH_SECONDS), str(row.method), row.purpose)


def touch(connection: Connection, session_id: str, now: datetime) -> None:
    """Notes that the session is in use."""
    connection.execute(
        update(UserSession).where(UserSession.id_hash == fingerprint(session_id)).values(last_seen_at=now)
    )


def sign_in_of(connection: Connection, session_id: str) -> str | None:
    """The name of the sign-in that a session belongs to; null for an unknown one."""
    found = select(UserSession.sign_in_id).where(UserSession.id_hash == fingerprint(session_id))
    return connection.execute(found).scalar_one_or_none()


def end(connection: Connection, session_id: str, now: datetime) -> None:
    """Signs out: every session of the same sign-in ends, with an audit row."""
    row = connection.execute(
        select(UserSession.sign_in_id, UserSession.purpose, User.username, User.practice_id)
        .join(User, User.id == UserSession.user_id)
        .where(UserSession.id_hash == fingerprint(session_id))
    ).first()
    if row is None:
        return
    connection.execute(update(UserSession).where(UserSession.sign_in_id == row.sign_in_id).values(revoked=True))
    audit.record(
        connection, at=now, practice_id=row.practice_id, username=row.username, action="sign_out", purpose=row.purpose
    )


def _own(username: str) -> Statement:
    return (
        select(
            UserSession.sign_in_id,
            func.min(UserSession.created_at).label("began"),
            func.max(UserSession.last_seen_at).label("last_used"),
            func.min(UserSession.method).label("method"),
            func.min(UserSession.address).label("address"),
            func.min(UserSession.agent).label("agent"),
        )
        .join(User, User.id == UserSession.user_id)
        .where(
            User.username == username,
            ~UserSession.revoked,
            User.is_active,
            User.token_version == UserSession.token_version,
        )
        .group_by(UserSession.sign_in_id)
    )


def sign_ins_of(
    connection: Connection, username: str, now: datetime, *, idle_minutes: int, absolute_hours: int
) -> list[SignedIn]:
    """The sign-ins of a person that are still good, the newest first."""
    rows = connection.execute(_own(username))
    found = [SignedIn(r.sign_in_id, r.began, r.last_used, r.method, r.address, r.agent) for r in rows]
    alive = [
        one
        for one in found
        if now - one.began <= timedelta(hours=absolute_hours) and now - one.last_used <= timedelta(minutes=idle_minutes)
    ]
    return sorted(alive, key=lambda one: (one.began, one.sign_in_id), reverse=True)


def end_sign_in(connection: Connection, username: str, sign_in_id: str, now: datetime) -> bool:
    """Ends one sign-in of that very person, with an audit row; false where it is nobody's or somebody else's."""
    row = connection.execute(
        select(User.id, User.practice_id)
        .join(UserSession, UserSession.user_id == User.id)
        .where(User.username == username, UserSession.sign_in_id == sign_in_id, ~UserSession.revoked)
    ).first()
    if row is None:
        return False
    connection.execute(
        update(UserSession)
        .where(UserSession.user_id == row.id, UserSession.sign_in_id == sign_in_id)
        .values(revoked=True)
    )
    audit.record(
        connection, at=now, practice_id=row.practice_id, username=username, action="sign_out", detail="another browser"
    )
    return True


@dataclass(frozen=True)
class SessionFacts:
    """What a session knows besides who it is: since when, and what it is for (null: not said)."""

    since: datetime
    purpose: str | None


def signed_in(connection: Connection, session_id: str) -> SessionFacts | None:
    """What a session knows; null where there is none of that id."""
    row = connection.execute(
        select(UserSession.created_at, UserSession.purpose).where(UserSession.id_hash == fingerprint(session_id))
    ).first()
    return None if row is None else SessionFacts(row.created_at, row.purpose)


def say_purpose(connection: Connection, session_id: str, purpose: str, now: datetime) -> bool:
    """Keeps what a session is for, with an audit row, for every browser and process it lives in. False where it has ended."""
    row = connection.execute(
        select(UserSession.sign_in_id, UserSession.purpose, User.username, User.practice_id)
        .join(User, User.id == UserSession.user_id)
        .where(UserSession.id_hash == fingerprint(session_id), ~UserSession.revoked)
    ).first()
    if row is None:
        return False
    connection.execute(update(UserSession).where(UserSession.sign_in_id == row.sign_in_id).values(purpose=purpose))
    audit.record(
        connection, at=now, practice_id=row.practice_id, username=row.username, action="change purpose", purpose=purpose,
        detail=f"{row.purpose or 'not said'} to {purpose}",
    )  # fmt: skip
    return True


def forget_old(connection: Connection, now: datetime, absolute_hours: int) -> None:
    """Removes sessions that can no longer be used."""
    connection.execute(delete(UserSession).where(UserSession.created_at < now - timedelta(hours=absolute_hours)))


def end_all(connection: Connection) -> int:
    """Ends every session of every practice; everybody signs in again. Returns how many were alive."""
    ended = connection.execute(update(UserSession).where(~UserSession.revoked).values(revoked=True))
    return int(ended.rowcount)
