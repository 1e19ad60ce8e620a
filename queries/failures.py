"""What a database says when it cannot go on, in words for people: full, read-only, busy, away, locked by a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from dashboard.errors import DatabaseUnavailable, UnusableInput
from queries.cipher import is_plain

UNREACHED = "The data cannot be reached at this moment. Nothing is lost: try again in a minute."
UNSAVED = "Nothing can be saved at this moment; what was saved before is safe. Tell whoever looks after this program."
BUSY = "An import or an evaluation is being saved. Nothing of yours is lost: try again in a minute."
SLOW = "This took longer than a page may. Try again; if it happens often, tell whoever looks after this program."

# what SQLite writes -> our words, and those of a page
EMBEDDED = (
    (
        "disk is full",
        "The disk that holds {where} is full. Nothing was changed: free some space there, then try again.",
        UNSAVED,
    ),
    (
        "disk i/o error",
        "The disk that holds {where} could not be written or read (full, over a size limit, or faulty). "
        "Nothing was changed: look at the disk, then try again.",
        UNSAVED,
    ),
    (
        "readonly database",
        "{where} is on a read-only or full disk, or may not be written by you. Nothing was changed: reading goes on.",
        UNSAVED,
    ),
    (
        "locked",
        "Something else is writing to {where} (an import or an evaluation). Nothing was changed: try again in a minute.",
        BUSY,
    ),
    (
        "unable to open",
        "{where} cannot be opened. Check that its folder exists and that you may write there.",
        UNREACHED,
    ),
    (
        "malformed",
        "{where} is damaged. Stop the app, keep the file as it is, and bring back a copy: supervision restore FILE --force",
        UNREACHED,
    ),
)
# SQLSTATE or its first two letters (PostgreSQL, appendix A "Error codes") -> our words, and those of a page
SERVER = {
    "53100": (
        "The disk of the database {where} is full. Nothing was changed: free some space there, then try again.",
        UNSAVED,
    ),
    "53300": (
        "The database {where} has no connection to spare. Try again in a minute, or allow more connections.",
        UNREACHED,
    ),
    "57014": (
        "{where} took longer than a page may wait, so the question was withdrawn. Try again, or ask for less.",
        SLOW,
    ),
    "55P03": (
        "Something else is writing to {where} (an import or an evaluation). Nothing was changed: try again in a minute.",
        BUSY,
    ),
    "25006": ("{where} takes no changes at present (read-only). Nothing was changed: reading goes on.", UNSAVED),
    "25P03": ("{where} ended a connection that waited too long. Nothing was changed: try again.", UNREACHED),
    "40": ("Two changes to {where} met. Nothing of this one was kept: try again.", BUSY),
    "57": ("The database {where} is stopping or starting. Nothing was changed: try again in a minute.", UNREACHED),
    "08": ("The database {where} is away. Nothing was changed: try again in a minute.", UNREACHED),
    "28": (
        "The database {where} did not accept this user or password. Correct the address in --db or SUPERVISION_DB.",
        UNREACHED,
    ),
    "3D": (
        "There is no database {where}. Create it first, or correct the address in --db or SUPERVISION_DB.",
        UNREACHED,
    ),
}
NO_TEXT = "A word that was given holds signs that no text has. Nothing was changed. Type it again."
AWAY = "The database {where} did not answer: {said}. Check that it runs, then try again."
NO_KEY = (
    "{where} is encrypted, or no database at all. Give its key: SUPERVISION_KEY_FILE names a file that holds it "
    "(or SUPERVISION_KEY, or key_keyring)."
)
WRONG_KEY = "{where} does not open with this key: it is another one's, or the file is damaged. Nothing was changed."
NOT_ENCRYPTED = (
    "{where} is not encrypted, yet a key is given. Encrypt it with `supervision encrypt`, or take the key away."
)
NO_DATABASE = (
    "{where} is not a database that can be read. Name another with --db, or bring back a copy: supervision restore"
)


def _about_the_key(engine: Engine) -> str:
    path = Path(str(engine.url.database))
    # nobody here holds the file: its first page could not be read with what was given
    if not engine.get_execution_options().get("has_key", False):
        return NO_DATABASE if path.is_file() and is_plain(path) else NO_KEY
    return NOT_ENCRYPTED if path.is_file() and is_plain(path) else WRONG_KEY


def _words(engine: Engine, error: BaseException) -> tuple[str, str] | None:
    """What to tell a person, and what a page tells; null for a mistake of ours, which no retry mends."""
    said = (str(error).splitlines() or [""])[0].lower()
    operational = any(kind.__name__ == "OperationalError" for kind in type(error).__mro__)
    away = (AWAY, UNREACHED) if operational else None
    if engine.dialect.name == "sqlite":
        if "not a database" in said:
            return _about_the_key(engine), UNREACHED
        return next(((words, calm) for part, words, calm in EMBEDDED if part in said), away)
    state = getattr(error, "sqlstate", None) or ""
    return SERVER.get(state) or SERVER.get(state[:2]) or away


@contextmanager
def clear_errors(engine: Engine) -> Iterator[None]:
    """Turns what the driver raises, through SQLAlchemy or past it, into DatabaseUnavailable where a person can act on it.

    A text that no database holds (a NUL, half a sign), from an address or a command, is UnusableInput. Anything else (a broken
    constraint, a wrong statement) is a mistake of ours and goes on as it is.
    """
    drivers: Any = engine.dialect.loaded_dbapi
    try:
        yield
    except UnicodeEncodeError as error:
        raise UnusableInput(NO_TEXT) from error
    except (DBAPIError, drivers.Error) as error:
        original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        if "cannot contain NUL" in str(original):
            raise UnusableInput(NO_TEXT) from error
        words = _words(engine, original)
        if words is None:
            raise
        where = engine.url.database if engine.dialect.name == "sqlite" else engine.url.render_as_string()
        said = (str(original).splitlines() or [type(original).__name__])[0]
        raise DatabaseUnavailable(words[0].format(where=where, said=said), words[1]) from error
