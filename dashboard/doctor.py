"""``doctor``: what is well, and what to mend and how."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dashboard.configuration import config_file
from dashboard.errors import SupervisionError
from dashboard.keeping.examining import examine_data
from dashboard.keeping.protecting import said
from dashboard.opening import engine_of
from dashboard.settings import Settings
from dashboard.snapshot.glyphs import covers
from dashboard.snapshot.local_drawing import browser
from queries.engine import normalised, reading
from queries.schema import revision_of

NOBODY = "none: install Chrome or Chromium there, or name it in BROWSER_PATH (.html and .zip need none)"
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
        engine = engine_of(settings)
        try:
            with reading(engine) as connection:
                connection.exec_driver_sql("SELECT 1")
            state = revision_of(engine)
            rows = Finding("row security", *said(engine, settings)) if state.current == state.newest else None
        finally:
            engine.dispose()
    except SupervisionError as error:
        return [Finding("database", False, str(error))]
    data = [Finding(*said) for said in examine_data(settings, settings.now())]
    migrations = Finding("migrations", state.known, state.words)
    return [Finding("database", True, f"{shown} answers"), migrations, *([rows] if rows else []), *data]


def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which a person would mend things."""
    now = settings.now()
    found = config_file()
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
        Finding("fonts", covers("Ångström ◆ ▲ −"), "the app and the PDF ship their own; nothing is fetched"),
        Finding(
            "PDF", True, f"made in the app by the reader's own browser; on the command line by {browser() or NOBODY}"
        ),
    ]
