"""Creating the schema and bringing it up to date; refusing a database that is newer than this program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from dashboard.errors import SupervisionError, UnusableInput
from queries.acting import Door, acting
from queries.engine import reading, writing

MIGRATIONS = Path(__file__).resolve().parent / "migrations"


@dataclass(frozen=True)
class SchemaState:
    """Where a database stands; ``known`` is false where a newer program made it."""

    current: str | None
    newest: str
    known: bool

    @property
    def words(self) -> str:
        """For ``doctor``."""
        if not self.known:
            return f"made by a newer version of this program ({self.current}): update the program"
        if self.current == self.newest:
            return "up to date"
        return "will be brought up to date at the next serve, demo or import"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def revision_of(engine: Engine) -> SchemaState:
    """The database's revision beside this program's."""
    scripts = ScriptDirectory.from_config(_config())
    newest = scripts.get_current_head()
    with acting(Door.DATABASE), reading(engine) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    known = current is None or current in {script.revision for script in scripts.walk_revisions()}
    return SchemaState(current, str(newest), known)


def check_known(revision: str) -> None:
    """Raises UnusableInput for a revision that this program does not know."""
    if revision not in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}:
        raise UnusableInput(
            f"This copy was made by a newer version of the program (schema {revision}). Update the program first."
        )


def migrate(engine: Engine, before: Callable[[], object] | None = None) -> None:
    """Creates or upgrades the schema in one transaction; ``before`` is called where there is something to upgrade.

    Raises SupervisionError where the database was made by a newer version of this program; nothing is changed then.
    """
    state = revision_of(engine)
    if not state.known:
        raise SupervisionError(
            f"This database was made by a newer version of the program (schema {state.current}). "
            "Update the program, or name another database with --db. Nothing was changed."
        )
    if state.current != state.newest:
        if before is not None and state.current is not None:
            before()
        upgrade_to(engine, "head")


def upgrade_to(engine: Engine, revision: str) -> None:
    """Brings the schema to a revision in one transaction."""
    with acting(Door.DATABASE), writing(engine, patient=True) as connection:
        upgrade_within(connection, revision)


def upgrade_within(connection: Connection, revision: str) -> None:
    """As ``upgrade_to``, in the caller's transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
