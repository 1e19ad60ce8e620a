"""Making a copy of the database and bringing one back: what the commands do, beside writing bytes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from dashboard import __version__
from dashboard.errors import DatabaseUnavailable, UnusableInput
from dashboard.keeping.key import key_of
from dashboard.opening import engine_of
from dashboard.settings import Settings
from queries import audit, practices
from queries.acting import Door, acting
from queries.backup import write_copy
from queries.engine import normalised, writing
from queries.restore import into_embedded, into_server, is_empty
from queries.schema import revision_of


def _tell_audit(settings: Settings, out: Path, now: datetime) -> str | None:
    """An audit row per practice before the copy is made, so that the copy holds it too. Returns why there is none."""
    engine = engine_of(settings)
    try:
        state = revision_of(engine)
        if state.current != state.newest:
            return "the database is not up to date with this program yet"
        with acting(Door.DATABASE), writing(engine) as connection:
            known = practices.all_practices(connection)
            for practice_id in known:
                audit.record(
                    connection, at=now, practice_id=practice_id, username="operator", action="export backup",
                    detail=out.name[:500],
                )  # fmt: skip
    except DatabaseUnavailable as error:
        return str(error)  # a database on a failing disk is the one that most needs a copy
    finally:
        engine.dispose()
    return None


def _must_be_there(settings: Settings) -> None:
    url = normalised(settings.db_url)
    if url.drivername == "sqlite" and not Path(str(url.database)).is_file():
        raise UnusableInput(f"There is no database {url.database} to copy. Name it with --db.")


def back_up(settings: Settings, out: Path, now: datetime) -> list[str]:
    """Copies the database, while it is used, into one file, and says what is in it.

    Raises UnusableInput where there is nothing to copy or ``out`` is something else, SupervisionError where it cannot be written.
    """
    _must_be_there(settings)
    if not out.parent.is_dir():
        raise UnusableInput(f"There is no folder {out.parent}. Create it, or choose another place for the copy.")
    unsaid = _tell_audit(settings, out, now)
    engine = engine_of(settings)
    try:
        about = write_copy(engine, out, key_of(settings), program=__version__, now=now)
    finally:
        engine.dispose()
    lines = [f"Wrote {out}: {about.rows:,} rows of {len(about.tables)} tables, compared with the database row by row."]
    if key_of(settings):
        lines.append(
            "It is encrypted with the database's key: without that key nobody can open it, so keep the key elsewhere."
        )
    else:
        lines.append("It holds client data and is not encrypted. Store it where your practice stores clinical records.")
    if unsaid:
        lines.append(f"No audit row was written: {unsaid}")
    return lines


def bring_back(settings: Settings, copy: Path, *, force: bool, now: datetime) -> list[str]:
    """Checks a copy and puts it in the place of the database; of the other kind, too.

    Raises UnusableInput where the copy is not whole, is of a newer program, or something is there already and ``force`` is not
    given; SupervisionError where the database cannot be written. Nothing was changed then.
    """
    url = normalised(settings.db_url)
    if url.drivername == "sqlite":
        path = Path(str(url.database))
        if path.is_file() and copy.is_file() and path.samefile(copy):
            raise UnusableInput(f"{copy} is the database itself. Name a copy of it.")
        if not force and path.is_file() and path.stat().st_size:
            raise UnusableInput(f"{path} is there already. --force puts the copy in its place; nothing was changed.")
        about, aside = into_embedded(path, key_of(settings), copy, now=now)
        shown = str(path)
    else:
        engine = engine_of(settings)
        try:
            shown, aside = url.render_as_string(), None
            if not force and not is_empty(engine):
                raise UnusableInput(f"{shown} holds tables already. --force replaces them; nothing was changed.")
            about = into_server(engine, key_of(settings), copy, now=now)
        finally:
            engine.dispose()
    lines = [
        f"{shown} is as it was on {about.made_at:%d %b %Y %H:%M}: {about.rows:,} rows, compared row by row with the copy.",
        "Everybody signs in again. What came in after that time has to be imported again.",
    ]
    if aside is not None and aside.exists():
        lines.append(f"The file that was there did not open; it was kept as {aside}.")
    return lines
