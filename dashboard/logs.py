"""What this program writes to its log: fixed events with a few checked fields, and never a text that came from data.

Client data cannot get in, by construction:

* Our own lines are made of an ``Event`` and of ``FIELDS``; each field takes only values of a closed form (numbers, references,
  class names, places in the program, members of closed lists, templates of addresses). Anything else is written as ``?``.
* What libraries, warnings and uncaught errors would write is reduced, before any handler sees it, to who said it and where in
  the program: never the message, its arguments, a traceback or an address that was asked for.
* While pages are served, standard output and standard error lead nowhere but for these lines (``log_writing.nothing_else``): a
  library that prints, in Python or below it, shows nothing.
* No value holds a line break or any other control sign, so no line can be forged.

How lines are written, and what becomes of everybody else's, is in ``log_writing``. Setting ``log_format``: ``text``
(name=value) or ``json`` (one object per line). Setting ``log_file``: a private file beside standard error.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

OURS = "supervision"
ROOMS = tuple(Path(__file__).resolve().parents[1] / room for room in ("dashboard", "pages", "queries"))


class Event(StrEnum):
    """Everything that this program tells its log of."""

    STARTED = "server started"
    STOPPED = "server stopped"
    PAGE_FAILED = "page failed"
    REQUEST_FAILED = "request failed"
    REQUEST_REFUSED = "request refused"
    DATABASE_AWAY = "database unavailable"
    LOOKS_WAIT = "looks wait to be written down"
    COPY_FAILED = "automatic copy failed"
    COMMAND_FAILED = "command failed"
    LIBRARY = "library message"
    WARNING = "library warning"
    UNCAUGHT = "uncaught error"


class Template(str):
    """The address of a page or route as the program's own table names it, without ids: /download/{token}."""


def _matching(pattern: str) -> Callable[[Any], Any]:
    form = re.compile(pattern, re.ASCII)

    def of_form(value: Any) -> Any:
        return value if isinstance(value, str) and form.fullmatch(value) else None

    return of_form


def _number(value: Any) -> Any:
    return value if isinstance(value, int | float) else None


def _member(value: Any) -> Any:
    return value.value if isinstance(value, StrEnum) else None


def _template(value: Any) -> Any:
    return str(value) if isinstance(value, Template) else None


PLACE = _matching(r"[\w.<>-]{1,80}:\d{1,7}")
CLASS = _matching(r"[A-Za-z_][\w.]{0,79}")
# field -> what it may hold; whatever else is given is written as ?
FIELDS: dict[str, Callable[[Any], Any]] = {
    "reference": _matching(r"[0-9A-F]{4,16}"),  # what a person was told to quote
    "error": CLASS,  # the class of an exception or of a warning
    "cause": CLASS,
    "code": _matching(r"[A-Z0-9_]{1,40}"),  # of a database: 53100, SQLITE_FULL
    "where": PLACE,  # file of the program and its line
    "library": CLASS,  # the name of its logger
    "route": _template,
    "method": _matching(r"[A-Z]{3,7}"),
    "status": _number,
    "why": _member,  # of a closed list
    "role": _member,
    "port": _number,
    "public": _number,
    "count": _number,
}


def places(error: BaseException) -> list[str]:
    """Where an error passed through, outermost first, as file:line."""
    trace, found = error.__traceback__, []
    while trace is not None:
        found.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return found


def _ours(error: BaseException) -> str:
    found, trace, inside = places(error), error.__traceback__, []
    while trace is not None:
        inside.append(any(room in Path(trace.tb_frame.f_code.co_filename).parents for room in ROOMS))
        trace = trace.tb_next
    own = [place for place, is_own in zip(found, inside, strict=True) if is_own]
    return (own or found or [""])[-1]


def trouble(error: BaseException) -> dict[str, str]:
    """What may be told of an error: its class and place, and those of its cause; never what it says."""
    told = {"error": type(error).__name__, "where": _ours(error)}
    if error.__cause__ is not None:
        told["cause"] = type(error.__cause__).__name__
        driver = getattr(error.__cause__, "orig", None) or error.__cause__
        code = getattr(driver, "sqlstate", None) or getattr(driver, "sqlite_errorname", None)
        if code:
            told["code"] = code
    return {name: value for name, value in told.items() if value}


def checked(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as they may stand in a log. Raises KeyError for one that is not of ``FIELDS``."""
    return {name: "?" if (value := FIELDS[name](given)) is None else value for name, given in fields.items()}


def log(event: Event, level: int = logging.INFO, **fields: Any) -> None:
    """Writes a line. Raises KeyError for a field that is not one of ``FIELDS``, a mistake of ours."""
    told = {"event": event.value} | checked(fields)
    logging.getLogger(OURS).log(level, event.value, extra={"told": told})


def warn(event: Event, **fields: Any) -> None:
    """Writes a line that whoever looks after the program should read."""
    log(event, logging.WARNING, **fields)


def fail(event: Event, **fields: Any) -> None:
    """Writes a line about something of ours that broke."""
    log(event, logging.ERROR, **fields)


def new_reference() -> str:
    """Four signs that a person can read out and an administrator can find in the log."""
    return secrets.token_hex(2).upper()
