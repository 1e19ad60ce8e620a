"""`supervision import`: a practice's files in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dashboard.cli_common import Db, PracticeName, progress_bar, say, settings_of, write_out


def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Folders or files: CSV, CSV.GZ, XLSX, Parquet, FHIR JSON or NDJSON, instruments.toml."),
    ],
    practice: PracticeName = None,
    source: Annotated[str, typer.Option(help="Where the files come from; ids are unique within it.")] = "files",
    mapping: Annotated[
        str | None, typer.Option(help="A mapping's name (shipped, or saved here), or a TOML file.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write what was done as JSON.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    db: Db = None,
) -> None:
    """Read a practice's files, all or nothing, and evaluate what they touched."""
    from dashboard.importing import import_files
    from dashboard.opening import opened

    settings = settings_of(db)
    with opened(settings) as engine, progress_bar() as step:
        result = import_files(
            engine, settings, practice=practice, paths=paths, source=source, mapping=mapping, dry_run=dry_run,
            username=None, now=settings.now(), progress=step,
        )  # fmt: skip
    for line in result.summary_lines:
        say(line)
    if report:
        write_out((json.dumps(result.as_json(), indent=2, ensure_ascii=False) + "\n").encode(), report)
    if result.set_aside:
        raise typer.Exit(3)
