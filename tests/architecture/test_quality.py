"""Lint, format and types are part of the suite; the tree holds nothing that must not be committed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "command",
    [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy", "--no-error-summary")],
    ids=["ruff check", "ruff format", "mypy"],
)
def test_the_tree_is_clean(command: tuple[str, ...]) -> None:
    ran = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_the_lock_names_no_host() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text("utf-8")


def test_no_database_secret_or_machine_path_is_tracked() -> None:
    parts = ("pypi" + r"\.org", "python" + "hosted", "registry" + r"\.npmjs", "/ro" + "ot/", "/wo" + "rk/")
    hosts = re.compile("|".join(parts))
    binary = (".png", ".xlsx", ".gz", ".parquet")
    wrong = []
    for path in _tracked():
        secret = path.suffix in (".sqlite", ".db", ".pem", ".key")
        if secret or (path.suffix not in binary and hosts.search(path.read_text("utf-8", "replace"))):
            wrong.append(str(path))
    assert not wrong, wrong


def test_the_readme_is_two_screens_with_one_command_under_each_heading() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 70
    for heading in ("## Run it", "## Test it"):
        block = text.split(heading)[1].split("```")[1].strip()
        assert len(block.splitlines()) == 1, heading
