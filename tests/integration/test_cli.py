"""The commands as a practice manager meets them: what they print, how they end, and never a traceback."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pyotp
import pytest

from dashboard import cli
from dashboard.access import Role, Viewer
from dashboard.opening import opened
from dashboard.settings import load
from dashboard.signin import second
from tests.factories import write_practice

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs a command in this process; gives its exit code, output and error output."""

    def command(*words: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["supervision", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
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


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write_practice(tmp_path / "files", today=date.today())
    return tmp_path / "files"


def test_import_evaluates_exports_and_a_second_import_says_nothing_new(run: Run, files: Path, tmp_path: Path) -> None:
    code, out, _ = run("import", str(files), "--practice", "Our practice", "--report", str(tmp_path / "report.json"))
    assert code == 0
    assert "Our practice: 40 episodes evaluated" in out
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["counts"]["episodes"]["new"] == 40
    assert report["set_aside"] == 0
    code, out, _ = run("import", str(files))
    assert (code, "Nothing new" in out) == (0, True)
    code, out, _ = run("export", "episodes")
    assert code == 0
    assert len(out.strip().splitlines()) == 41


def test_a_row_set_aside_ends_with_3_and_is_listed_and_exported(run: Run, files: Path) -> None:
    (files / "scores.csv").write_text("episode_id,taken_on,instrument,scale,value\nE0001,05/01/2026,phq9,total,9\n")
    code, out, _ = run("import", str(files))
    assert code == 3
    assert "scores.csv line 2, taken_on: not a date" in out
    code, out, _ = run("export", "set_aside")
    assert code == 0
    assert "05/01/2026" in out


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(run: Run, files: Path) -> None:
    code, out, _ = run("import", str(files), "--dry-run")
    assert (code, "Dry run: nothing was written." in out) == (0, True)
    code, _, err = run("export", "episodes")
    assert code == 2
    assert err.strip()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["import", "no-such-folder"], 2, "no-such-folder"),
        (["import", ".", "--mapping", "nothing"], 2, "There is no mapping 'nothing'"),
        (["export", "everything"], 2, "There is no table 'everything'"),
        (["export", "episodes", "--format", "xml"], 2, "There is no format 'xml'"),
        (["export", "episodes", "--as-of", "20.11.2026"], 2, "is not a date"),
        (["export", "episodes", "--as-of", "2999-01-01"], 2, "is after today"),
        (["export", "episodes", "--as", "nobody"], 2, "no active user 'nobody'"),
        (["export", "episodes", "--practice", "Another"], 2, "Another"),
        (["evaluate", "--as-of", "yesterday"], 2, "is not a date"),
        (["user", "add", "x", "--role", "boss"], 2, "boss"),
        (["user", "add", "xy", "--role", "clinician", "--clinician", "zz"], 2, "no clinician 'zz'"),
        (["user", "disable", "nobody"], 2, "no user 'nobody'"),
        (["user", "reset", "nobody"], 2, "no user 'nobody'"),
        (["frobnicate"], 2, "No such command"),
        (["export", "episodes", "--db", "mysql://x/y"], 2, "mysql"),
        (["export", "episodes", "--out", "/no/such/folder/x.csv"], 1, "could not be written"),
    ],
)
def test_a_wrong_call_ends_with_a_code_and_a_few_words(
    run: Run, files: Path, words: list[str], code: int, message: str
) -> None:
    run("import", str(files))
    ended, _, err = run(*words)
    assert ended == code
    assert message in " ".join(err.split())


def test_people_are_added_listed_disabled_and_reset(run: Run, files: Path) -> None:
    run("import", str(files))
    code, out, _ = run("user", "add", "ada", "--role", "director")
    assert code == 0
    assert "Password (shown once): " in out
    code, out, _ = run(
        "user",
        "add",
        "ben",
        "--role",
        "clinician",
        "--clinician",
        "01",
        "--password-stdin",
        stdin="a long passphrase\n",
    )
    assert (code, "Password" in out) == (0, False)
    code, _, err = run("user", "add", "BEN", "--role", "admin", "--password-stdin", stdin="short\n")
    assert code == 2
    assert err
    run("user", "disable", "ada")
    code, out, _ = run("user", "list")
    assert "ada\tdirector\t-\tdisabled" in out
    assert "ben\tclinician\t01" in out
    code, out, _ = run("user", "reset", "ben")
    assert (code, "new password (shown once)" in out) == (0, True)


