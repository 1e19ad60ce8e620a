"""`supervision ...`: thin commands, each of which calls one function elsewhere."""

from __future__ import annotations

import json
import logging
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dashboard import settings as configuration
from dashboard.errors import SupervisionError, UnusableInput
from dashboard.settings import Settings

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The supervision dashboard: load a practice's data, serve the pages, export tables.",
)
user_commands = typer.Typer(no_args_is_help=True, help="Who may sign in, and as what.")
cli.add_typer(user_commands, name="user")

Db = Annotated[str | None, typer.Option("--db", help="The database: sqlite:///FILE or postgresql://USER@HOST/NAME.")]
PracticeName = Annotated[str | None, typer.Option("--practice", help="Which practice, where a database holds several.")]


def _settings(db: str | None) -> Settings:
    loaded = configuration.load()
    return replace(loaded, db=db) if db else loaded


def _say(text: str) -> None:
    typer.echo(text)


def _day(text: str | None, settings: Settings) -> date:
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
def _progress() -> Iterator[Any]:
    """A bar on a terminal, nothing when piped."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Starting", total=1.0)

        def step(what: str, share: float) -> None:
            bar.update(task, description=what, completed=share)

        yield step


def _write(data: bytes, out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.write(data)
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        raise SupervisionError(f"{out} could not be written: {error.strerror}. Choose another file.") from None


def _replace(data: bytes, out: Path) -> None:
    """Writes beside the file and swaps it in, private to its owner: a reader never meets half of it."""
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    try:
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise SupervisionError(f"{out} could not be written: {error.strerror}. Choose another file.") from None


@cli.command()
def demo(
    port: Annotated[int, typer.Option(help="Where the pages are served.")] = 8501,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Build the practice, do not serve it.")] = False,
    seed: Annotated[int, typer.Option(help="Another number, another practice.")] = 7,
    clinicians: Annotated[int, typer.Option(min=1, max=500)] = 12,
    episodes: Annotated[int, typer.Option(min=0, max=200_000)] = 600,
    db: Db = None,
) -> None:
    """Build (once) a believable practice in a database of its own, and serve it."""
    from dashboard.demo.build import build_once

    settings = configuration.load()
    url = db or os.environ.get("SUPERVISION_DB") or configuration.default_db_url("demo")
    settings = replace(settings, db=url)
    with _progress() as step:
        built = build_once(
            settings, seed=seed, clinicians=clinicians, episodes=episodes, now=settings.now(), progress=step
        )
    for line in built.lines(port):
        _say(line)
    if not no_serve:
        _serve(settings, "127.0.0.1", port)


def _serve(settings: Settings, host: str, port: int) -> None:
    from dashboard.serving import serve as run

    run(settings, host, port)


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="127.0.0.1 for this machine only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option()] = 8501,
    db: Db = None,
) -> None:
    """Serve the pages; the database is created or brought up to date first."""
    settings = _settings(db)
    _say(f"Serving at http://{'localhost' if host == '127.0.0.1' else host}:{port} (Ctrl-C stops it)")
    _serve(settings, host, port)


@cli.command(name="import")
def import_(
    paths: Annotated[
        list[Path], typer.Argument(help="Folders or files: CSV, CSV.GZ, XLSX, Parquet, instruments.toml.")
    ],
    practice: PracticeName = None,
    source: Annotated[str, typer.Option(help="Where the files come from; ids are unique within it.")] = "files",
    mapping: Annotated[str | None, typer.Option(help="A built-in mapping's name, or a TOML file.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write what was done as JSON.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    db: Db = None,
) -> None:
    """Read a practice's files, all or nothing, and evaluate what they touched."""
    from dashboard.importing import import_files
    from dashboard.opening import opened

    settings = _settings(db)
    with opened(settings) as engine, _progress() as step:
        result = import_files(
            engine, settings, practice=practice, paths=paths, source=source, mapping=mapping, dry_run=dry_run,
            username=None, now=settings.now(), progress=step,
        )  # fmt: skip
    for line in result.summary_lines:
        _say(line)
    if report:
        _write((json.dumps(result.as_json(), indent=2, ensure_ascii=False) + "\n").encode(), report)
    if result.set_aside:
        raise typer.Exit(3)


@cli.command()
def evaluate(
    as_of: Annotated[str | None, typer.Option("--as-of", help="A day such as 2026-11-20; default today.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Everything, not only what changed.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Practices evaluated side by side.")] = 1,
    practice: PracticeName = None,
    db: Db = None,
) -> None:
    """Recompute the signals."""
    from dashboard.evaluation import evaluate_practices
    from dashboard.opening import opened

    settings = _settings(db)
    day = _day(as_of, settings)
    with opened(settings) as engine, _progress() as step:
        reports = evaluate_practices(
            engine, settings, practice=practice, as_of=day, everything=all_, workers=workers, now=settings.now(),
            progress=step, timer=perf_counter,
        )  # fmt: skip
    for line in reports:
        _say(line)


