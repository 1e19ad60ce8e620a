"""Embedded databases in today's schema, copied from one that was migrated once: a copy takes a tenth of the time."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Engine

from queries.engine import open_engine
from queries.schema import migrate


@cache
def _template() -> Path:
    folder = tempfile.mkdtemp(prefix="supervision-template-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "template.sqlite"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()  # the last connection to close leaves everything in the one file
    return path


def embedded(path: Path) -> str:
    """The address of an empty, migrated database of its own at ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(_template(), path)  # with its private mode
    return f"sqlite:///{path}"


def opened(path: Path) -> Engine:
    """An engine on it."""
    return open_engine(embedded(path))