def test_a_person_gets_an_address_and_loses_a_second_factor_on_the_command_line(run: Run) -> None:
    run("user", "add", "first", "--role", "admin", "--practice", "Maple Clinic")
    adding = ["user", "add", "ada", "--role", "director", "--email", "Ada@Maple.Example", "--password-stdin"]
    for given, said in (
        ("password123456\n", "tried first"),
        ("maple clinic 26\n", "the practice's name"),
        ("x\n", "at least"),
    ):
        code, _, err = run(*adding, stdin=given)
        assert (code, said in " ".join(err.split())) == (2, True)
    assert run(*adding, stdin="seven grey herons\n")[0] == 0
    run("user", "add", "bo", "--role", "admin")
    code, _, err = run("user", "set-email", "bo", "ada@maple.example")
    assert (code, "another user" in err) == (2, True)
    assert "as bo@maple.example" in run("user", "set-email", "bo", "Bo@maple.example")[1]
    assert "as nobody" in run("user", "set-email", "bo", "none")[1]
    code, _, err = run("user", "reset-second-factor", "ada")
    assert (code, "has no second factor" in err) == (2, True)
    director = Viewer("ada", Role.DIRECTOR, 1)
    with opened(load()) as engine:
        now = load().now()
        secret = second.offer(engine, director, now)
        second.confirm(engine, director, pyotp.TOTP(secret).at(3_000), now, 3_000)
    assert "ada\tdirector\t-\tactive\tada@maple.example\tsecond factor\n" in run("user", "list")[1]
    assert "without a second factor" in run("user", "reset-second-factor", "ada")[1]
    assert "bo\tadmin\t-\tactive\t-\t-\n" in run("user", "list")[1]


def test_an_export_in_somebodys_scope_has_their_rows_only_and_is_audited(run: Run, files: Path, tmp_path: Path) -> None:
    run("import", str(files))
    for name, role, clinician in (("ada", "director", None), ("cy", "clinician", "01"), ("sue", "supervisor", "00")):
        linked = ["--clinician", clinician] if clinician else []
        run("user", "add", name, "--role", role, *linked, "--password-stdin", stdin="a long passphrase\n")
    run("user", "add", "adm", "--role", "admin", "--password-stdin", stdin="a long passphrase\n")

    def clinicians(name: str) -> set[str]:
        target = tmp_path / f"{name}.parquet"
        assert run("export", "episodes", "--as", name, "--format", "parquet", "--out", str(target))[0] == 0
        return set(pl.read_parquet(target)["clinician_id"].to_list())

    assert clinicians("cy") == {"01"}
    assert clinicians("sue") == {"00", "01", "02"}
    assert clinicians("ada") == {"00", "01", "02"}
    code, _, err = run("export", "episodes", "--as", "adm")
    assert (code, "administrator" in err) == (2, True)
    code, out, _ = run("export", "audit", "--format", "json")
    actions = [(row["username"], row["action"]) for row in json.loads(out)]
    assert ("cy", "export episodes") in actions
    assert ("adm", "refuse export episodes") in actions


def test_the_audit_is_verified_in_the_database_and_in_a_file(run: Run, files: Path, tmp_path: Path) -> None:
    run("import", str(files))
    code, out, _ = run("audit", "verify")
    head = out.split()[-1]
    assert (code, "Unbroken: " in out, len(head)) == (0, True, 64)
    run("export", "audit", "--out", str(tmp_path / "audit.csv"))
    code, out, _ = run("audit", "verify", "--file", str(tmp_path / "audit.csv"), "--head", head)
    assert (code, "The head that you kept is here." in out) == (0, True)
    code, out, _ = run("audit", "verify", "--head", "0" * 64)
    assert (code, "The head that you kept is not here" in out) == (1, True)
    code, _, err = run("audit", "verify", "--file", str(tmp_path / "none.csv"))
    assert (code, "There is no file" in err) == (2, True)


