"""Whatever the program writes is for its owner alone, even where the machine's own rule for new files says otherwise."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashboard.cli import cli


def test_every_file_and_folder_that_a_command_makes_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, home = tmp_path / "given", tmp_path / "home"
    given.mkdir()
    (given / "clients.csv").write_text('client_id\n""\n', "utf-8")
    database = home / "data" / "p.sqlite"
    monkeypatch.setenv("SUPERVISION_DB", f"sqlite:///{database}")
    monkeypatch.setenv("SUPERVISION_LOG_FILE", str(home / "logs" / "our.log"))
    home.mkdir()
    passwords = database.with_suffix(".passwords.json")
    passwords.parent.mkdir(mode=0o700)
    passwords.write_text("[]", "utf-8")
    passwords.chmod(0o644)
    old = os.umask(0)
    try:
        for words in (
            ["demo", "--no-serve", "--episodes", "3", "--clinicians", "2"],
            ["secrets", "rotate"],
            ["key", "new", "--out", str(home / "keys" / "our.key")],
            ["backup", str(home / "our.backup")],
            ["export", "episodes", "--out", str(home / "episodes.csv")],
            ["import", str(given), "--report", str(home / "report.json")],
            ["snapshot", "--supervisee", "C001", "--out", str(home / "s.html")],
        ):
            ran = CliRunner().invoke(cli, words)
            assert ran.exit_code in (0, 3), (words, ran.output, ran.exception)
    finally:
        os.umask(old)
    made = [path for path in home.rglob("*") if path != home]
    files = {path.name for path in made if path.is_file()}
    assert {"p.sqlite", "p.secrets.json", "p.passwords.json", "our.key", "our.backup", "episodes.csv", "report.json",
            "s.html"} <= files  # fmt: skip
    modes = {path.relative_to(home).as_posix(): oct(stat.S_IMODE(path.stat().st_mode)) for path in made}
    assert {name: mode for name, mode in modes.items() if mode not in ("0o600", "0o700")} == {}


def test_an_export_to_something_that_is_no_file_leaves_it_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPERVISION_DB", f"sqlite:///{tmp_path / 'p.sqlite'}")
    assert CliRunner().invoke(cli, ["demo", "--no-serve", "--episodes", "0", "--clinicians", "1"]).exit_code == 0
    ran = CliRunner().invoke(cli, ["export", "audit", "--out", os.devnull])
    assert ran.exit_code == 0
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
