"""SECURITY.md says nothing that is not there: what it names exists, and its tables are whole."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from dashboard.cli import cli
from dashboard.settings import Rules, Settings

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "SECURITY.md").read_text("utf-8")
LINES = TEXT.splitlines()
ROOMS = (".ci", ".streamlit", "dashboard", "pages", "queries", "tests")
CITED = re.compile(rf"`((?:{'|'.join(map(re.escape, ROOMS))})/[\w./-]+|[\w-]+\.(?:toml|lock|md))(?:::(\w+))?`")
ELSEWHERE = {"supervision.toml"}  # a practice's own file
BESIDE_SETTINGS = {"CONFIG", "DEBUG"}
VERDICTS = ("yes", "partly", "no")
# OWASP ASVS 5.0.0, levels 1 and 2: section and the numbers of its requirements
ASVS = {
    "1.1": "1-2", "1.2": "1-9", "1.3": "1-11", "1.4": "1-3", "1.5": "1-2", "2.1": "1-3", "2.2": "1-3", "2.3": "1-4",
    "2.4": "1-1", "3.2": "1-2", "3.3": "1-4", "3.4": "1-6", "3.5": "1-5", "3.7": "1-2", "4.1": "1-3", "4.2": "1-1",
    "4.3": "1-2", "4.4": "1-4", "5.1": "1-1", "5.2": "1-3", "5.3": "1-2", "5.4": "1-3", "6.1": "1-3", "6.2": "1-12",
    "6.3": "1-4", "6.4": "1-4", "6.5": "1-5", "6.6": "1-3", "6.8": "1-4", "7.1": "1-3", "7.2": "1-4", "7.3": "1-2",
    "7.4": "1-5", "7.5": "1-2", "7.6": "1-2", "8.1": "1-2", "8.2": "1-3", "8.3": "1-1", "8.4": "1-1", "9.1": "1-3",
    "9.2": "1-4", "10.1": "1-2", "10.2": "1-2", "10.3": "1-4", "10.4": "1-11", "10.5": "1-5", "10.6": "1-2",
    "10.7": "1-3", "11.1": "1-2", "11.2": "1-3", "11.3": "1-3", "11.4": "1-4", "11.5": "1-1", "11.6": "1-1",
    "12.1": "1-3", "12.2": "1-2", "12.3": "1-4", "13.1": "1-1", "13.2": "1-5", "13.3": "1-2", "13.4": "1-5",
    "14.1": "1-2", "14.2": "1-4", "14.3": "1-3", "15.1": "1-3", "15.2": "1-3", "15.3": "1-7", "16.1": "1-1",
    "16.2": "1-5", "16.3": "1-4", "16.4": "1-3", "16.5": "1-3", "17.1": "1-1", "17.2": "1-4", "17.3": "1-2",
}  # fmt: skip


def _numbers() -> list[str]:
    found = []
    for section, span in ASVS.items():
        first, last = map(int, span.split("-"))
        found += [f"{section}.{number}" for number in range(first, last + 1)]
    return found


def _rows() -> list[list[str]]:
    """The cells of every row that states a verdict: number, what, verdict, evidence."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in LINES if line.startswith("| ")]
    return [row for row in cells if len(row) == 4 and row[2] in VERDICTS]


def _anchors() -> set[str]:
    headings = [line.lstrip("#").strip() for line in LINES if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def _cited(text: str) -> list[tuple[str, str]]:
    return [(path, name) for path, name in CITED.findall(text) if path not in ELSEWHERE]


@cache
def _words_of(path: str) -> str:
    return (ROOT / path).read_text("utf-8", "replace")


@pytest.mark.parametrize("path", sorted({path for path, _ in _cited(TEXT)}))
def test_every_file_that_it_names_exists_and_holds_what_is_named_in_it(path: str) -> None:
    assert (ROOT / path).exists()
    for one, name in _cited(TEXT):
        if one == path and name:
            assert re.search(rf"^(?:async )?(?:def|class) {name}\b|^{name}\b", _words_of(path), re.MULTILINE), name


def test_every_setting_that_it_names_is_one() -> None:
    named = set(re.findall(r"SUPERVISION_([A-Z_]+)", TEXT))
    known = {name.upper() for cls in (Settings, Rules) for name in cls.__dataclass_fields__} | BESIDE_SETTINGS
    assert len(named) > 10
    assert named <= known, named - known


def _commands() -> set[str]:
    """Every command as it is typed, such as ``key new``, and the groups they are in."""
    found = {one.name or one.callback.__name__ for one in cli.registered_commands if one.callback}
    for group in cli.registered_groups:
        assert group.name
        assert group.typer_instance
        inner = group.typer_instance.registered_commands
        found |= {f"{group.name} {one.name or one.callback.__name__}" for one in inner if one.callback}
    return found


def test_every_command_that_it_names_is_one() -> None:
    named = set(re.findall(r"`supervision ([a-z-]+(?: [a-z-]+)?)", TEXT))
    known = _commands()
    assert len(named) > 5
    assert {words for words in named if words not in known and words.split()[0] not in known} == set()


def test_every_requirement_of_asvs_level_2_is_answered_once() -> None:
    answered = [row[0] for row in _rows() if re.fullmatch(r"\d+\.\d+\.\d+", row[0])]
    paragraphs = [one for one in TEXT.split("\n\n") if one.startswith("Does not apply:")]
    left_out = [one for paragraph in paragraphs for one in re.findall(r"\d+\.\d+\.\d+", paragraph)]
    assert sorted([*answered, *left_out]) == sorted(_numbers())


def test_a_yes_has_evidence_and_anything_else_says_what_is_missing() -> None:
    rows = _rows()
    assert len(rows) > 150
    without = [row[0] for row in rows if row[2] == "yes" and not _cited(row[3]) and "](#" not in row[3]]
    assert without == []
    assert [row[0] for row in rows if len(row[3]) < 8] == []


def test_every_link_inside_leads_somewhere() -> None:
    assert set(re.findall(r"\]\(#([\w-]+)\)", TEXT)) <= _anchors()


def test_the_counts_that_it_states_are_those_of_its_tables() -> None:
    verdicts = [row[2] for row in _rows() if re.fullmatch(r"\d+\.\d+\.\d+", row[0])]
    said = ", ".join(f"{verdicts.count(one)} {one}" for one in VERDICTS)
    assert f"**{said}**" in TEXT


def test_no_script_of_ours_keeps_or_runs_anything() -> None:
    forbidden = re.compile(
        r"localStorage|sessionStorage|indexedDB|document\.cookie|\beval\(|new Function|postMessage|\"message\"|__proto__"
    )
    scripts = sorted((ROOT / "dashboard").rglob("*.js"))
    assert scripts
    assert [path.name for path in scripts if forbidden.search(path.read_text("utf-8"))] == []
