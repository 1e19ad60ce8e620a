"""The PostgreSQL role under which the application acts for people: made, given what it needs, and looked at.

The role may read and write rows, as row security lets it; it owns nothing, cannot sign in, and passes no rule by. Whoever
migrates, restores or runs commands without ``--as`` stays the login itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from dashboard.errors import UnusableInput
from queries.row_security import RULES


@dataclass(frozen=True)
class Login:
    """A role of the server as row security sees it. ``passes``: no rule holds it (superuser, or BYPASSRLS)."""

    name: str
    passes: bool
    owns: int  # tables of ours; FORCE holds an owner to the rules too, but an owner may take them off


@dataclass(frozen=True)
class Standing:
    """Row security in a database. ``unprotected``: tables that should have rules and do not."""

    login: Login
    role: Login | None  # null: none is named, or there is none of that name
    may_take: bool  # whether the login may take the role
    unprotected: tuple[str, ...]


def _quoted(connection: Connection, name: str) -> str:
    return str(connection.dialect.identifier_preparer.quote_identifier(name))


def make_role(connection: Connection, name: str) -> bool:
    """Makes the role where it is not there, and gives it what it needs; true where it was made. Safe to repeat.

    Raises UnusableInput where the login may not: then whoever looks after the server makes it first.
    """
    try:
        return _made(connection, name)
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        login = connection.engine.url.username or "LOGIN"
        raise UnusableInput(
            "This login may not make roles. Ask whoever looks after the server to run, then run this again:\n"
            f"CREATE ROLE {name} NOLOGIN; GRANT {name} TO {login};"
        ) from None


def _made(connection: Connection, name: str) -> bool:
    role = _quoted(connection, name)
    made = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}).first() is None
    if made:
        connection.exec_driver_sql(f"CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE")
    schema = _quoted(connection, str(connection.execute(text("SELECT current_schema()")).scalar_one()))
    login = _quoted(connection, str(connection.execute(text("SELECT session_user")).scalar_one()))
    database = _quoted(connection, str(connection.execute(text("SELECT current_database()")).scalar_one()))
    if not _may_take(connection, name):
        connection.exec_driver_sql(f"GRANT {role} TO {login}")
    for statement in (
        f"GRANT USAGE ON SCHEMA {schema} TO {role}",
        f"GRANT TEMPORARY ON DATABASE {database} TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
        f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}",
        # tables of later versions of the program, and those that a restore makes anew
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    ):
        connection.exec_driver_sql(statement)
    return made


def _looked_at(connection: Connection, name: str) -> Login | None:
    row = connection.execute(
        text(
            "SELECT r.rolsuper OR r.rolbypassrls AS passes,"
            " (SELECT count(*) FROM pg_class c WHERE c.relowner = r.oid AND c.relname = ANY (:tables)) AS owns"
            " FROM pg_roles r WHERE r.rolname = :name"
        ),
        {"name": name, "tables": list(RULES)},
    ).first()
    return None if row is None else Login(name, bool(row.passes), int(row.owns))


def _may_take(connection: Connection, name: str) -> bool:
    asked = text("SELECT pg_has_role(session_user, :name, 'MEMBER')")
    return bool(connection.execute(asked, {"name": name}).scalar_one())


def standing(connection: Connection, name: str) -> Standing:
    """How row security stands for this login, and for the role of that name (empty: none)."""
    login = _looked_at(connection, str(connection.execute(text("SELECT session_user")).scalar_one()))
    assert login is not None  # noqa: S101 - whoever asks has signed in
    role = _looked_at(connection, name) if name else None
    may = role is not None and _may_take(connection, name)
    bare = connection.execute(
        text(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
            " AND relname = ANY (:tables) AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY relname"
        ),
        {"tables": list(RULES)},
    ).scalars()
    return Standing(login, role, may, tuple(bare))
