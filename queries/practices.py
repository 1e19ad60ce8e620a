"""Practices: one database may hold several; every scope begins with one."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from dashboard.errors import UnusableInput
from dashboard.typed import checked_name
from queries.tables import Clinician, Practice


def all_practices(connection: Connection) -> list[int]:
    """Every practice's id, in order of creation."""
    return [int(row) for row in connection.execute(select(Practice.id).order_by(Practice.id)).scalars()]


def name_of(connection: Connection, practice_id: int) -> str:
    """The practice's name."""
    return str(connection.execute(select(Practice.name).where(Practice.id == practice_id)).scalar_one())


def secret_of(connection: Connection, practice_id: int) -> str:
    """The practice's secret, for what must not be guessed or drawn again."""
    return str(connection.execute(select(Practice.secret).where(Practice.id == practice_id)).scalar_one())


def find_practice(connection: Connection, name: str | None) -> int:
    """The practice of that name, or the only one.

    Raises UnusableInput where there is none, no such one, or several and none is named.
    """
    rows = connection.execute(select(Practice.id, Practice.name).order_by(Practice.name)).all()
    if not rows:
        raise UnusableInput("This database holds no practice yet. Load one: supervision import FOLDER --practice NAME.")
    if name is None:
        if len(rows) == 1:
            return int(rows[0].id)
        raise UnusableInput(f"Name one with --practice: {', '.join(row.name for row in rows)}.")
    for row in rows:
        if row.name == name:
            return int(row.id)
    raise UnusableInput(f"There is no practice '{name}' here. There is: {', '.join(row.name for row in rows)}.")


def find_or_none(connection: Connection, name: str | None, fallback: str) -> int | None:
    """The practice that an import would go to, where it is there already."""
    ids = all_practices(connection)
    if name is None and len(ids) == 1:
        return ids[0]
    wanted = name or fallback
    found = connection.execute(select(Practice.id).where(Practice.name == wanted)).scalar()
    return None if found is None else int(found)


def ensure_practice(connection: Connection, name: str, now: datetime, *, single: bool = False) -> int:
    """The practice of that name, made where it is not there. ``single``: none was named, so an only one is meant.

    Raises UnusableInput where none was named and the database holds several, or for a name that cannot be one.
    """
    ids = all_practices(connection)
    if single and len(ids) == 1:
        return ids[0]
    if single and len(ids) > 1:
        return find_practice(connection, None)
    found = connection.execute(select(Practice.id).where(Practice.name == name)).scalar()
    if found is not None:
        return int(found)
    checked_name(name, "a practice")
    new = int(connection.execute(select(func.coalesce(func.max(Practice.id), 0))).scalar_one()) + 1
    connection.execute(insert(Practice).values(id=new, name=name, secret=secrets.token_hex(32), created_at=now))
    return new


def clinician_names(connection: Connection, practice_id: int) -> list[tuple[str, str]]:
    """(clinician id, name) of a practice's clinicians, for linking people to them. Holds no client data."""
    rows = connection.execute(
        select(Clinician.source_id, Clinician.display_name)
        .where(Clinician.practice_id == practice_id)
        .order_by(Clinician.display_name, Clinician.source_id)
    )
    return [(row.source_id, row.display_name or row.source_id) for row in rows]
