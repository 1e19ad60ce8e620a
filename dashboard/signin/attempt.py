"""A try with name and password: reserved in the database first, then compared once, then told as right or not, no more.

Unknown, disabled, paused and mistyped names take the same steps: one reservation, one comparison, one note.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from dashboard.settings import Settings
from dashboard.signin.accepted import Accepted, Caller
from dashboard.signin.checking import right_password
from dashboard.signin.passwords import hashed, outdated
from queries import credentials, devices, second_factors, sessions, throttle
from queries.credentials import Credentials
from queries.engine import writing
from queries.throttle import Limits, Reservation

PAUSED = "paused"


def limits_of(settings: Settings) -> Limits:
    """The practice's limits."""
    return Limits(settings.max_sign_in_attempts, settings.max_sign_in_attempts_per_address, settings.lock_minutes)


def same_name(typed: str) -> str:
    """A user name as it is stored, however it was typed."""
    return typed.strip().lower()


def reserve(
    engine: Engine, settings: Settings, username: str, caller: Caller, now: datetime
) -> tuple[Reservation, Credentials | None]:
    """Charges a try before anything is compared; the person, where there is one of that name and the try may go on."""
    with writing(engine) as connection:
        device = devices.known(connection, username, caller.device, now)
        reservation = throttle.reserve(
            connection, username=username, address=caller.address, device=device, now=now, limits=limits_of(settings)
        )
        person = credentials.by_name(connection, username)
        if reservation.first_refusal:  # one note per pause, or a stranger could fill the disk
            sessions.record_failure(connection, username, now, PAUSED)
    return reservation, person if reservation.allowed else None


def note_failure(engine: Engine, username: str, reservation: Reservation, now: datetime) -> None:
    """Notes a try that was let through and did not work."""
    if reservation.allowed:
        with writing(engine) as connection:
            sessions.record_failure(connection, username, now)


def settle(engine: Engine, settings: Settings, reservation: Reservation, now: datetime, *, whole: bool) -> None:
    """Takes a reservation back: all of the counter after a ``whole`` sign-in, else this one try."""
    done = throttle.right if whole else throttle.half_right
    with writing(engine) as connection:
        done(connection, reservation, now, limits_of(settings))


def try_password(
    engine: Engine, settings: Settings, *, username: str, password: str, caller: Caller, now: datetime
) -> Accepted | None:
    """Who this is; null where it did not work, for whatever reason. A hash of the old kind is made anew on the way."""
    name = same_name(username)
    reservation, person = reserve(engine, settings, name, caller, now)
    if not right_password(password, None if person is None else person.password_hash) or person is None:
        note_failure(engine, name, reservation, now)
        return None
    better = hashed(password) if outdated(person.password_hash) else None
    with writing(engine) as connection:
        if better is not None:
            credentials.store_better_hash(connection, name, person.password_hash, better)
        factor = second_factors.factor_of(connection, name)
        needs_code = factor is not None and factor.confirmed
        done = throttle.half_right if needs_code else throttle.right
        done(connection, reservation, now, limits_of(settings))
    return Accepted(person, needs_code)
