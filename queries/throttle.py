"""How often somebody may try to sign in: leaky counters in the database, charged before a password is looked at.

A try is reserved in a write transaction, where writers take turns, so that any number of tries at once is never more than the
limit, in one process or in several. Every name counts alike, whether anybody has it or not. A browser in which the person
signed in before has a counter of its own and is charged nowhere else, so that nobody can shut a colleague out
(OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from queries.deployment import shared_secret
from queries.sign_in_tables import SignInCounter

PURPOSE = "sign-in counters"
ROUNDING = 1e-9  # a counter that leaked exactly one try has room for one


@dataclass(frozen=True)
class Limits:
    """Tries before a pause, for one account (or known browser) and for one address; a full counter is empty after ``minutes``."""

    account: int
    address: int
    minutes: int


@dataclass(frozen=True)
class Reservation:
    """Whether a try may go on, and the counters that it was charged to. ``first_refusal``: the first one turned away there."""

    allowed: bool
    own: str
    address: str | None
    first_refusal: bool = False


def _named(connection: Connection, kind: str, what: str) -> str:
    # keyed, since people type a password where the name belongs
    key = bytes.fromhex(shared_secret(connection, PURPOSE))
    return hashlib.blake2b(f"{kind}\x1f{what}".encode(), key=key, digest_size=16).hexdigest()


def _level(connection: Connection, name: str, limit: int, minutes: int, now: datetime) -> tuple[float, int] | None:
    row = connection.execute(
        select(SignInCounter.level, SignInCounter.at, SignInCounter.refused).where(SignInCounter.name == name)
    ).first()
    if row is None:
        return None
    gone = max(0.0, (now - row.at).total_seconds()) / 60  # never negative: clocks are set back in autumn
    return max(0.0, row.level - gone * limit / max(1, minutes)), int(row.refused)


def _charge(connection: Connection, name: str, limit: int, minutes: int, now: datetime) -> tuple[bool, bool]:
    found = _level(connection, name, limit, minutes, now)
    level, refused = found or (0.0, 0)
    room = level + 1 <= limit + ROUNDING
    values = {"level": level + 1 if room else level, "at": now, "refused": 0 if room else refused + 1}
    if found is None:
        connection.execute(insert(SignInCounter).values(name=name, **values))
    else:
        connection.execute(update(SignInCounter).where(SignInCounter.name == name).values(**values))
    return room, not room and refused == 0


def reserve(
    connection: Connection, *, username: str, address: str | None, device: str | None, now: datetime, limits: Limits
) -> Reservation:
    """Charges a try, in the caller's write transaction. ``device``: the digest of a known browser of that very person.

    ``address`` null: this machine itself, which is not counted. A try that is turned away charges the account nothing.
    """
    connection.execute(delete(SignInCounter).where(SignInCounter.at < now - timedelta(minutes=limits.minutes)))
    if device is not None:
        own = _named(connection, "device", device)
        allowed, first = _charge(connection, own, limits.account, limits.minutes, now)
        return Reservation(allowed, own, None, first)
    own = _named(connection, "account", username)
    place = None if address is None else _named(connection, "address", address)
    if place is not None:
        allowed, first = _charge(connection, place, limits.address, limits.minutes, now)
        if not allowed:
            return Reservation(False, own, place, first)
    allowed, first = _charge(connection, own, limits.account, limits.minutes, now)
    return Reservation(allowed, own, place, first)


def _give_back(connection: Connection, name: str, limit: int, minutes: int, now: datetime) -> None:
    found = _level(connection, name, limit, minutes, now)
    if found is not None:
        left = {"level": max(0.0, found[0] - 1), "at": now}
        connection.execute(update(SignInCounter).where(SignInCounter.name == name).values(**left))


def half_right(connection: Connection, reservation: Reservation, now: datetime, limits: Limits) -> None:
    """Takes one try back: the password was right, and a code is still to come, whose tries count on."""
    _give_back(connection, reservation.own, limits.account, limits.minutes, now)
    if reservation.address is not None:
        _give_back(connection, reservation.address, limits.address, limits.minutes, now)


def right(connection: Connection, reservation: Reservation, now: datetime, limits: Limits) -> None:
    """Empties the account's counter after a whole sign-in; the address, which others share, gets one try back."""
    connection.execute(delete(SignInCounter).where(SignInCounter.name == reservation.own))
    if reservation.address is not None:
        _give_back(connection, reservation.address, limits.address, limits.minutes, now)


def forget_account(connection: Connection, username: str) -> None:
    """Empties an account's counter, for a reset."""
    connection.execute(delete(SignInCounter).where(SignInCounter.name == _named(connection, "account", username)))