def test_the_formats_agree_and_a_spreadsheet_runs_no_formula(run: Run, files: Path, tmp_path: Path) -> None:
    text = (files / "clients.csv").read_text().replace("client_id,", "client_id,client_code,").splitlines()
    rows = [text[0], *(line.replace(",", ",=1+1,", 1) if n == 0 else line.replace(",", f",Q{n},", 1)
                       for n, line in enumerate(text[1:]))]  # fmt: skip
    (files / "clients.csv").write_text("\n".join(rows) + "\n")
    assert run("import", str(files))[0] == 0
    for kind in ("csv", "json", "parquet"):
        assert run("export", "episodes", "--format", kind, "--out", str(tmp_path / f"x.{kind}"))[0] == 0
    typed = pl.read_parquet(tmp_path / "x.parquet")
    listed = json.loads((tmp_path / "x.json").read_text())
    plain = pl.read_csv(tmp_path / "x.csv", infer_schema=False)
    assert typed.columns == plain.columns == list(listed[0])
    assert [row["baseline"] for row in listed] == typed["baseline"].to_list()
    assert [None if v is None else float(v) for v in plain["baseline"]] == typed["baseline"].to_list()
    assert "=1+1" in typed["client_code"].to_list()
    assert "'=1+1" in plain["client_code"].to_list()
    assert "=1+1" not in plain["client_code"].to_list()


def test_evaluate_as_of_the_past_leaves_the_current_one_in_place(run: Run, files: Path) -> None:
    run("import", str(files))
    before = run("export", "episodes")[1]
    day = (date.today() - timedelta(days=60)).isoformat()
    code, out, _ = run("evaluate", "--as-of", day)
    assert (code, f"as of {day}" in out) == (0, True)
    assert run("export", "episodes")[1] == before


def test_doctor_finds_nothing_to_mend_and_says_so_when_a_file_is_open_to_others(
    run: Run, files: Path, tmp_path: Path
) -> None:
    run("import", str(files))
    code, out, _ = run("doctor")
    assert (code, "MEND" in out) == (0, False)
    (tmp_path / "default.sqlite").chmod(0o644)
    code, out, _ = run("doctor")
    assert code == 1
    assert "MEND  database file" in out
    assert "chmod 600" in out