@cli.command()
def export(
    table: Annotated[str, typer.Argument(help="episodes, flags, sessions, endings, validation, set_aside or audit.")],
    as_: Annotated[str | None, typer.Option("--as", help="A user name: that person's scope and role.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="A day such as 2026-11-20; default today.")] = None,
    format_: Annotated[str | None, typer.Option("--format", help="csv, json or parquet; default csv.")] = None,
    out: Annotated[Path | None, typer.Option(help="A file; default the terminal.")] = None,
    practice: PracticeName = None,
    db: Db = None,
) -> None:
    """Write a table; every export leaves an audit row."""
    from dashboard.exporting import USUAL_FORMAT, export_table
    from dashboard.opening import opened

    settings = _settings(db)
    day = None if as_of is None else _day(as_of, settings)
    with opened(settings) as engine:
        data = export_table(
            engine, settings, table=table, username=as_, as_of=day,
            kind=format_ or USUAL_FORMAT.get(table, "csv"), practice=practice, now=settings.now(),
        )  # fmt: skip
    _write(data, out)


@cli.command()
def digest(
    as_: Annotated[str, typer.Option("--as", help="A user name: whose week.")],
    practice: PracticeName = None,
    db: Db = None,
) -> None:
    """Print somebody's week as short text without any client data, for a mailer or a calendar."""
    from dashboard.digest import digest as lines_of
    from dashboard.opening import opened

    settings = _settings(db)
    with opened(settings) as engine:
        lines = lines_of(engine, settings, username=as_, practice=practice)
    for line in lines:
        _say(line)


@cli.command()
def snapshot(
    out: Annotated[Path, typer.Option(help="A file that ends in .html, .pdf or .zip (CSV tables).")],
    supervisee: Annotated[
        list[str] | None, typer.Option(help="A clinician_id of the practice's own; repeat it for several.")
    ] = None,
    as_: Annotated[str | None, typer.Option("--as", help="A user name: that person's scope and role.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="A day such as 2026-11-20; default today.")] = None,
    audience: Annotated[
        str, typer.Option(help="supervision (client codes), or practice (counts only, small ones withheld).")
    ] = "supervision",
    practice: PracticeName = None,
    db: Db = None,
) -> None:
    """Write a dated record of caseloads for supervision, or a summary of counts; every one leaves an audit row."""
    from dashboard.opening import opened
    from dashboard.snapshot_command import write_snapshot

    settings = _settings(db)
    day = None if as_of is None else _day(as_of, settings)
    with opened(settings) as engine:
        data = write_snapshot(
            engine, settings, supervisees=supervisee or [], username=as_, as_of=day, audience=audience,
            form=out.suffix.lower().removeprefix("."), practice=practice, now=settings.now(),
        )  # fmt: skip
    _replace(data, out)
    _say(f"Wrote {out}. Store it where your practice stores clinical records.")


@cli.command()
def doctor(db: Db = None) -> None:
    """Check database, settings, secrets, clock and fonts; say what to mend."""
    from dashboard.doctor import examine

    settings = _settings(db)
    findings = examine(settings)
    for finding in findings:
        _say(f"{'ok  ' if finding.ok else 'MEND'}  {finding.what}: {finding.words}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@user_commands.command("add")
def user_add(
    username: str,
    role: Annotated[str, typer.Option(help="clinician, supervisor, director or admin.")],
    clinician: Annotated[str | None, typer.Option(help="The clinician_id this person works under.")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    must_change: Annotated[
        bool, typer.Option("--must-change", help="Ask for a new password at the first sign-in.")
    ] = False,
    practice: PracticeName = None,
    db: Db = None,
) -> None:
    """Add a person; without --password-stdin a random password is made and printed once."""
    from dashboard.opening import opened
    from dashboard.people import add_person

    settings = _settings(db)
    given = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    with opened(settings) as engine:
        password = add_person(
            engine, practice=practice, username=username, role=role, clinician=clinician, password=given,
            must_change=must_change, now=settings.now(), first_practice=settings.practice,
        )  # fmt: skip
    _say(f"Added {username} as {role}." + ("" if given is not None else f" Password (shown once): {password}"))


@user_commands.command("list")
def user_list(practice: PracticeName = None, db: Db = None) -> None:
    """Who may sign in."""
    from dashboard.opening import opened
    from dashboard.people import people

    settings = _settings(db)
    with opened(settings) as engine:
        rows = people(engine, practice=practice)
    for row in rows:
        _say(f"{row.username}\t{row.role}\t{row.clinician or '-'}\t{'active' if row.is_active else 'disabled'}")


@user_commands.command("disable")
def user_disable(username: str, practice: PracticeName = None, db: Db = None) -> None:
    """End a person's sessions and let them sign in no more."""
    from dashboard.opening import opened
    from dashboard.people import disable_person

    settings = _settings(db)
    with opened(settings) as engine:
        disable_person(engine, practice=practice, username=username, now=settings.now())
    _say(f"{username} can no longer sign in; open sessions have ended.")


@user_commands.command("reset")
def user_reset(username: str, practice: PracticeName = None, db: Db = None) -> None:
    """Make a new random password, printed once; the person chooses their own at the next sign-in."""
    from dashboard.opening import opened
    from dashboard.people import reset_person

    settings = _settings(db)
    with opened(settings) as engine:
        password = reset_person(engine, practice=practice, username=username, now=settings.now())
    _say(f"{username} has a new password (shown once): {password}")


def main() -> None:
    """Runs a command; whatever goes wrong ends as words and an exit code, never as a traceback."""
    try:
        cli(prog_name="supervision")
    except SupervisionError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        reference = secrets.token_hex(2).upper()
        typer.echo(
            f"Something went wrong on our side ({type(error).__name__}). Nothing was written. Reference {reference}.\n"
            "Run it again with SUPERVISION_DEBUG=1 to see where, and tell your administrator.",
            err=True,
        )
        if os.environ.get("SUPERVISION_DEBUG"):
            logging.getLogger("supervision").exception("reference %s at %s", reference, datetime.now())  # noqa: DTZ005
        sys.exit(1)
