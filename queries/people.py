"""Who may sign in, as what, and whose episodes that opens."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection, insert, select, update

from dashboard.access import Role, Viewer
from dashboard.errors import UnusableInput
from queries import audit, devices, second_factors, throttle
from queries.acting import Door, within
from queries.keys import next_id
from queries.opened_caseloads import opened_now
from queries.sign_in_tables import SecondFactor
from queries.tables import Clinician, Practice, User
from queries.today import covered, supervised


def viewer(connection: Connection, username: str, today: date, *, asking: datetime | None = None) -> Viewer | None:
    """The active person of that name as the database knows them today; null for anyone else.

    ``asking``: the moment, in a practice where directors give a reason before they open a caseload; null elsewhere.
    """
    row = connection.execute(
        select(
            User.username,
            User.role,
            User.practice_id,
            User.clinician_id,
            User.must_change,
            Clinician.display_name,
            Practice.secret,
        )
        .join(Practice, Practice.id == User.practice_id)
        .join(Clinician, Clinician.id == User.clinician_id, isouter=True)
        .where(User.username == username, User.is_active)
    ).first()
    if row is None:
        return None
    role = Role(row.role)
    gives_reasons = asking is not None and role is Role.DIRECTOR
    supervises = row.clinician_id is not None and (role is Role.SUPERVISOR or gives_reasons)
    covers = row.clinician_id is not None and role in (Role.CLINICIAN, Role.SUPERVISOR)
    opened = opened_now(connection, row.practice_id, username, asking) if asking is not None and gives_reasons else {}
    midnight = datetime.combine(today + timedelta(days=1), time.min)
    return Viewer(
        username=row.username,
        role=role,
        practice_id=row.practice_id,
        clinician_id=row.clinician_id,
        supervisee_ids=supervised(connection, row.practice_id, row.clinician_id, today) if supervises else frozenset(),
        name=row.display_name or row.username,
        must_change=row.must_change,
        link_secret=row.secret,
        covers=covered(connection, row.practice_id, row.clinician_id, today) if covers else (),
        gives_reasons=gives_reasons,
        opened_ids=frozenset(opened),
        until=min([midnight, *opened.values()]),
    )


def anybody(connection: Connection) -> bool:
    """Whether anyone at all may sign in; false only before the first person was added."""
    return connection.execute(select(User.id).limit(1)).first() is not None


def clinician_of(connection: Connection, practice_id: int, source_id: str) -> int:
    """The clinician with that id of the practice's own. Raises UnusableInput where there is none, or more than one source."""
    found = list(
        connection.execute(
            select(Clinician.id).where(Clinician.practice_id == practice_id, Clinician.source_id == source_id)
        ).scalars()
    )
    if not found:
        raise UnusableInput(f"There is no clinician '{source_id}'. Import clinicians.csv first, or correct the id.")
    if len(found) > 1:
        raise UnusableInput(f"Two sources have a clinician '{source_id}'. Rename one of them and import again.")
    return int(found[0])


def _one(connection: Connection, practice_id: int, username: str) -> User:
    user = connection.execute(
        select(User.id, User.username, User.role, User.is_active).where(
            User.practice_id == practice_id, User.username == username
        )
    ).first()
    if user is None:
        raise UnusableInput(f"There is no user '{username}' here. See: supervision user list.")
    return user  # type: ignore[return-value]


def _check_free(connection: Connection, email: str | None, username: str) -> None:
    other = email and connection.execute(select(User.id).where(User.email == email, User.username != username)).first()
    if other:
        raise UnusableInput(f"The e-mail address {email} belongs to another user. Choose another, or none.")


def add_user(
    connection: Connection,
    *,
    practice_id: int,
    username: str,
    role: Role,
    clinician_id: int | None,
    password_hash: str,
    must_change: bool,
    now: datetime,
    actor: str,
    email: str | None = None,
) -> None:
    """Adds a person, with an audit row. Raises UnusableInput where the name or the address is taken."""
    with within(connection, Door.SIGN_IN):  # a name or an address is taken in whichever practice it is
        _check_free(connection, email, username)
        taken = connection.execute(select(User.id).where(User.username == username)).first()
    if taken:
        raise UnusableInput(f"The user name '{username}' is taken. Choose another.")
    connection.execute(
        insert(User).values(
            id=next_id(connection, User),
            practice_id=practice_id,
            username=username,
            password_hash=password_hash,
            role=role.value,
            clinician_id=clinician_id,
            is_active=True,
            must_change=must_change,
            token_version=0,
            created_at=now,
            email=email,
        )
    )
    audit.record(
        connection, at=now, practice_id=practice_id, username=actor, action="change user added", clinician_id=clinician_id,
        detail=f"{username} as {role.value}",
    )  # fmt: skip