def test_a_file_that_is_no_database_is_named_in_plain_words(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database at all, only some text that is long enough to have a header " * 20)
    code, _, err = run("export", "episodes", "--db", f"sqlite:///{tmp_path / 'notes.txt'}")
    assert code in (1, 2)
    assert "notes.txt" in err


def test_something_nobody_foresaw_ends_in_words_and_a_reference(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret of client K12")

    monkeypatch.setattr("dashboard.cli.settings_of", broken)
    code, out, err = run("doctor")
    assert code == 1
    assert "Reference" in err
    assert "K12" not in out + err


def test_settings_that_cannot_be_read_are_named(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s.toml").write_text("[rules]\nno_contact = 3\n")
    monkeypatch.setenv("SUPERVISION_CONFIG", str(tmp_path / "s.toml"))
    code, _, err = run("doctor")
    assert code == 2
    assert "no_contact" in err


def test_help_is_there_for_every_command(run: Run) -> None:
    for words in ([], ["demo"], ["serve"], ["import"], ["evaluate"], ["export"], ["doctor"], ["user"], ["user", "add"]):
        code, out, _ = run(*words, "--help")
        assert code == 0
        assert "Usage" in out


# --------------------------------------------------------------------------- snapshot


def test_a_snapshot_is_written_in_each_format_and_audited(run: Run, files: Path, tmp_path: Path) -> None:
    run("import", str(files), "--practice", "P")
    for form, begins in (("html", b"<!DOCTYPE html>"), ("zip", b"PK")):
        code, out, err = run("snapshot", "--supervisee", "01", "--out", str(tmp_path / f"a.{form}"))
        assert (code, err) == (0, "")
        assert "Store it where your practice stores clinical records." in out
        assert (tmp_path / f"a.{form}").read_bytes().startswith(begins)
        assert (tmp_path / f"a.{form}").stat().st_mode & 0o077 == 0
    _, out, _ = run("export", "audit")
    assert out.count("export snapshot") == 2
    assert not [one.name for one in tmp_path.iterdir() if one.name.startswith(".a.")]


def test_a_pdf_without_a_browser_says_what_to_install(
    run: Run, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "no browser"))
    run("import", str(files), "--practice", "P")
    code, _, err = run("snapshot", "--supervisee", "01", "--out", str(tmp_path / "a.pdf"))
    assert code == 2
    assert "Install one" in err
    assert not (tmp_path / "a.pdf").exists()
    code, _, _ = run("snapshot", "--supervisee", "01", "--out", str(tmp_path / "a.html"))
    assert code == 0
    assert b"Plotly.newPlot" in (tmp_path / "a.html").read_bytes()
    code, _, err = run("snapshot", "--audience", "practice", "--out", str(tmp_path / "p.pdf"))
    assert (code, err) == (0, "")
    assert (tmp_path / "p.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.browser
def test_a_pdf_is_drawn_by_the_browser_of_this_machine(
    run: Run, files: Path, tmp_path: Path, chromium_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER_PATH", chromium_path)
    run("import", str(files), "--practice", "P")
    code, _, err = run("snapshot", "--supervisee", "01", "--supervisee", "02", "--out", str(tmp_path / "a.pdf"))
    assert (code, err) == (0, "")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_a_snapshot_of_the_past_says_what_was_known_then(run: Run, files: Path, tmp_path: Path) -> None:
    run("import", str(files), "--practice", "P")
    then = date.today() - timedelta(days=60)
    code, _, err = run("snapshot", "--supervisee", "01", "--as-of", then.isoformat(), "--out", str(tmp_path / "a.zip"))
    assert (code, err) == (0, "")
    import zipfile

    archive = zipfile.ZipFile(tmp_path / "a.zip")
    about = archive.read("about.csv").decode()
    assert f"{then.day} {then:%b %Y}" in about
    for name in archive.namelist():
        if name.startswith("figure_"):
            days = pl.read_csv(archive.read(name))["Date", "PHQ-9"] if "PHQ-9" in archive.read(name).decode() else None
            if days is not None:
                scored = days.filter(pl.col("PHQ-9").is_not_null())["Date"].str.to_date("%d %b %Y")
                assert scored.max() is None or scored.max() <= then  # type: ignore[operator]
    _, after, _ = run("export", "episodes")
    assert str(date.today()) in after


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--supervisee", "01", "--out", "a.docx"], "ends in .html, .pdf, .zip"),
        (["--supervisee", "01", "--out", "a"], "ends in .html, .pdf, .zip"),
        (["--out", "a.zip"], "Name whose caseload"),
        (["--supervisee", "99", "--out", "a.zip"], "There is no clinician '99'"),
        (["--supervisee", "01", "--audience", "press", "--out", "a.zip"], "There is no audience 'press'"),
        (["--supervisee", "01", "--as", "nobody", "--out", "a.zip"], "no active user 'nobody'"),
        (["--supervisee", "01", "--as", "adm", "--out", "a.zip"], "administrator"),
        (["--supervisee", "02", "--as", "c.one", "--out", "a.zip"], "not yours"),
        (["--supervisee", "01", "--as-of", "2999-01-01", "--out", "a.zip"], "is after today"),
        (["--supervisee", "01", "--practice", "Q", "--out", "a.zip"], "There is no practice 'Q'"),
    ],
)
def test_a_wrong_call_of_snapshot_ends_with_2_and_writes_nothing(
    run: Run, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    run("import", str(files), "--practice", "P")
    run("user", "add", "adm", "--role", "admin", "--password-stdin", stdin="a long password\n")
    run(
        "user",
        "add",
        "c.one",
        "--role",
        "clinician",
        "--clinician",
        "01",
        "--password-stdin",
        stdin="a long password\n",
    )
    before = {one.name for one in tmp_path.iterdir()}
    code, _, err = run("snapshot", *words)
    assert code == 2
    assert message in err
    assert len(err.strip().splitlines()) <= 3
    assert {one.name for one in tmp_path.iterdir() if one.suffix not in (".sqlite-wal", ".sqlite-shm")} <= before


def test_a_clinician_snapshots_their_own_caseload(run: Run, files: Path, tmp_path: Path) -> None:
    run("import", str(files), "--practice", "P")
    run(
        "user",
        "add",
        "c.one",
        "--role",
        "clinician",
        "--clinician",
        "01",
        "--password-stdin",
        stdin="a long password\n",
    )
    code, _, err = run("snapshot", "--supervisee", "01", "--as", "c.one", "--out", str(tmp_path / "a.zip"))
    assert (code, err) == (0, "")


def test_a_file_that_cannot_be_written_leaves_nothing_behind(run: Run, files: Path, tmp_path: Path) -> None:
    run("import", str(files), "--practice", "P")
    code, _, err = run("snapshot", "--supervisee", "01", "--out", str(tmp_path / "no folder" / "a.zip"))
    assert code == 1
    assert "could not be written" in err
