"""The dependency audit: what it says and how it ends, with pip-audit's own answers put in its place."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.advisories.__main__ import IGNORED, LOCK, audit
from tests.advisories.asking import CONTROL, pins
from tests.advisories.ignored import read

TODAY = date(2026, 6, 1)
LOCKED = "good==1.0\nbad==2.0 ; python_full_version < '3.12'\nbad==2.1 ; python_full_version >= '3.12'\n"
BAD = {"id": "PYSEC-2026-7", "aliases": ["CVE-2026-1234"], "fix_versions": ["2.2"]}
# stands for pip-audit: answers each question from a file, or fails as pip-audit does without a network
FAKE = """
import json, sys
answers = json.load(open(sys.argv[1]))
asked = open(sys.argv[sys.argv.index("--requirement") + 1]).read().split()
service = sys.argv[sys.argv.index("--vulnerability-service") + 1]
if service not in answers:
    sys.exit("requests.exceptions.ConnectionError: Name or service not known")
told = []
for pin in asked:
    name, version = pin.split("==")
    vulns = answers[service].get(pin, [])
    more = {"skip_reason": "not found"} if vulns is None else {"version": version, "vulns": vulns}
    told.append({"name": name} | more)
print(json.dumps({"dependencies": told, "fixes": []}))
sys.exit(1 if any(one.get("vulns") for one in told) else 0)
"""
KNOWS = {CONTROL: [{"id": "PYSEC-2019-217", "aliases": [], "fix_versions": ["2.10.1"]}]}
ENTRY = '[[ignored]]\npackage = "bad"\nid = "CVE-2026-1234"\nreason = "Not reached."\nuntil = {until}\n'


def _ran(folder: Path, answers: dict[str, dict[str, Any]], ignored: str = "") -> tuple[int, str]:
    for name, text in (("lock", LOCKED), ("list", ignored), ("answers", json.dumps(answers)), ("tool.py", FAKE)):
        (folder / name).write_text(text, "utf-8")
    tool = (sys.executable, "-I", "-S", str(folder / "tool.py"), str(folder / "answers"))
    code, lines = audit(folder / "lock", folder / "list", TODAY, tool)
    return code, "\n".join(lines)


@pytest.mark.parametrize(
    ("answers", "code", "said"),
    [
        ({"pypi": KNOWS}, 0, "3 pins asked about (pypi): no known vulnerability."),
        ({"osv": KNOWS}, 0, "3 pins asked about (osv)"),
        ({"pypi": KNOWS | {"bad==2.1": [BAD]}}, 1, "bad 2.1: PYSEC-2026-7 (CVE-2026-1234), fixed in 2.2"),
        ({"pypi": KNOWS | {"bad==2.0": [BAD | {"fix_versions": []}]}}, 1, "no version without it yet"),
        ({"pypi": KNOWS | {"good==1.0": None}}, 0, "Not known there: good."),
        ({}, 0, "Skipped: no advisory service could be asked"),
        ({}, 0, "osv: requests.exceptions.ConnectionError"),
        ({"pypi": {CONTROL: None}}, 0, "pypi: it answers, but knows no advisory"),
    ],
    ids=["clean", "second service", "known", "known, unmended", "unknown package", "no network", "why", "a mirror"],
)
def test_the_audit_is_clean_or_names_what_is_known_or_says_that_it_was_skipped(
    tmp_path: Path, answers: dict[str, dict[str, Any]], code: int, said: str
) -> None:
    ended, told = _ran(tmp_path, answers)
    assert (ended, said in told) == (code, True), told


@pytest.mark.parametrize(
    ("entry", "code", "said"),
    [
        (ENTRY.format(until="2026-06-01"), 0, "Ignored until 2026-06-01: bad 2.1: PYSEC-2026-7"),
        (ENTRY.format(until="2026-05-31"), 1, "bad 2.1: PYSEC-2026-7"),
        (ENTRY.format(until="2026-06-01").replace('"bad"', '"good"'), 1, "No longer found; remove it"),
        (ENTRY.format(until="2026-12-01"), 2, "more than 180 days ahead"),
        (ENTRY.format(until="2026-06-01").replace('"Not reached."', '" "'), 2, "'reason' is missing"),
        ("[[ignored", 2, "cannot be read"),
    ],
    ids=["in force", "over", "of another package", "too far ahead", "without a reason", "no list"],
)
def test_a_known_vulnerability_is_accepted_with_a_reason_and_until_a_day(
    tmp_path: Path, entry: str, code: int, said: str
) -> None:
    ended, told = _ran(tmp_path, {"pypi": KNOWS | {"bad==2.1": [BAD]}}, entry)
    assert (ended, said in told) == (code, True), told


def test_a_missing_tool_is_no_skipped_audit(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(LOCKED, "utf-8")
    code, lines = audit(tmp_path / "lock", IGNORED, date.today(), (sys.executable, "-I", "-S", "-m", "pip_audit"))
    assert (code, lines) == (2, ["pip-audit is not installed: install this project with its extra 'test'."])


def test_the_real_lock_and_list_can_be_read() -> None:
    assert len(pins(LOCK)) > 50
    read(IGNORED, date.today())
