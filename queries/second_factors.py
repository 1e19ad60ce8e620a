"""Second factors as they are stored: an authenticator app and codes on paper, each of which works once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from queries.keys import next_id
from queries.sign_in_tables import RecoveryCode, SecondFactor
from queries.tables import User


@dataclass(frozen=True)
class Factor:
    """Somebody's app. ``confirmed``: in force. ``codes_left``: recovery codes that were not used yet."""

    user_id: int
    secret: str = field(repr=False)
    confirmed: bool
    last_step: int | None
    code_salt: str | None
    codes_left: int


def factor_of(connection: Connection, username: str) -> Factor | None:
    """The app of that person; null where none was set up or offered."""
    left = (
        select(func.count())
        .where(RecoveryCode.user_id == SecondFactor.user_id, RecoveryCode.used_at.is_(None))
        .scalar_subquery()
    )
    row = connection.execute(
        select(
            SecondFactor.user_id,
            SecondFactor.secret,
            SecondFactor.confirmed_at,
            SecondFactor.last_step,
            SecondFactor.code_salt,
            left.label("codes_left"),
        )
        .join(User, User.id == SecondFactor.user_id)
        .where(User.username == username)
    ).first()
    if row is None:
        return None
    return Factor(row.user_id, row.secret, row.confirmed_at is not None, row.last_step, row.code_salt, row.codes_left)


def offer(connection: Connection, user_id: int, secret: str, now: datetime) -> None:
    """Keeps a secret that is not in force before a code of it was given. The caller knows that none is in force."""
    connection.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_(None)))
    connection.execute(
        insert(SecondFactor).values(
            user_id=user_id, secret=secret, created_at=now, confirmed_at=None, last_step=None, code_salt=None
        )
    )


def confirm(connection: Connection, user_id: int, secret: str, step: int, now: datetime) -> bool:
    """Puts the app of that secret in force; the code that did it is spent. False where it is not the one on offer."""
    changed = connection.execute(
        update(SecondFactor)
        .where(SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_(None), SecondFactor.secret == secret)
        .values(confirmed_at=now, last_step=step)
    )
    return changed.rowcount == 1


def spend_step(connection: Connection, user_id: int, step: int) -> bool:
    """Accepts the code of a time step, once: false for this step or an earlier one after it."""
    changed = connection.execute(
        update(SecondFactor)
        .where(
            SecondFactor.user_id == user_id,
            SecondFactor.confirmed_at.is_not(None),
            or_(SecondFactor.last_step.is_(None), SecondFactor.last_step < step),
        )
        .values(last_step=step)
    )
    return changed.rowcount == 1


def spend_code(connection: Connection, user_id: int, code_hash: str, now: datetime) -> bool:
    """Accepts a recovery code, once."""
    changed = connection.execute(
        update(RecoveryCode)
        .where(RecoveryCode.user_id == user_id, RecoveryCode.code_hash == code_hash, RecoveryCode.used_at.is_(None))
        .values(used_at=now)
    )
    return changed.rowcount == 1


def replace_codes(connection: Connection, user_id: int, salt: str, hashes: Sequence[str]) -> None:
    """New recovery codes in place of the old ones, which work no more."""
    connection.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    connection.execute(update(SecondFactor).where(SecondFactor.user_id == user_id).values(code_salt=salt))
    first = next_id(connection, RecoveryCode)
    for number, one in enumerate(hashes):
        connection.execute(insert(RecoveryCode).values(id=first + number, user_id=user_id, code_hash=one, used_at=None))


def remove(connection: Connection, user_id: int) -> bool:
    """Takes the app and its codes away; false where there was none."""
    connection.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    return connection.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id)).rowcount == 1
