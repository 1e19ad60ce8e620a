"""How log lines are written, and how everything else that would be written is kept out: see ``logs``."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from dashboard.logs import OURS, Event, checked, fail, trouble, warn


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
    return {"event": Event.LIBRARY.value} | checked(fields)


def _factory(*given: Any, **named: Any) -> logging.LogRecord:
    record = logging.LogRecord(*given, **named)
    if record.name != OURS:
        told = _told_of(record)
        record.__dict__["told"] = told
        record.msg, record.args = f"{told['library']} at {told['where']}", ()
        record.exc_info = record.exc_text = record.stack_info = None
    return record


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
    fail(Event.UNCAUGHT, **({} if error is None else trouble(error)))


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
