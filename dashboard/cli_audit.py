"""`supervision audit ...`: is the record of who looked still what was written?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboard.cli_common import Db, say, settings_of

audit_commands = typer.Typer(no_args_is_help=True, help="The record of who opened, exported and changed what.")


@audit_commands.callback()
def _group() -> None:
    """Keeps `verify` a word of its own."""


@audit_commands.command("verify")
def audit_verify(
    head: Annotated[
        str | None, typer.Option(help="The head that an earlier check printed: it must still be there.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="An audit that `supervision export audit` wrote; no database is needed.")
    ] = None,
    part: Annotated[
        bool, typer.Option("--part", help="The file is one person's part (--as): rows of others are missing in it.")
    ] = False,
    db: Db = None,
) -> None:
    """Check that no row was changed, removed or added afterwards; print the head, to be kept elsewhere."""
    from dashboard.auditing import is_good, lines, verify, verify_file
    from dashboard.opening import opened

    if file is not None:
        found = verify_file(file, head, part=part)
    else:
        with opened(settings_of(db)) as engine:
            found = verify(engine, head)
    for line in lines(found):
        say(line)
    if file is not None and not part and found.broken is not None:
        say("A file made with --as, or of one of several practices, is a part of the audit: check it with --part.")
    if not is_good(found):
        raise typer.Exit(1)
