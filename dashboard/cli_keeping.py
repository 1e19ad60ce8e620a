"""`supervision backup`, `restore` and what else keeps the data safe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboard.cli_common import Db, say, settings_of


def backup(
    file: Annotated[Path, typer.Argument(help="Where the copy goes, such as practice-2026-11-20.backup.")],
    db: Db = None,
) -> None:
    """Make a checked copy of the whole database in one file, while the app runs."""
    from dashboard.keeping.copies import back_up

    settings = settings_of(db)
    for line in back_up(settings, file, settings.now()):
        say(line)


def restore(
    file: Annotated[Path, typer.Argument(help="A copy made by `supervision backup`, of either kind of database.")],
    force: Annotated[bool, typer.Option("--force", help="Replace what the database holds now.")] = False,
    db: Db = None,
) -> None:
    """Check a copy and put it in the database's place; the app may keep running."""
    from dashboard.keeping.copies import bring_back

    settings = settings_of(db)
    for line in bring_back(settings, file, force=force, now=settings.now()):
        say(line)


def register(cli: typer.Typer) -> None:
    """Adds these commands to the program."""
    cli.command()(backup)
    cli.command()(restore)
