"""People of a practice, for the command line: add, list, disable, reset."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from dashboard.access import Role
from dashboard.errors import UnusableInput
from dashboard.signin.passwords import SHORTEST, check_policy, hashed, random_password
from queries import people as stored
from queries import practices
from queries.engine import reading, writing

OPERATOR = "operator"
USERNAME = re.compile(r"^[a-z0-9][a-z0-9._-]{1,39}$")
EMAIL = re.compile(r"^[^@\s,;<>]{1,64}@[^@\s,;<>]{1,250}$")  # a shape, no more: the provider says which ones there are


@dataclass(frozen=True)
class Person:
    """One line of ``user list``."""

    username: str
    role: str
    clinician: str | None
    is_active: bool
    must_change: bool
    email: str | None = None
    second_factor: bool = False


def checked_role(role: str) -> Role:
    """The role of that name; raises UnusableInput for any other word."""
    try:
        return Role(role)
    except ValueError:
        raise UnusableInput(f"There is no role '{role}'. Choose one of: {', '.join(Role)}.") from None


def checked_username(username: str) -> str:
    """The name itself; raises UnusableInput where it is not lower-case letters, digits, dots, dashes."""
    if not USERNAME.fullmatch(username):
        raise UnusableInput(f"'{username}' cannot be a user name. Use 2 to 40 lower-case letters, digits, . _ or -.")
    return username


def checked_email(email: str | None) -> str | None:
    """The address as it is stored, in lower case; null for none. Raises UnusableInput for what is no address."""
    given = (email or "").strip().lower()
    if given and not EMAIL.fullmatch(given):
        raise UnusableInput(f"'{given}' is no e-mail address. Use one such as name@practice.example, or none.")
    return given or None


def add_person(
    engine: Engine,
    *,
    practice: str | None,
    username: str,
    role: str,
    clinician: str | None,
    password: str | None,
    must_change: bool,
    now: datetime,
    actor: str = OPERATOR,
    first_practice: str = "My practice",
    email: str | None = None,
    shortest: int = SHORTEST,
) -> str:
    """Adds a person and returns their password (random where none was given).

    Raises UnusableInput for an unknown role or clinician, a taken name or address, or a password that will not do.
    """
    chosen_role = checked_role(role)
    checked_username(username)
    if chosen_role is Role.CLINICIAN and clinician is None:
        raise UnusableInput("A clinician needs --clinician with their clinician_id, or they would see nothing.")
    address = checked_email(email)
    if password is not None:
        with reading(engine) as connection:
            anybody = practices.all_practices(connection)
            place = practices.name_of(connection, practices.find_practice(connection, practice)) if anybody else ""
        check_policy(password, context=(username, place or practice or first_practice), shortest=shortest)
    chosen = password if password is not None else random_password()
    secret = hashed(chosen)
    with writing(engine) as connection:
        if not practices.all_practices(connection):  # the first person may come before the first file
            practices.ensure_practice(connection, practice or first_practice, now)
        practice_id = practices.find_practice(connection, practice)
        linked = None if clinician is None else stored.clinician_of(connection, practice_id, clinician)
        stored.add_user(
            connection,
            practice_id=practice_id,
            username=username,
            role=chosen_role,
            clinician_id=linked,
            password_hash=secret,
            must_change=must_change,
            now=now,
            actor=actor,
            email=address,
        )
    return chosen


def people(engine: Engine, *, practice: str | None) -> list[Person]:
    """Everyone who may sign in, or might have."""
    with reading(engine) as connection:
        return [Person(*row) for row in stored.list_users(connection, practices.find_practice(connection, practice))]


def disable_person(
    engine: Engine, *, practice: str | None, username: str, now: datetime, active: bool = False, actor: str = OPERATOR
) -> None:
    """Ends somebody's access (or gives it back). Raises UnusableInput where there is no such user."""
    with writing(engine) as connection:
        practice_id = practices.find_practice(connection, practice)
        stored.set_active(connection, practice_id=practice_id, username=username, active=active, now=now, actor=actor)


def reset_person(engine: Engine, *, practice: str | None, username: str, now: datetime, actor: str = OPERATOR) -> str:
    """A new random password, to be changed at the next sign-in."""
    password = random_password()
    secret = hashed(password)
    with writing(engine) as connection:
        practice_id = practices.find_practice(connection, practice)
        stored.set_password(
            connection,
            practice_id=practice_id,
            username=username,
            password_hash=secret,
            must_change=True,
            now=now,
            actor=actor,
        )
    return password


def link_person(
    engine: Engine, *, practice: str | None, username: str, clinician: str | None, now: datetime, actor: str = OPERATOR
) -> None:
    """Says as which clinician somebody works. Raises UnusableInput for an unknown user or clinician."""
    with writing(engine) as connection:
        practice_id = practices.find_practice(connection, practice)
        linked = None if clinician is None else stored.clinician_of(connection, practice_id, clinician)
        stored.set_clinician(
            connection, practice_id=practice_id, username=username, clinician_id=linked, now=now, actor=actor
        )


def set_person_email(
    engine: Engine, *, practice: str | None, username: str, email: str | None, now: datetime, actor: str = OPERATOR
) -> str | None:
    """Says by which address single sign-on knows somebody (null: by none); returns it as it is stored.

    Raises UnusableInput for an unknown user, what is no address, or one that belongs to somebody else.
    """
    address = checked_email(email)
    with writing(engine) as connection:
        practice_id = practices.find_practice(connection, practice)
        stored.set_email(connection, practice_id=practice_id, username=username, email=address, now=now, actor=actor)
    return address


def reset_second_factor(
    engine: Engine, *, practice: str | None, username: str, now: datetime, actor: str = OPERATOR
) -> None:
    """Takes somebody's second factor away, for a lost phone; their sessions end. Raises UnusableInput where there is none."""
    with writing(engine) as connection:
        practice_id = practices.find_practice(connection, practice)
        stored.remove_second_factor(connection, practice_id=practice_id, username=username, now=now, actor=actor)
