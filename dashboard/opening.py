"""Opening a database for a command or for the pages: engine, migrations, and everything closed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from dashboard.keeping.automatic import before_migration
from dashboard.keeping.key import key_of
from dashboard.settings import Settings
from queries.acting import Door, acting
from queries.engine import Opening, open_engine
from queries.schema import migrate


def opening_of(settings: Settings, *, pages: bool = False) -> Opening:
    """How these settings open a database; ``pages`` limits how long one question may take."""
    return Opening(
        key=key_of(settings),
        pool_size=settings.db_pool_size,
        pool_overflow=settings.db_pool_overflow,
        pool_wait_seconds=settings.db_pool_wait_seconds,
        pool_recycle_seconds=settings.db_pool_recycle_seconds,
        connect_seconds=settings.db_connect_seconds,
        read_seconds=settings.db_page_seconds if pages else 0,
        idle_seconds=settings.db_idle_seconds,
        lock_seconds=settings.db_lock_seconds,
        role=settings.db_role,
    )


def engine_of(settings: Settings, *, pages: bool = False) -> Engine:
    """The engine of these settings, not migrated; whoever asks for it disposes of it."""
    return open_engine(settings.db_url, opening_of(settings, pages=pages))


def bring_up_to_date(engine: Engine, settings: Settings) -> None:
    """Creates or migrates the schema, with an automatic copy of an embedded database before it is changed.

    Raises SupervisionError when the database is newer than this program.
    """
    migrate(engine, before=lambda: before_migration(engine, settings, settings.now()))


@contextmanager
def opened(settings: Settings) -> Iterator[Engine]:
    """The migrated database of these settings, for whoever holds it; disposed of at the end.

    A command with ``--as`` acts for that person inside.

    Raises SupervisionError when the database is newer than this program or cannot be opened.
    """
    engine = engine_of(settings)
    try:
        bring_up_to_date(engine, settings)
        with acting(Door.DATABASE):
            yield engine
    finally:
        engine.dispose()
