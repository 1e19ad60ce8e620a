"""Saved mappings: by name on the command line and the page, only for who may import, every change audited."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from dashboard import cli
from dashboard.access import Role, Viewer
from dashboard.downloads import link, open_link
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.intake.mapping import built_in, parse_mapping
from dashboard.saved_mappings import Shelf, checked_name, find_mapping
from queries import practices
from queries.engine import reading, writing

NOW = datetime(2026, 11, 20, 12)
TEXT = built_in()["enrichd"]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def two(engine: Engine) -> tuple[Engine, int, int]:
    with writing(engine) as connection:
        return engine, practices.ensure_practice(connection, "A", NOW), practices.ensure_practice(connection, "B", NOW)


def director(practice_id: int, role: Role = Role.DIRECTOR) -> Viewer:
    return Viewer("dora", role, practice_id)


def actions(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as connection:
        rows = connection.execute(text("select action, detail from audit order by id")).all()
    return [(row[0], row[1]) for row in rows]


def test_saving_replacing_renaming_and_deleting_each_leave_an_audit_row(two: tuple[Engine, int, int]) -> None:
    engine, practice, other = two
    shelf = Shelf(engine, practice, director(practice), NOW)
    assert shelf.save("  our   EHR ", TEXT, replace=False) == "our EHR"
    with pytest.raises(UnusableInput, match="already"):
        shelf.save("our EHR", TEXT, replace=False)
    shelf.save("our EHR", TEXT, replace=True)
    shelf.save("second", TEXT, replace=False)
    with pytest.raises(UnusableInput, match="already"):
        shelf.rename("second", "our EHR")
    assert shelf.rename("second", "another") == "another"
    shelf.delete("another")
    for missing in (
        lambda: shelf.delete("another"),
        lambda: shelf.rename("another", "x"),
        lambda: shelf.text("another"),
    ):
        with pytest.raises(UnusableInput):
            missing()
    assert [one.name for one in shelf.names()] == ["our EHR"]
    assert Shelf(engine, other, director(other), NOW).names() == []
    assert actions(engine) == [
        ("change mapping", "saved our EHR"), ("change mapping", "replaced our EHR"), ("change mapping", "saved second"),
        ("change mapping", "renamed second to another"), ("change mapping", "deleted another"),
    ]  # fmt: skip


def test_a_mapping_is_found_by_name_in_its_own_practice_only_after_the_shipped_ones(
    two: tuple[Engine, int, int],
) -> None:
    engine, practice, other = two
    Shelf(engine, practice, None, NOW).save("ours", TEXT, replace=False)
    with reading(engine) as connection:
        from dashboard.access import operator_scope

        assert find_mapping(connection, operator_scope(practice), "ours").name == "enrichd"
        assert find_mapping(connection, operator_scope(practice), "bhsim") == parse_mapping(
            built_in()["bhsim"], "bhsim"
        )
        with pytest.raises(UnusableInput, match="There is no mapping 'ours'"):
            find_mapping(connection, operator_scope(other), "ours")
        with pytest.raises(UnusableInput, match="There is no mapping 'ours'"):
            find_mapping(connection, None, "ours")


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.SUPERVISOR])
def test_who_may_not_import_reads_and_writes_no_mapping(two: tuple[Engine, int, int], role: Role) -> None:
    engine, practice, other = two
    Shelf(engine, practice, None, NOW).save("ours", TEXT, replace=False)
    with pytest.raises(NotAllowed):
        Shelf(engine, practice, director(practice, role), NOW)
    with pytest.raises(NotAllowed):
        Shelf(engine, practice, director(other), NOW)
    with pytest.raises(NotAllowed):
        open_link(engine, director(practice, role), _token(director(practice, role)), NOW)


def _token(viewer: Viewer) -> str:
    return link(viewer, "mapping:ours", NOW).removeprefix("/download/")


def test_a_download_is_the_file_that_import_reads_and_is_audited(two: tuple[Engine, int, int]) -> None:
    engine, practice, other = two
    Shelf(engine, practice, None, NOW).save("ours", TEXT, replace=False)
    file = open_link(engine, director(practice), _token(director(practice)), NOW)
    assert (file.name, file.data.decode()) == ("ours.toml", TEXT)
    assert actions(engine)[-1] == ("export mapping", "ours")
    with pytest.raises(UnusableInput):
        open_link(engine, director(other), _token(director(other)), NOW)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "bhsim", "a\x00b", "\u202etxt"])
def test_a_name_is_printable_short_and_not_a_shipped_one(name: str) -> None:
    with pytest.raises(UnusableInput):
        checked_name(name)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs a command in this process; gives its exit code, output and error output."""

    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["supervision", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(""))
        capfdbinary.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capfdbinary.readouterr()
        assert b"Traceback" not in out + err
        return code, out.decode(), err.decode()

    return command


def test_the_commands_save_list_show_import_by_name_and_delete(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "weekly.csv"
    data.write_text("who,day,PHQ\n1,03/04/2026,9\n1,10/04/2026,7\n", "utf-8")
    mapping = tmp_path / "weekly.toml"
    tables = {
        "clinicians": 'once_by = "_all"\ncolumns = { clinician_id = { constant = "c" } }',
        "clients": 'once_by = "who"\ncolumns = { client_id = "who" }',
        "episodes": 'once_by = "who"\ncolumns = { episode_id = "who", client_id = "who", clinician_id = { constant = "c" }, '
        'opened_on = { column = "day", date = "%d/%m/%Y" } }',
        "scores": 'columns = { episode_id = "who", taken_on = { column = "day", date = "%d/%m/%Y" }, '
        'instrument = { constant = "phq9" }, scale = { constant = "total" }, value = "PHQ" }',
    }
    parts = "\n".join(f'[[table]]\ntable = "{name}"\nfile = "weekly"\n{rest}' for name, rest in tables.items())
    mapping.write_text(f'name = "weekly"\nabout = "a weekly list"\n{parts}\n', "utf-8")
    assert run("mapping", "list")[0] == 2  # no practice yet
    assert run("import", str(data), "--mapping", "weekly")[0] == 2
    assert run("import", str(data), "--mapping", str(mapping))[0] == 0
    assert run("mapping", "save", str(mapping))[0] == 0
    code, _, err = run("mapping", "save", str(mapping))
    assert (code, "already" in err) == (2, True)
    assert run("mapping", "save", str(mapping), "--replace", "--name", "weekly")[0] == 0
    assert "weekly\tsaved by operator" in run("mapping", "list")[1]
    assert run("mapping", "show", "weekly")[1] == mapping.read_text("utf-8")
    code, out, _ = run("import", str(data), "--mapping", "weekly")
    assert (code, "Nothing new" in out) == (0, True)
    assert run("mapping", "save", str(data))[0] == 2
    assert run("mapping", "delete", "weekly")[0] == 0
    assert run("mapping", "delete", "weekly")[0] == 2
    assert run("import", str(data), "--mapping", "weekly")[0] == 2
