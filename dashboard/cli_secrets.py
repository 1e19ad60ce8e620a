"""`supervision secrets`: new ones in place of those that sign links and cookies."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from dashboard.cli_common import Db, say, settings_of

secret_commands = typer.Typer(no_args_is_help=True, help="What signs links and cookies.")


class What(StrEnum):
    """Which secrets are rotated."""

    ALL = "all"
    LINKS = "links"
    COOKIE = "cookie"


@secret_commands.command("rotate")
def rotate(
    what: Annotated[What, typer.Option(help="links of downloads, the app's own cookies, or all of them.")] = What.ALL,
    end_sessions: Annotated[
        bool, typer.Option("--end-sessions", help="Sign everybody out as well, in every practice of this database.")
    ] = False,
    db: Db = None,
) -> None:
    """Make new secrets; none is shown. Ids in addresses stay as they are, so bookmarks stay good."""
    from dashboard.opening import opened
    from dashboard.rotating import rotate_secrets

    settings = settings_of(db)
    with opened(settings) as engine:
        lines = rotate_secrets(engine, settings, what=what.value, end_sessions=end_sessions, now=settings.now())
    for line in lines:
        say(line)
