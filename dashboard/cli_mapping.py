"""`supervision mapping ...`: the mappings that a practice has saved, for use by `supervision import --mapping NAME`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dashboard.cli_common import Db, PracticeName, say, settings_of, write_out
from dashboard.errors import UnusableInput
from dashboard.settings import Settings

if TYPE_CHECKING:
    from dashboard.saved_mappings import Shelf

mapping_commands = typer.Typer(no_args_is_help=True, help="Saved mappings: how other systems' files are read.")


@contextmanager
def _shelf(settings: Settings, practice: str | None) -> Iterator[Shelf]:
    from dashboard.opening import opened
    from dashboard.saved_mappings import Shelf
    from queries import practices
    from queries.engine import reading

    with opened(settings) as engine:
        with reading(engine) as connection:
            practice_id = practices.find_practice(connection, practice)
        yield Shelf(engine, practice_id, None, settings.now())


@mapping_commands.command("list")
def list_(practice: PracticeName = None, db: Db = None) -> None:
    """The shipped mappings and those the practice has saved."""
    from dashboard.intake.mapping import mapping_abouts

    for name, about in mapping_abouts().items():
        say(f"{name}\tshipped\t{about}")
    with _shelf(settings_of(db), practice) as shelf:
        for one in shelf.names():
            say(f"{one.name}\tsaved by {one.username}\t{one.saved_at:%Y-%m-%d %H:%M}")


@mapping_commands.command("show")
def show(
    name: str,
    out: Annotated[Path | None, typer.Option(help="A file; default the terminal.")] = None,
    practice: PracticeName = None,
    db: Db = None,
) -> None:
    """Print a mapping as TOML."""
    with _shelf(settings_of(db), practice) as shelf:
        text = shelf.text(name)
    write_out(text.encode(), out)


@mapping_commands.command("save")
def save(
    file: Annotated[Path, typer.Argument(help="A mapping as TOML.")],
    name: Annotated[str | None, typer.Option(help="Under which name; default the file's.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="In place of a mapping of that name.")] = False,
    practice: PracticeName = None,
    db: Db = None,
) -> None:
    """Save a mapping file in the practice, checked first."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise UnusableInput(f"{file} cannot be read as text. Check its name and that it is UTF-8.") from None
    with _shelf(settings_of(db), practice) as shelf:
        kept = shelf.save(name or file.stem, text, replace=replace)
    say(f"Saved the mapping '{kept}'. Use it with: supervision import FILES --mapping '{kept}'")


@mapping_commands.command("delete")
def delete(name: str, practice: PracticeName = None, db: Db = None) -> None:
    """Delete a saved mapping; what was imported through it stays."""
    with _shelf(settings_of(db), practice) as shelf:
        shelf.delete(name)
    say(f"Deleted the mapping '{name}'.")
