"""What the gate needs to know of a name or an e-mail address before anybody is let in."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, select, update

from queries.tables import Practice, User


@dataclass(frozen=True)
class Credentials:
    """An active person: what their password is checked against, and what a sign-in that is half done has to find unchanged."""

    user_id: int
    username: str
    role: str
    practice_id: int
    practice: str
    password_hash: str = field(repr=False)
    token_version: int
    must_change: bool


_COLUMNS = (
    User.id,
    User.username,
    User.role,
    User.practice_id,
    Practice.name,
    User.password_hash,
    User.token_version,
    User.must_change,
)


def by_name(connection: Connection, username: str) -> Credentials | None:
    """The active person of that user name; null for anybody else."""
    found = select(*_COLUMNS).join(Practice, Practice.id == User.practice_id)
    row = connection.execute(found.where(User.username == username, User.is_active)).first()
    return None if row is None else Credentials(*row)


def by_email(connection: Connection, email: str) -> Credentials | None:
    """The active person with that e-mail address, in whatever case it is written; null for anybody else."""
    found = select(*_COLUMNS).join(Practice, Practice.id == User.practice_id)
    row = connection.execute(found.where(User.email == email.strip().lower(), User.is_active)).first()
    return None if row is None else Credentials(*row)


def store_better_hash(connection: Connection, username: str, old: str, new: str) -> None:
    """The same password hashed in today's way; nothing where it was changed meanwhile. Sessions live on."""
    connection.execute(
        update(User).where(User.username == username, User.password_hash == old).values(password_hash=new)
    )
