"""Keys of new rows: whole numbers inside the database, opaque words in addresses."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from sqlalchemy import Connection, func, select, text

from queries.tables import Base

BY_HAND = "by hand"  # the source of what people enter; the only one whose rows may belong to rows of another source


def next_id(connection: Connection, table: type[Base]) -> int:
    """One more than the largest of all rows, whoever asks; safe because writers take turns (``queries.engine.writing``)."""
    column: Any = table.__table__.c.id if "id" in table.__table__.c else None
    if column is None or not column.primary_key:
        column = table.__table__.c.version_id
    if connection.dialect.name == "postgresql":  # row security shows only some of the rows
        asked = text("SELECT supervision_next_key(:of_table, :of_column)")
        return int(connection.execute(asked, {"of_table": table.__tablename__, "of_column": column.name}).scalar_one())
    return int(connection.execute(select(func.coalesce(func.max(column), 0))).scalar_one()) + 1


def of_source(source: str, source_id: str) -> str:
    """How a row entered by hand names a client, clinician or episode that came from another source."""
    return source_id if source == BY_HAND else f"{source}\x1f{source_id}"


def public_id(secret: str, kind: str, source: str, source_id: str) -> str:
    """The id shown in addresses: the same for the same row, says nothing, cannot be guessed without the secret."""
    content = "\x1f".join((kind, source, source_id)).encode()
    return hashlib.blake2b(content, key=bytes.fromhex(secret), digest_size=8).hexdigest()


def made_code(client: str) -> str:
    """The code of a client who was given none: always the same for the same id, and says nothing, such as 4F-2K7QX."""
    letters = base64.b32encode(hashlib.blake2b(client.encode(), digest_size=5).digest()).decode()
    return f"{letters[:2]}-{letters[2:7]}"
