"""Opening a database for a command: engine, migrations, and everything closed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from dashboard.settings import Settings
from queries.engine import open_engine
from queries.schema import migrate


@contextmanager
def opened(settings: Settings) -> Iterator[Engine]:
    """The migrated database of these settings; disposed of at the end.

    Raises SupervisionError when the database is newer than this program or cannot be opened.
    """
    engine = open_engine(settings.db_url)
    try:
        migrate(engine)
        yield engine
    finally:
        engine.dispose()
