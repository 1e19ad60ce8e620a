"""`supervision ...`: thin commands, each of which calls one function elsewhere."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from dashboard import cli_keeping, logs
from dashboard import settings as configuration
from dashboard.cli_audit import audit_commands
from dashboard.cli_common import (
    Db,
    PracticeName,
    PurposeWord,
    day_of,
    progress_bar,
    say,
    settings_of,
    write_out,
    write_privately,
)
from dashboard.cli_import import import_
from dashboard.cli_mapping import mapping_commands
from dashboard.cli_secrets import secret_commands
from dashboard.cli_sync import sync
from dashboard.errors import SupervisionError, UnusableInput
from dashboard.harmless import is_plain_argument
from dashboard.settings import Settings

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The supervision dashboard: load a practice's data, serve the pages, export tables.",
)
user_commands = typer.Typer(no_args_is_help=True, help="Who may sign in, and as what.")
cli.add_typer(user_commands, name="user")
cli.command(name="import")(import_)
cli.add_typer(mapping_commands, name="mapping")
cli.add_typer(secret_commands, name="secrets")
cli.add_typer(audit_commands, name="audit")
cli.command()(sync)
cli_keeping.register(cli)


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
    with progress_bar() as step:
        built = build_once(
            settings, seed=seed, clinicians=clinicians, episodes=episodes, now=settings.now(), progress=step
        )
    for line in built.lines(port):
        say(line)
    if not no_serve:
        _serve(replace(settings, host="127.0.0.1"), port)


def _serve(settings: Settings, port: int, *, insecure_http: bool = False) -> None:
    from dashboard.serving import serve as run

    run(settings, port, insecure_http=insecure_http)


@cli.command()
def serve(
    host: Annotated[
        str | None, typer.Option(help="Where to listen; default 127.0.0.1, which is this machine only.")
    ] = None,
    port: Annotated[int, typer.Option()] = 8501,
    insecure_http: Annotated[
        bool, typer.Option("--insecure-http", help="Serve other machines without TLS: anybody between can read along.")
    ] = False,
    db: Db = None,
) -> None:
    """Serve the pages; the database is created or brought up to date first."""
    from dashboard.exposure import check_exposure

    settings = settings_of(db)
    settings = settings if host is None else replace(settings, host=host)
    check_exposure(settings.host, settings, insecure_http=insecure_http)
    shown = "localhost" if settings.host == "127.0.0.1" else settings.host
    say(f"Serving at http://{shown}:{port} (Ctrl-C stops it)")
    _serve(settings, port, insecure_http=insecure_http)


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

    settings = settings_of(db)
    day = day_of(as_of, settings)
    with opened(settings) as engine, progress_bar() as step:
        reports = evaluate_practices(
            engine, settings, practice=practice, as_of=day, everything=all_, workers=workers, now=settings.now(),
            progress=step, timer=perf_counter,
        )  # fmt: skip
    for line in reports:
        say(line)


@cli.command()
def export(
    table: Annotated[str, typer.Argument(help="episodes, flags, sessions, endings, validation, set_aside or audit.")],
    as_: Annotated[str | None, typer.Option("--as", help="A user name: that person's scope and role.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="A day such as 2026-11-20; default today.")] = None,
    format_: Annotated[str | None, typer.Option("--format", help="csv, json or parquet; default csv.")] = None,
    out: Annotated[Path | None, typer.Option(help="A file; default the terminal.")] = None,
    purpose: PurposeWord = None,
    practice: PracticeName = None,
    db: Db = None,
) -> None:
    """Write a table; every export leaves an audit row."""
    from dashboard.exporting import USUAL_FORMAT, export_table
    from dashboard.opening import opened

    settings = settings_of(db)
    day = None if as_of is None else day_of(as_of, settings)
    with opened(settings) as engine:
        data = export_table(
            engine, settings, table=table, username=as_, as_of=day,
            kind=format_ or USUAL_FORMAT.get(table, "csv"), practice=practice, now=settings.now(), purpose=purpose,
        )  # fmt: skip
    write_out(data, out)


@cli.command()
def digest(
    as_: Annotated[str, typer.Option("--as", help="A user name: whose week.")],
    purpose: PurposeWord = None,
    practice: PracticeName = None,
    db: Db = None,
) -> None:
    """Print somebody's week as short text without any client data, for a mailer or a calendar."""
    from dashboard.digest import digest as lines_of
    from dashboard.opening import opened

    settings = settings_of(db)
    with opened(settings) as engine:
        lines = lines_of(engine, settings, username=as_, practice=practice, purpose=purpose)
    for line in lines:
        say(line)


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
    purpose: PurposeWord = None,
    practice: PracticeName = None,
    db: Db = None,
) -> None:
    """Write a dated record of caseloads for supervision, or a summary of counts; every one leaves an audit row."""
    from dashboard.opening import opened
    from dashboard.snapshot_command import write_snapshot

    settings = settings_of(db)
    day = None if as_of is None else day_of(as_of, settings)
    with opened(settings) as engine:
        data = write_snapshot(
            engine, settings, supervisees=supervisee or [], username=as_, as_of=day, audience=audience,
            form=out.suffix.lower().removeprefix("."), practice=practice, now=settings.now(), purpose=purpose,
        )  # fmt: skip
    write_privately(data, out)
    say(f"Wrote {out}. Store it where your practice stores clinical records.")


