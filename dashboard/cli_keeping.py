"""`supervision backup`, `restore` and what else keeps the data safe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboard.cli_common import Db, PracticeName, say, settings_of


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


key_commands = typer.Typer(no_args_is_help=True, help="The key of an encrypted database.")


@key_commands.command("new")
def key_new(
    out: Annotated[Path, typer.Option(help="A file that is not there yet; only you will be able to read it.")],
) -> None:
    """Make a random key. Keep a second copy of it away from this machine: without it the data is gone."""
    from dashboard.keeping.key import new_key

    new_key(out)
    say(f"Wrote {out}. Set SUPERVISION_KEY_FILE={out}, and keep a second copy of it away from this machine.")


def encrypt(db: Db = None) -> None:
    """Encrypt the embedded database with the key that the settings name; stop the app first."""
    from dashboard.keeping.encrypting import encrypt as act

    for line in act(settings_of(db)):
        say(line)


def decrypt(db: Db = None) -> None:
    """Take the encryption of the embedded database back; stop the app first."""
    from dashboard.keeping.encrypting import decrypt as act

    for line in act(settings_of(db)):
        say(line)


def rekey(
    new_key_file: Annotated[Path, typer.Option("--new-key-file", help="A private file that holds the new key.")],
    db: Db = None,
) -> None:
    """Give the encrypted database another key; stop the app first."""
    from dashboard.keeping.encrypting import rekey as act

    for line in act(settings_of(db), new_key_file):
        say(line)


def erase(
    client: Annotated[str, typer.Option(help="The client_id of the practice's own.")],
    source: Annotated[str | None, typer.Option(help="Where that id comes from, if several sources have it.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this only count what would go.")] = False,
    practice: PracticeName = None,
    db: Db = None,
) -> None:
    """Erase who a client was, for good; what statistics count stays, without any id or text."""
    from dashboard.keeping.erasing import erase_client
    from dashboard.opening import opened

    settings = settings_of(db)
    with opened(settings) as engine:
        lines = erase_client(
            engine, settings, practice=practice, client=client, source=source, apply=yes, now=settings.now()
        )
    for line in [*lines, *([] if yes else ["--yes does it."])]:
        say(line)


def retention(
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without this only count who would go.")] = False,
    practice: PracticeName = None,
    db: Db = None,
) -> None:
    """Erase clients whose last episode closed longer ago than the practice keeps records (setting retention_years)."""
    from dashboard.keeping.erasing import apply_retention
    from dashboard.opening import opened

    settings = settings_of(db)
    with opened(settings) as engine:
        lines = apply_retention(engine, settings, practice=practice, apply=apply, now=settings.now())
    for line in lines:
        say(line)


def protect(
    role: Annotated[str, typer.Option(help="Its name, such as supervision_app.")],
    db: Db = None,
) -> None:
    """Make the PostgreSQL role under which row security holds whatever is done for people (setting db_role)."""
    from dashboard.keeping.protecting import protect as act
    from dashboard.opening import opened

    settings = settings_of(db)
    with opened(settings) as engine:
        lines = act(engine, role, settings.now())
    for line in lines:
        say(line)


def register(cli: typer.Typer) -> None:
    """Adds these commands to the program."""
    cli.command()(backup)
    cli.command()(restore)
    cli.command()(encrypt)
    cli.command()(decrypt)
    cli.command()(rekey)
    cli.command()(erase)
    cli.command()(retention)
    cli.command()(protect)
    cli.add_typer(key_commands, name="key")
