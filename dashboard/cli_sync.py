"""`supervision sync`: another system's database in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dashboard.cli_common import Db, PracticeName, progress_bar, say, settings_of, write_out


def sync(
    source_db: Annotated[
        str,
        typer.Option(
            "--source-db",
            envvar="SUPERVISION_SOURCE_DB",
            show_envvar=True,
            help="The other system's database: postgresql://USER@HOST/NAME, sqlite:///FILE or another SQLAlchemy URL.",
        ),
    ],
    mapping: Annotated[str, typer.Option(help="A mapping's name, or a TOML file: which tables and columns to read.")],
    source: Annotated[str, typer.Option(help="What to call it; ids are unique within it.")] = "sync",
    all_: Annotated[bool, typer.Option("--all", help="Read everything again, not only what is new.")] = False,
    practice: PracticeName = None,
    report: Annotated[Path | None, typer.Option(help="Write what was done as JSON.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    db: Db = None,
) -> None:
    """Read another system's tables (nothing is ever written there), all or nothing, and evaluate what they touched."""
    from dashboard.importing import mapping_named
    from dashboard.opening import opened
    from dashboard.syncing import sync as run

    settings = settings_of(db)
    with opened(settings) as engine, progress_bar() as step:
        chosen = mapping_named(engine, settings, practice, mapping)
        result = run(
            engine, settings, source_db=source_db, mapping=chosen, practice=practice, source=source, everything=all_,
            dry_run=dry_run, username=None, now=settings.now(), progress=step,
        )  # fmt: skip
    for line in result.summary_lines:
        say(line)
    if report:
        write_out((json.dumps(result.as_json(), indent=2, ensure_ascii=False) + "\n").encode(), report)
    if result.set_aside:
        raise typer.Exit(3)