@cli.command()
def doctor(db: Db = None) -> None:
    """Check database, settings, secrets, clock and fonts; say what to mend."""
    from dashboard.doctor import examine

    settings = settings_of(db)
    findings = examine(settings)
    for finding in findings:
        say(f"{'ok  ' if finding.ok else 'MEND'}  {finding.what}: {finding.words}")
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
    email: Annotated[str | None, typer.Option(help="The address by which single sign-on knows this person.")] = None,
    practice: PracticeName = None,
    db: Db = None,
) -> None:
    """Add a person; without --password-stdin a random password is made and printed once."""
    from dashboard.opening import opened
    from dashboard.people import add_person

    settings = settings_of(db)
    given = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    with opened(settings) as engine:
        password = add_person(
            engine, practice=practice, username=username, role=role, clinician=clinician, password=given,
            must_change=must_change, now=settings.now(), first_practice=settings.practice, email=email,
            shortest=settings.password_min_length,
        )  # fmt: skip
    say(f"Added {username} as {role}." + ("" if given is not None else f" Password (shown once): {password}"))


@user_commands.command("list")
def user_list(practice: PracticeName = None, db: Db = None) -> None:
    """Who may sign in."""
    from dashboard.opening import opened
    from dashboard.people import people

    settings = settings_of(db)
    with opened(settings) as engine:
        rows = people(engine, practice=practice)
    for row in rows:
        state = "active" if row.is_active else "disabled"
        factor = "second factor" if row.second_factor else "-"
        say(f"{row.username}\t{row.role}\t{row.clinician or '-'}\t{state}\t{row.email or '-'}\t{factor}")


@user_commands.command("disable")
def user_disable(username: str, practice: PracticeName = None, db: Db = None) -> None:
    """End a person's sessions and let them sign in no more."""
    from dashboard.opening import opened
    from dashboard.people import disable_person

    settings = settings_of(db)
    with opened(settings) as engine:
        disable_person(engine, practice=practice, username=username, now=settings.now())
    say(f"{username} can no longer sign in; open sessions have ended.")


@user_commands.command("reset")
def user_reset(username: str, practice: PracticeName = None, db: Db = None) -> None:
    """Make a new random password, printed once; the person chooses their own at the next sign-in."""
    from dashboard.opening import opened
    from dashboard.people import reset_person

    settings = settings_of(db)
    with opened(settings) as engine:
        password = reset_person(engine, practice=practice, username=username, now=settings.now())
    say(f"{username} has a new password (shown once): {password}")


@user_commands.command("set-email")
def user_set_email(
    username: str,
    email: Annotated[
        str, typer.Argument(help="The address by which single sign-on knows this person; none takes it away.")
    ],
    practice: PracticeName = None,
    db: Db = None,
) -> None:
    """Say by which e-mail address single sign-on knows a person; their open sessions end."""
    from dashboard.opening import opened
    from dashboard.people import set_person_email

    settings = settings_of(db)
    with opened(settings) as engine:
        address = set_person_email(
            engine, practice=practice, username=username, email=None if email == "none" else email, now=settings.now()
        )
    say(f"{username} is known to single sign-on as {address or 'nobody'}; open sessions have ended.")


@user_commands.command("reset-second-factor")
def user_reset_second_factor(username: str, practice: PracticeName = None, db: Db = None) -> None:
    """Take a person's second factor away, for a lost phone; their open sessions end."""
    from dashboard.opening import opened
    from dashboard.people import reset_second_factor

    settings = settings_of(db)
    with opened(settings) as engine:
        reset_second_factor(engine, practice=practice, username=username, now=settings.now())
    say(f"{username} signs in without a second factor now; open sessions have ended.")


def main() -> None:
    """Runs a command; whatever goes wrong ends as words and an exit code, never as a traceback."""
    try:
        if not all(is_plain_argument(one) for one in sys.argv[1:]):
            raise UnusableInput(
                "A word of this command is too long or holds signs that nobody sees. Nothing was written."
            )
        cli(prog_name="supervision")
    except UnicodeEncodeError:
        say(
            "A name that was given holds bytes that are no text. Nothing was written. Check how it is spelled.",
            err=True,
        )
        sys.exit(2)
    except SupervisionError as error:
        say(str(error), err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        reference = logs.new_reference()
        typer.echo(
            f"Something went wrong on our side ({type(error).__name__}). Nothing was written. Reference {reference}.\n"
            "Run it again with SUPERVISION_DEBUG=1 to see where, and tell your administrator.",
            err=True,
        )
        if os.environ.get("SUPERVISION_DEBUG"):
            for place in logs.places(error):  # where, and never what: an error's text may hold a client's data
                typer.echo(f"  {place}", err=True)
        sys.exit(1)
