"""``supervision protect``: the role under which everything is done for people on PostgreSQL; and what ``doctor`` says of it."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import Engine

from dashboard.errors import UnusableInput
from dashboard.settings import Settings
from queries import audit, database_role, practices
from queries.acting import Door, acting
from queries.engine import reading, writing

NAME = re.compile(r"^[a-z_][a-z0-9_]{0,62}$")  # what PostgreSQL takes without quotation marks
HOW = "run `supervision protect --role NAME` and set SUPERVISION_DB_ROLE=NAME"


def protect(engine: Engine, name: str, now: datetime) -> list[str]:
    """Makes the role, or gives it again what it needs; audited in every practice of the database. Safe to repeat.

    Raises UnusableInput on an embedded database, for a name that is none, or for a role that row security does not hold.
    """
    if engine.dialect.name != "postgresql":
        raise UnusableInput("Row security is for PostgreSQL. An embedded database is one file of one machine's user.")
    if not NAME.fullmatch(name):
        raise UnusableInput(
            f"'{name}' cannot be a role here. Use lower-case letters, digits and _, as in supervision_app."
        )
    with acting(Door.DATABASE), writing(engine) as connection:
        there = database_role.standing(connection, name).role
        if there is not None and (there.passes or there.owns):
            raise UnusableInput(
                f"Role '{name}' is a superuser, has BYPASSRLS or owns tables: no rule would hold it. Choose another name."
            )
        made = database_role.make_role(connection, name)
        for practice_id in practices.all_practices(connection):
            audit.record(
                connection,
                at=now,
                practice_id=practice_id,
                username="operator",
                action="change database role",
                detail=name,
            )
    return [
        f"Role {name} was made." if made else f"Role {name} was there; it has what it needs.",
        f"Set SUPERVISION_DB_ROLE={name} where the pages are served and commands are run; `supervision doctor` looks at it.",
    ]


def said(engine: Engine, settings: Settings) -> tuple[bool, str]:
    """Whether row security stands as the settings mean it, and in words how far it reaches."""
    if engine.dialect.name != "postgresql":
        return True, "not for an embedded database: statements keep each person's scope, the file is one user's"
    with acting(Door.DATABASE), reading(engine) as connection:
        stands = database_role.standing(connection, settings.db_role)
    login, role = stands.login, stands.role
    if stands.unprotected:
        return (
            False,
            f"no rules on {', '.join(stands.unprotected)}: start the program once to bring the schema up to date",
        )
    if not settings.db_role:
        if login.passes:
            return True, f"off: the login {login.name} passes every rule; to put it in force {HOW}"
        owner = ", and owns the tables, so it could take the rules off" if login.owns else ""
        return True, f"in force for the login {login.name}, which has no BYPASSRLS{owner}"
    if role is None:
        return False, f"there is no role {settings.db_role}: {HOW}"
    if role.passes or role.owns:
        return False, f"the role {role.name} is a superuser, has BYPASSRLS or owns tables: {HOW}, with another name"
    if not stands.may_take:
        return False, f"the login {login.name} may not take the role {role.name}: {HOW}"
    return True, f"in force: people's work is done as {role.name}, without BYPASSRLS, which owns no table"
