"""`supervision import`: a practice's files in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dashboard.cli_common import Db, PracticeName, progress_bar, say, settings_of, write_out
from dashboard.errors import UnusableInput
from dashboard.settings import Settings


def import_(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders or files: CSV, CSV.GZ, XLSX, Parquet, FHIR JSON or NDJSON, instruments.toml."),
    ] = None,
    practice: PracticeName = None,
    source: Annotated[str, typer.Option(help="Where the files come from; ids are unique within it.")] = "files",
    mapping: Annotated[
        str | None, typer.Option(help="A mapping's name (shipped, or saved here), or a TOML file.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write what was done as JSON.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    undo: Annotated[
        int | None,
        typer.Option(help="Take back a whole import: its number, as the report and Data quality say it."),
    ] = None,
    db: Db = None,
) -> None:
    """Read a practice's files, all or nothing, or take a whole import back (--undo), and evaluate what that touched."""
    from dashboard.importing import import_files
    from dashboard.opening import opened

    settings = settings_of(db)
    if undo is not None:
        if paths or mapping:
            raise UnusableInput("--undo takes an import back and reads no files. Give either paths or --undo.")
        _undo(settings, undo, practice, dry_run, report)
        return
    if not paths:
        raise UnusableInput("Name the folders or files to read, or an import to take back with --undo.")
    with opened(settings) as engine, progress_bar() as step:
        result = import_files(
            engine, settings, practice=practice, paths=paths, source=source, mapping=mapping, dry_run=dry_run,
            username=None, now=settings.now(), progress=step,
        )  # fmt: skip
    for line in result.summary_lines:
        say(line)
    if report:
        _write_report(result.as_json(), report)
    if result.set_aside:
        raise typer.Exit(3)


def _undo(settings: Settings, import_id: int, practice: str | None, dry_run: bool, out: Path | None) -> None:
    from dashboard.opening import opened
    from dashboard.undoing import undo

    with opened(settings) as engine:
        report = undo(engine, settings, import_id, practice=practice, dry_run=dry_run, now=settings.now())
    for line in report.summary_lines:
        say(line)
    if out:
        _write_report(report.as_json(), out)


def _write_report(content: dict[str, Any], out: Path) -> None:
    write_out((json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode(), out)
