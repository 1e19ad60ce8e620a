"""What this program writes to its log: fixed events with a few checked fields, and never a text that came from data.

Client data cannot get in, by construction:

* Our own lines are made of an ``Event`` and of ``FIELDS``; each field takes only values of a closed form (numbers, references,
  class names, places in the program, members of closed lists, templates of addresses). Anything else is written as ``?``.
* What libraries, warnings and uncaught errors would write is reduced, before any handler sees it, to who said it and where in
  the program: never the message, its arguments, a traceback or an address that was asked for.
* While pages are served, standard output and standard error lead nowhere but for these lines (``nothing_else``): a library that
  prints, in Python or below it, shows nothing.
* No value holds a line break or any other control sign, so no line can be forged.

Setting ``log_format``: ``text`` (name=value) or ``json`` (one object per line). Setting ``log_file``: a private file beside
standard error.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

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
    COPY_FAILED = "automatic copy failed"
    COMMAND_FAILED = "command failed"
    LIBRARY = "library message"
    WARNING = "library warning"
    UNCAUGHT = "uncaught error"


class Template(str):
    """The address of a page or route as the program's own table names it, without ids: /download/{token}."""


def _matching(pattern: str) -> Callable[[Any], Any]:
    form = re.compile(pattern, re.ASCII)

    def checked(value: Any) -> Any:
        return value if isinstance(value, str) and form.fullmatch(value) else None

    return checked


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


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: "?" if (value := FIELDS[name](given)) is None else value for name, given in fields.items()}


class _Lines(logging.Formatter):
    """One line per record. ``as_json``: an object; else name=value, with quotes around what holds a space."""

    def __init__(self, as_json: bool) -> None:
        super().__init__()
        self.as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line; of a record that did not pass through here, only its level."""
        told = {"at": self.formatTime(record), "level": record.levelname.lower()} | getattr(record, "told", {})
        if self.as_json:
            return json.dumps(told, ensure_ascii=True)
        return " ".join(f"{name}={json.dumps(v) if ' ' in str(v) else v}" for name, v in told.items())


def _told_of(record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = {"library": record.name, "where": f"{record.filename}:{record.lineno}"}
    if record.exc_info and isinstance(record.exc_info[1], BaseException):
        fields |= trouble(record.exc_info[1])
    return {"event": Event.LIBRARY.value} | _checked(fields)


def _factory(*given: Any, **named: Any) -> logging.LogRecord:
    record = logging.LogRecord(*given, **named)
    if record.name != OURS:
        told = _told_of(record)
        record.__dict__["told"] = told
        record.msg, record.args = f"{told['library']} at {told['where']}", ()
        record.exc_info = record.exc_text = record.stack_info = None
    return record


def log(event: Event, level: int = logging.INFO, **fields: Any) -> None:
    """Writes a line. Raises KeyError for a field that is not one of ``FIELDS``, a mistake of ours."""
    told = {"event": event.value} | _checked(fields)
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


def quiet(*names: str) -> None:
    """Lets these libraries tell of errors only."""
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)


_apart: list[TextIO] = []  # standard error as it was, while `nothing_else` holds


class _StandardError(logging.Handler):
    """Whatever standard error is at the moment, or was before ``nothing_else``."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one line, in one piece."""
        try:
            print(self.format(record), file=_apart[-1] if _apart else sys.stderr, flush=True)
        except (OSError, ValueError):  # closed, or nobody reads it any more: there is nowhere left to say so
            return


class _PrivateFile(logging.FileHandler):
    """A log file for its owner alone, whatever the umask."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
        super().__init__(path, "a", encoding="utf-8")


def _warned(_message: Any, category: type, filename: str, lineno: int, _file: Any = None, _line: Any = None) -> None:
    warn(Event.WARNING, error=category.__name__, where=f"{Path(filename).name}:{lineno}")


def _uncaught(_kind: type[BaseException], error: BaseException | None, _trace: Any = None) -> None:
    log(Event.UNCAUGHT, logging.ERROR, **({} if error is None else trouble(error)))


def configure(log_format: str, log_file: str) -> None:
    """From here on the process writes log lines as described above, and nothing else to standard error.

    Raises OSError where ``log_file`` cannot be opened.
    """
    logging.setLogRecordFactory(_factory)
    logging.raiseExceptions = False  # a disk that is full would write a traceback, with what it could not write
    root = logging.getLogger()
    for handler in root.handlers:
        if isinstance(handler, _StandardError | _PrivateFile):
            handler.close()
    handlers: list[logging.Handler] = [_StandardError()]
    if log_file:
        handlers.append(_PrivateFile(Path(log_file)))
    for handler in handlers:
        handler.setFormatter(_Lines(log_format == "json"))
    root.handlers[:] = handlers
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(logging.INFO)
    for name in list(
        logging.root.manager.loggerDict
    ):  # libraries that brought handlers of their own write through ours
        found = logging.getLogger(name)
        found.handlers.clear()
        found.propagate = True
        if name != OURS:
            found.setLevel(max(found.level, logging.WARNING))
    warnings.showwarning = _warned  # type: ignore[assignment]
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda told: _uncaught(told.exc_type, told.exc_value)
    threading.excepthook = lambda told: _uncaught(told.exc_type, told.exc_value)


def is_configured() -> bool:
    """Whether ``configure`` has been called in this process."""
    return logging.getLogRecordFactory() is _factory


@contextmanager
def nothing_else() -> Iterator[None]:
    """Inside, only log lines reach standard error, and nothing reaches standard output, not even from a library's own code."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {number: os.dup(number) for number in (1, 2)}
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in kept:
        os.dup2(nowhere, number)
    os.close(nowhere)
    with os.fdopen(os.dup(kept[2]), "w", encoding="utf-8") as apart:
        _apart.append(apart)
        try:
            yield
        finally:
            _apart.pop()
            sys.stdout.flush()
            sys.stderr.flush()
            for number, handle in kept.items():
                os.dup2(handle, number)
                os.close(handle)
