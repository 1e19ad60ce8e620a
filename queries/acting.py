"""For whom a transaction acts: said to the database at its beginning, so that row security knows whose rows it may show.

Every transaction of ``queries.engine`` asks here. Nothing is assumed: where nobody said for whom it acts, PostgreSQL shows and
takes no row at all. SQLite knows no row security; there the statements alone keep the scope, and this is said all the same.

``acting`` is for whole transactions, ``within`` for a few statements of one. Work that needs more than the viewer's rows (an
evaluation after an entry, counts of the practice) enters the wider scope by name, for as long as it lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from dashboard.access import Scope
from dashboard.errors import DatabaseUnavailable

ALL = "*"


class Door(StrEnum):
    """The two ways to act for no scope. Neither is open to a page once somebody is signed in.

    DATABASE: whoever holds the database (commands without ``--as``, migrations, copies). SIGN_IN: finding out who somebody is;
    opens names, password hashes, sessions and links of supervision and cover, no client row.
    """

    DATABASE = "database"
    SIGN_IN = "sign_in"


@dataclass(frozen=True)
class Acting:
    """What is said to the database. Empty text is nobody; ALL everybody; lists are numbers with commas."""

    practice: str = ""
    clinicians: str = ""
    staff: str = ""
    door: str = ""
    username: str = ""


def _ids(ids: frozenset[int] | None) -> str:
    return ALL if ids is None else ",".join(str(one) for one in sorted(ids))


def said_of(whom: Scope | Door, username: str = "") -> Acting:
    """What is said of a scope or a door. ``username``: whose own audit rows show beside those of the scope."""
    match whom:
        case Door.DATABASE:
            return Acting(ALL, ALL, ALL, "", username)
        case Door.SIGN_IN:
            return Acting(door=Door.SIGN_IN.value, username=username)
        case _:
            ids = _ids(whom.clinician_ids)
            return Acting(str(whom.practice_id), ids, ALL if whom.whole_staff else ids, "", username)


_in_force: ContextVar[Acting | None] = ContextVar("acting", default=None)
_otherwise: Callable[[], Acting | None] | None = None


def otherwise(ask: Callable[[], Acting | None] | None) -> None:
    """Who is asked where no ``acting`` is open: the process of the pages says who is signed in (buttons, fragments)."""
    global _otherwise
    _otherwise = ask


def in_force() -> Acting | None:
    """For whom a transaction that begins now would act; null: for nobody."""
    said = _in_force.get()
    return _otherwise() if said is None and _otherwise is not None else said


@contextmanager
def acting(whom: Scope | Door, username: str | None = None) -> Iterator[None]:
    """Every transaction that begins inside acts for that scope, or door. Without ``username`` the one before stays."""
    before = _in_force.get()
    name = username if username is not None else ("" if before is None else before.username)
    token = _in_force.set(said_of(whom, name))
    try:
        yield
    finally:
        _in_force.reset(token)


@contextmanager
def widening(scope: Scope) -> Iterator[None]:
    """As ``acting``, for work that needs more rows than whoever asked for it has; whoever holds the database has them already."""
    said = in_force()
    if said is not None and said.practice == ALL:
        yield
        return
    with acting(scope, "" if said is None else said.username):
        yield


SAY = text(
    "SELECT set_config('supervision.practice', :practice, true), set_config('supervision.clinicians', :clinicians, true),"
    " set_config('supervision.staff', :staff, true), set_config('supervision.door', :door, true),"
    " set_config('supervision.username', :username, true)"
)


def _say(connection: Connection, said: Acting) -> None:
    connection.execute(SAY, vars(said))


def begin(connection: Connection) -> None:
    """Called at the beginning of every transaction: takes the application's role and says for whom it acts.

    The role (setting ``db_role``) is laid down only for whoever holds the database, who migrates and restores. Raises
    DatabaseUnavailable where it cannot be taken: nothing is done as somebody else.
    """
    said = in_force() or Acting()
    if connection.dialect.name != "postgresql":
        return
    role = connection.get_execution_options().get("role")
    if role and said.practice != ALL:
        try:
            connection.execute(text("SELECT set_config('role', :role, true)"), {"role": role})
        except DBAPIError:
            raise DatabaseUnavailable(
                f"The database does not let this program act as the role '{role}' (setting db_role). Nothing was done. "
                "See: supervision doctor."
            ) from None
    _say(connection, said)
    connection.info["acting"] = said


@contextmanager
def within(connection: Connection, whom: Scope | Door) -> Iterator[None]:
    """As ``widening``, for some statements of a transaction; whatever happens in them, the scope before stands again."""
    before = connection.info.get("acting", Acting())
    if connection.dialect.name != "postgresql" or before.practice == ALL:
        yield
        return
    said = said_of(whom, before.username)
    _say(connection, said)
    connection.info["acting"] = said
    try:
        yield
    finally:
        connection.info["acting"] = before
        with suppress(SQLAlchemyError):  # where a statement failed, the transaction is over and so is what was said
            _say(connection, before)