def list_users(
    connection: Connection, practice_id: int
) -> list[tuple[str, str, str | None, bool, bool, str | None, bool]]:
    """(user name, role, clinician id, is active, must change, e-mail, has a second factor) of everyone, by name."""
    rows = connection.execute(
        select(
            User.username,
            User.role,
            Clinician.source_id,
            User.is_active,
            User.must_change,
            User.email,
            SecondFactor.confirmed_at.is_not(None).label("second_factor"),
        )
        .join(Clinician, Clinician.id == User.clinician_id, isouter=True)
        .join(SecondFactor, SecondFactor.user_id == User.id, isouter=True)
        .where(User.practice_id == practice_id)
        .order_by(User.username)
    )
    return [tuple(row) for row in rows]  # type: ignore[misc]


def set_active(
    connection: Connection, *, practice_id: int, username: str, active: bool, now: datetime, actor: str
) -> None:
    """Lets somebody sign in, or no more; ends every session of theirs. With an audit row."""
    _one(connection, practice_id, username)
    connection.execute(
        update(User)
        .where(User.practice_id == practice_id, User.username == username)
        .values(is_active=active, token_version=User.token_version + 1)
    )
    action = "change user enabled" if active else "change user disabled"
    audit.record(connection, at=now, practice_id=practice_id, username=actor, action=action, detail=username)


def set_password(
    connection: Connection,
    *,
    practice_id: int,
    username: str,
    password_hash: str,
    must_change: bool,
    now: datetime,
    actor: str,
) -> None:
    """Replaces a password, forgets failed tries and known browsers, and ends every session. With an audit row."""
    user = _one(connection, practice_id, username)
    connection.execute(
        update(User)
        .where(User.practice_id == practice_id, User.username == username)
        .values(
            password_hash=password_hash,
            must_change=must_change,
            token_version=User.token_version + 1,
        )
    )
    devices.forget(connection, user.id)
    throttle.forget_account(connection, username)
    audit.record(connection, at=now, practice_id=practice_id, username=actor, action="change password", detail=username)


def set_clinician(
    connection: Connection, *, practice_id: int, username: str, clinician_id: int | None, now: datetime, actor: str
) -> None:
    """Says as which clinician somebody works (null: none); ends every session of theirs. With an audit row."""
    _one(connection, practice_id, username)
    connection.execute(
        update(User)
        .where(User.practice_id == practice_id, User.username == username)
        .values(clinician_id=clinician_id, token_version=User.token_version + 1)
    )
    audit.record(
        connection, at=now, practice_id=practice_id, username=actor, action="change user linked", clinician_id=clinician_id,
        detail=username,
    )  # fmt: skip


def set_email(
    connection: Connection, *, practice_id: int, username: str, email: str | None, now: datetime, actor: str
) -> None:
    """Says by which address (lower case; null: none) single sign-on knows somebody; ends their sessions. With an audit row.

    Raises UnusableInput where the address belongs to somebody else.
    """
    _one(connection, practice_id, username)
    _check_free(connection, email, username)
    connection.execute(
        update(User)
        .where(User.practice_id == practice_id, User.username == username)
        .values(email=email, token_version=User.token_version + 1)
    )
    audit.record(
        connection, at=now, practice_id=practice_id, username=actor, action="change user e-mail", detail=username
    )


def end_every_session(connection: Connection, *, practice_id: int, username: str, now: datetime) -> None:
    """Signs somebody out everywhere, at their own wish, and forgets the browsers that knew them. With an audit row."""
    user = _one(connection, practice_id, username)
    connection.execute(update(User).where(User.id == user.id).values(token_version=User.token_version + 1))
    devices.forget(connection, user.id)
    audit.record(connection, at=now, practice_id=practice_id, username=username, action="sign_out everywhere")


def remove_second_factor(connection: Connection, *, practice_id: int, username: str, now: datetime, actor: str) -> None:
    """Takes somebody's second factor away, forgets known browsers and ends every session. With an audit row.

    Raises UnusableInput where there is no such user, or no second factor.
    """
    user = _one(connection, practice_id, username)
    if not second_factors.remove(connection, user.id):
        raise UnusableInput(f"{username} has no second factor. Nothing was changed.")
    connection.execute(update(User).where(User.id == user.id).values(token_version=User.token_version + 1))
    devices.forget(connection, user.id)
    audit.record(
        connection,
        at=now,
        practice_id=practice_id,
        username=actor,
        action="change second factor removed",
        detail=username,
    )
