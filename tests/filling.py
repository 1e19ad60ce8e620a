"""A row of every table for a clinician of a practice, made from the mapping alone: where a test must not forget a table."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from queries import audit
from queries.tables import Base

BY_TYPE: tuple[tuple[type[Any], Any], ...] = (
    (sa.Boolean, False),
    (sa.Integer, 1),
    (sa.Float, 0.0),
    (sa.DateTime, datetime(2026, 1, 1)),
    (sa.Date, date(2026, 1, 1)),
    (sa.JSON, {}),
    (sa.LargeBinary, b"x"),
    (sa.String, "x"),
)


def _value(column: Any, own: dict[str, Any], number: int) -> Any:
    for key in column.foreign_keys:
        known = own.get(key.column.table.name)
        if known is not None:
            return known
        return None if column.nullable else 0
    if isinstance(column.type, sa.Date) and column.primary_key:
        return date.fromordinal(number)
    if isinstance(column.type, sa.Integer) and column.primary_key:
        return number
    for kind, value in BY_TYPE:
        if isinstance(column.type, kind):
            return f"x{number}" if kind is sa.String else value
    raise TypeError(column)


def _noted(connection: Connection, own: dict[str, Any]) -> None:
    audit.record(
        connection, at=datetime(2026, 1, 1), practice_id=own["practice"], username="x", action="view x",
        clinician_id=own["clinician"], episode_id=own["episode"],
    )  # fmt: skip


def fill(connection: Connection, own: dict[str, Any], number: int) -> None:
    """One more row in every table but those of ``own`` (table name to the id that rows refer to), numbered ``number``."""
    own = dict(own)
    for table in Base.metadata.sorted_tables:
        if table.name in own:
            continue
        if table.name == "audit":  # each of its rows hangs on the one before
            _noted(connection, own)
            continue
        row = {column.name: _value(column, own, number) for column in table.columns}
        if table.name == "app_user":
            row["username"] = own["username"]
        connection.execute(sa.insert(table).values(row))
        if "id" in table.columns and table.columns.id.primary_key:
            own[table.name] = row["id"]
