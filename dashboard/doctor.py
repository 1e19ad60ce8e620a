"""``doctor``: what is well, and what to mend and how."""

from __future__ import annotations

import importlib.util
import shutil
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dashboard.configuration import config_file
from dashboard.errors import SupervisionError
from dashboard.settings import Settings
from queries.engine import normalised, open_engine, reading
from queries.schema import revision_of

EARLIEST_PLAUSIBLE = datetime(2026, 1, 1)


@dataclass(frozen=True)
class Finding:
    """One check: what was looked at, whether it is well, and in words what to do where it is not."""

    what: str
    ok: bool
    words: str


def _database(settings: Settings) -> list[Finding]:
    url = normalised(settings.db_url)
    shown = url.render_as_string(hide_password=True)
    if url.drivername == "sqlite" and url.database and not Path(url.database).exists():
        return [Finding("database", True, f"{shown} is not there yet; `supervision serve` or `import` creates it")]
    try:
        engine = open_engine(settings.db_url)
        try:
            with reading(engine) as connection:
                connection.exec_driver_sql("SELECT 1")
            state = revision_of(engine)
        finally:
            engine.dispose()
    except SupervisionError as error:
        return [Finding("database", False, str(error))]
    migrations = Finding("migrations", state.known, state.words)
    return [Finding("database", True, f"{shown} answers"), migrations, *_private(url.database)]


def _private(database: str | None) -> list[Finding]:
    if not database or not Path(database).is_file():
        return []
    mode = stat.S_IMODE(Path(database).stat().st_mode)
    private = mode & 0o077 == 0
    words = "only you can read it" if private else f"others can read it (mode {mode:o}): chmod 600 {database}"
    return [Finding("database file", private, words)]


def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which a person would mend things."""
    now = settings.now()
    found = config_file()
    chrome = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)
    return [
        *_database(settings),
        Finding(
            "settings", True, f"practice '{settings.practice}', time zone {settings.timezone or 'of this machine'}"
        ),
        Finding("secrets", True, "none on disk: session ids are random, only their hashes are stored"),
        Finding(
            "clock", now >= EARLIEST_PLAUSIBLE, f"{now:%d %b %Y %H:%M} (if that is wrong, set the machine's clock)"
        ),
        Finding("app settings", found.is_file(), f"{found.name} found"),
        Finding("Excel files", importlib.util.find_spec("fastexcel") is not None, "can be read"),
        Finding("fonts", True, "the app ships its own; nothing is fetched"),
        Finding(
            "PDF", True, f"a browser for figures: {chrome or 'none found; PDF snapshots come with a later version'}"
        ),
    ]
