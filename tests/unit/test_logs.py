"""Nothing that came from data reaches a log, whoever writes it, and no line can be forged."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from dashboard import log_writing, logs
from dashboard.access import Role
from dashboard.logs import Event, Template
from queries.engine import open_engine, writing

CLIENT = "QX-7731"
FORGED = f"{CLIENT}\nlevel=error event=forged\x1b[31m‮\u2028"


def _let_go() -> None:
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler):
            handler.close()


@pytest.fixture
def written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What stood in the log, on standard output and on standard error; the process is as before afterwards."""
    root, hooks = logging.getLogger(), (sys.excepthook, sys.unraisablehook, threading.excepthook, warnings.showwarning)
    known = {name: logging.getLogger(name) for name in list(logging.root.manager.loggerDict)}
    before = {name: (one.handlers[:], one.propagate, one.level) for name, one in [("", root), *known.items()]}
    file = tmp_path / "folder" / "our.log"
    log_writing.configure("text", str(file))
    yield lambda: "".join([file.read_text("utf-8"), *capfd.readouterr()])
    _let_go()
    for name, (handlers, propagate, level) in before.items():
        one = root if not name else known[name]
        one.handlers[:], one.propagate = handlers, propagate
        one.setLevel(level)
    logging.setLogRecordFactory(logging.LogRecord)
    logging.raiseExceptions = True
    sys.excepthook, sys.unraisablehook, threading.excepthook, warnings.showwarning = hooks  # type: ignore[assignment]


def _by_a_library() -> None:
    logging.getLogger("streamlit.somewhere").warning("client %s has gone", FORGED)
    logging.getLogger(f"library of {FORGED}").error(f"client {FORGED}")


def _by_an_exception() -> None:
    try:
        raise ValueError(FORGED)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("about %s", FORGED, stack_info=True)


def _by_a_thread() -> None:
    def breaks() -> None:
        raise KeyError(FORGED)

    thread = threading.Thread(target=breaks)
    thread.start()
    thread.join()


def _by_hand() -> None:
    word: Any = FORGED
    logs.warn(Event.PAGE_FAILED, reference=word, error=word, where=word, route=word, method=word, status=word, why=word)


def _by_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = log_writing._warned  # type: ignore[assignment]
        warnings.warn(FORGED, UserWarning, stacklevel=1)


def _at_the_end() -> None:
    sys.excepthook(ValueError, ValueError(FORGED), None)


@pytest.mark.parametrize(
    "way",
    [_by_a_library, _by_an_exception, _by_a_thread, _by_hand, _by_a_warning, _at_the_end],
    ids=lambda one: one.__name__,
)
def test_a_text_of_data_is_not_in_the_log_by_whatever_way(way: Callable[[], None], written: Callable[[], str]) -> None:
    way()
    said = written()
    assert said.count("\n") >= 2, "it is told that something happened"
    assert CLIENT not in said
    assert "forged" not in said
    assert said.isascii()
    assert [line for line in said.splitlines() if not line.startswith("at=")] == []


def test_a_statement_that_fails_keeps_its_values_to_itself(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'p.sqlite'}")
    with writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE once (word TEXT UNIQUE)")
        connection.exec_driver_sql("INSERT INTO once VALUES (?)", (CLIENT,))
    with pytest.raises(IntegrityError) as said, writing(engine) as connection:
        connection.exec_driver_sql("INSERT INTO once VALUES (?)", (CLIENT,))
    engine.dispose()
    assert "once" in str(said.value)
    assert CLIENT not in str(said.value)


class Word(StrEnum):
    """A closed list."""

    ONE = "one"


@pytest.mark.parametrize(
    ("field", "given", "stands"),
    [
        ("reference", "4F0A", "4F0A"), ("reference", "4f0a", "?"), ("error", "ValueError", "ValueError"),
        ("error", "Value Error", "?"), ("where", "page.py:12", "page.py:12"), ("where", "page.py", "?"),
        ("route", Template("/download/{token}"), "/download/{token}"), ("route", "/download/abc", "?"),
        ("why", Word.ONE, "one"), ("why", "one", "?"), ("role", Role.ADMIN, "admin"), ("status", 404, 404),
        ("code", "SQLITE_FULL", "SQLITE_FULL"), ("code", "disk of QX", "?"), ("count", None, "?"),
    ],
)  # fmt: skip
def test_a_field_takes_values_of_its_form_only(field: str, given: Any, stands: Any) -> None:
    assert logs.checked({field: given}) == {field: stands}


def test_a_field_that_nobody_allowed_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        logs.log(Event.STARTED, client=CLIENT)


def test_lines_are_json_on_request_and_the_file_is_private(written: Callable[[], str], tmp_path: Path) -> None:
    _let_go()
    old = os.umask(0)
    try:
        log_writing.configure("json", str(tmp_path / "other" / "lines.log"))
    finally:
        os.umask(old)
    logs.warn(Event.COPY_FAILED, error="OSError", where="automatic.py:9")
    line = json.loads((tmp_path / "other" / "lines.log").read_text("utf-8"))
    assert (line["event"], line["error"], line["level"]) == ("automatic copy failed", "OSError", "warning")
    assert stat.S_IMODE((tmp_path / "other" / "lines.log").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "other").stat().st_mode) == 0o700


SERVING = """
import os, sys, subprocess
from dashboard import log_writing, logs
from dashboard.logs import Event
print("before", flush=True)
log_writing.configure("text", "")
with log_writing.nothing_else():
    print("QX-7731")
    sys.stderr.write("QX-7731")
    os.write(2, b"QX-7731")
    subprocess.run([sys.executable, "-c", "print('QX-7731')"])
    logs.warn(Event.PAGE_FAILED, reference="AB12")
print("after", flush=True)
"""


def test_while_pages_are_served_nothing_but_our_lines_is_written_by_whatever_means() -> None:
    ran = subprocess.run([sys.executable, "-c", SERVING], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["before", "after"]
    assert "reference=AB12" in ran.stderr
    assert CLIENT not in ran.stdout + ran.stderr
