"""What the commands share: options, the day, a progress bar, writing a file."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape as rich_escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dashboard import settings as configuration
from dashboard.errors import SupervisionError, UnusableInput
from dashboard.harmless import clean, one_line
from dashboard.settings import Settings

Db = Annotated[str | None, typer.Option("--db", help="The database: sqlite:///FILE or postgresql://USER@HOST/NAME.")]
PurposeWord = Annotated[
    str | None, typer.Option("--purpose", help="What it is for: supervision, appraisal or practice; kept in the audit.")
]
PracticeName = Annotated[str | None, typer.Option("--practice", help="Which practice, where a database holds several.")]


def settings_of(db: str | None) -> Settings:
    """The settings, with the database of --db where it is given."""
    loaded = configuration.load()
    return replace(loaded, db=db) if db else loaded


def say(text: str, *, err: bool = False) -> None:
    """A line on the terminal, without what would steer it; a sign that its encoding lacks is written as its code."""
    stream = sys.stderr if err else sys.stdout
    safe = clean(text)
    try:
        typer.echo(safe, err=err)
    except UnicodeEncodeError:
        typer.echo(
            safe.encode(stream.encoding or "ascii", "backslashreplace").decode(stream.encoding or "ascii"), err=err
        )


def day_of(text: str | None, settings: Settings) -> date:
    """A day of --as-of; today where none is given. Raises UnusableInput for no date, or one after today."""
    if text is None:
        return settings.today()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UnusableInput(f"'{text}' is not a date. Write it as 2026-11-20.") from None
    if day > settings.today():
        raise UnusableInput(f"{day} is after today ({settings.today()}). Choose today or an earlier day.")
    return day


@contextmanager
def progress_bar() -> Iterator[Any]:
    """A bar on a terminal, nothing when piped."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Starting", total=1.0)

        def step(what: str, share: float) -> None:
            bar.update(task, description=rich_escape(one_line(what, 80)), completed=share)

        yield step


def write_out(data: bytes, out: Path | None) -> None:
    """Writes to a private file, or to the terminal. Raises SupervisionError where it cannot be written."""
    if out is None:
        sys.stdout.buffer.write(data)
        return
    write_privately(data, out)


def write_privately(data: bytes, out: Path) -> None:
    """Writes beside the file and swaps it in, private to its owner: a reader never meets half of it.

    A device or a pipe is written to as it is. Raises SupervisionError where it cannot be written.
    """
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    try:
        if out.exists() and not out.is_file():
            out.write_bytes(data)
            return
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise SupervisionError(f"{out} could not be written: {error.strerror}. Choose another file.") from None
