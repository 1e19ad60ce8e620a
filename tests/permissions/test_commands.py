"""Every command with ``--as``: every table by everybody, other practices, other people's ids; and those without it by name."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import typer

from dashboard import cli
from dashboard.exporting import TABLES
from queries.backup import write_copy
from queries.engine import open_engine
from queries.restore import into_server
from tests.conftest import postgres_copy
from tests.permissions.policy import seen_by
from tests.permissions.test_addresses import trouble
from tests.permissions.world import PEOPLE, SETTINGS, World, read

Run = Callable[..., tuple[int, str]]
# command: whether it acts for somebody (``--as``); the others act for whoever holds the database, and say so in the audit
COMMANDS = {
    "export": True, "digest": True, "snapshot": True,
    "demo": False, "serve": False, "evaluate": False, "doctor": False, "import": False, "sync": False, "backup": False,
    "restore": False, "encrypt": False, "decrypt": False, "rekey": False, "erase": False, "retention": False,
    "user add": False, "user list": False, "user disable": False, "user reset": False, "mapping list": False,
    "mapping show": False, "audit verify": False, "protect": False, "secrets rotate": False, "user set-email": False,
    "user reset-second-factor": False, "mapping save": False, "mapping delete": False, "key new": False,
}  # fmt: skip
CLINICAL = ("episodes", "flags", "sessions", "endings", "clinicians", "validation")
NOT_FOR_ADMIN = {*CLINICAL, "snapshot"}
ON_SERVER = ("episodes", "audit")  # the same statements: of them, one over clients and one over people
NOBODY = ("disabled", "no.such.person")


@pytest.fixture(scope="module")
def in_file(world_file: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The world's address as a file."""
    path = tmp_path_factory.mktemp("commanded") / "commanded.sqlite"
    path.write_bytes(world_file.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture(scope="module")
def on_server(
    postgres_template: tuple[str, str], world_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The world's address on a server."""
    folder = tmp_path_factory.mktemp("served")
    with postgres_copy(postgres_template) as url:
        embedded, server, copy = open_engine(f"sqlite:///{world_file}"), open_engine(url), folder / "world.copy"
        now = SETTINGS.now().replace(microsecond=0)
        write_copy(embedded, copy, None, program="test", now=now)
        into_server(server, None, copy, now=now)
        for engine in (embedded, server):
            engine.dispose()
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> str:
    """The world's address, on both kinds of database."""
    return str(request.getfixturevalue("in_file" if request.param == "sqlite" else "on_server"))


@pytest.fixture
def world(database: str) -> Iterator[World]:
    """Ids of what is in it."""
    engine = open_engine(database)
    yield read(engine)
    engine.dispose()


@pytest.fixture
def run(database: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs a command in this process: its exit code, and all that it wrote."""

    def command(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["supervision", *words, "--db", database])
        monkeypatch.setattr(sys, "stdin", io.StringIO(""))
        monkeypatch.setenv("SUPERVISION_TIMEZONE", "UTC")
        capfdbinary.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capfdbinary.readouterr()
        assert b"Traceback" not in out + err
        return code, (out + err).decode("utf-8", "replace")

    return command


def expected(username: str, table: str) -> bool:
    """Whether somebody may have a table at all."""
    return PEOPLE[username][0].value != "admin" or table not in NOT_FOR_ADMIN


@pytest.mark.parametrize(
    ("database", "table"),
    [
        *(("sqlite", table) for table in TABLES),
        *(pytest.param("postgresql", table, marks=pytest.mark.postgres) for table in ON_SERVER),
    ],
    indirect=["database"],
)
def test_an_export_holds_nobody_elses_clients(run: Run, table: str) -> None:
    wrong = []
    people = ["clinician", "admin"] if table == "validation" else [one for one in PEOPLE if one not in NOBODY]
    for username in people:
        practice = f"Practice {PEOPLE[username][2]}"
        code, said = run("export", table, "--as", username, "--practice", practice)
        if (code == 0) != expected(username, table):
            wrong.append(f"{username}: export {table} ended with {code}: {said[:200]}")
        wrong += trouble(said, username, f"export {table}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("table", ["clinicians", "flags"])
def test_an_export_of_a_past_day_holds_nobody_elses_clients(run: Run, table: str) -> None:
    day = str(SETTINGS.today() - timedelta(days=3))
    wrong: list[str] = []
    for username in ("clinician", "supervisor"):
        code, said = run("export", table, "--as", username, "--practice", "Practice 1", "--as-of", day)
        wrong += trouble(said, username, f"export {table} as of {day}") + ([] if code == 0 else [said])
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("command", [("export", "episodes"), ("export", "audit"), ("digest",), ("snapshot",)])
def test_nobody_and_somebody_of_another_practice_get_the_same_words(
    run: Run, command: tuple[str, ...], tmp_path: Path
) -> None:
    more = ("--supervisee", "T-colleague", "--out", str(tmp_path / "x.zip")) if command == ("snapshot",) else ()
    answers = set()
    for username in (*NOBODY, "other.director", "other.admin"):
        code, said = run(*command, *more, "--as", username, "--practice", "Practice 1")
        assert code != 0
        assert not (tmp_path / "x.zip").exists()
        answers.add(said.replace(username, "…"))
    assert len(answers) == 1


@pytest.mark.parametrize("username", ["clinician", "supervisor", "director", "admin", "clinician.without.record",
                                      "supervisor.without.record"])  # fmt: skip
def test_a_digest_names_no_client_at_all(run: Run, username: str) -> None:
    code, said = run("digest", "--as", username, "--practice", "Practice 1")
    assert (code == 0) == (username != "admin")
    assert not trouble(said, username, "digest")
    assert "zq" not in said


@pytest.mark.parametrize("username", ["clinician", "supervisor", "director", "admin"])
def test_a_snapshot_of_somebody_elses_caseload_is_refused_alike(
    run: Run, world: World, username: str, tmp_path: Path
) -> None:
    import zipfile

    role, own, _ = PEOPLE[username]
    allowed = seen_by(role.value, own)
    refusals = {}
    owners = ("clinician", "now", "ended", "future", "colleague") if username != "director" else ("colleague",)
    for owner in owners:
        out = tmp_path / f"{owner}.zip"
        arguments = ("--supervisee", f"T-{owner}", "--out", str(out), "--as", username, "--practice", "Practice 1")
        code, said = run("snapshot", *arguments)
        assert (code == 0) == (owner in allowed), f"{username} {owner}: {said}"
        if code:
            assert not out.exists()
            refusals[owner] = said
        else:
            with zipfile.ZipFile(out) as packed:
                text = " ".join(packed.read(name).decode("utf-8", "replace") for name in packed.namelist())
            assert not trouble(text, username, f"snapshot of {owner}")
    assert len(set(refusals.values())) <= 1
    code, said = run("snapshot", "--audience", "practice", "--out", str(tmp_path / "p.zip"), "--as", username,
                     "--practice", "Practice 1")  # fmt: skip
    assert (code == 0) == (role.value != "admin"), said
    for owner in ("ended", "other"):
        code, said = run("snapshot", "--audience", "practice", "--supervisee", f"T-{owner}", "--out",
                         str(tmp_path / "q.zip"), "--as", username, "--practice", "Practice 1")  # fmt: skip
        assert (code == 0) == (owner in allowed), said


def test_every_command_is_in_the_policy() -> None:
    group = typer.main.get_command(cli.cli)
    found: dict[str, bool] = {}
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        inside = getattr(command, "commands", None)
        for whole, one in (
            {f"{name} {sub}": one for sub, one in inside.items()} if inside else {name: command}
        ).items():
            found[whole] = any("--as" in option.opts for option in one.params)
    assert found == COMMANDS, "Say in this module for whom the command acts, and try it if it takes --as"


def test_every_table_is_known_as_clinical_or_not() -> None:
    assert set(TABLES) == {*CLINICAL, "set_aside", "audit"}, "Say in this module who may export it"
