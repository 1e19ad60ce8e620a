"""Asking pip-audit: which pins, of whom, and what it found.

pip-audit looks each pin up at an advisory service. A service may be out of reach, or answer without knowing any advisory (a
mirror of the package index does), and pip-audit then says "no known vulnerabilities" all the same. So each service first has to
find something in CONTROL, a version that has been known to be vulnerable since 2019; one that does not is not believed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.advisories.ignored import WrongList

TOOL = (sys.executable, "-m", "pip_audit")
SERVICES = ("pypi", "osv")  # both serve the Python Packaging Advisory Database; the second adds others
CONTROL = "jinja2==2.10"  # CVE-2019-10906
ANSWER_SECONDS = 5  # project default: how long the service may take for one package
CONTROL_SECONDS = 20  # project default: for the control with the start of the tool
AUDIT_SECONDS = 600  # project default: for all pins


class NotAsked(Exception):
    """The service told us nothing; why, in words."""


@dataclass(frozen=True)
class Vulnerability:
    """One that is known. ``names``: its id and its other names; ``fixed_in``: versions without it, oldest first."""

    package: str
    version: str
    id: str
    names: frozenset[str]
    fixed_in: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What a service said of the pins. ``unknown``: packages that it does not know."""

    service: str
    asked: int
    vulnerabilities: tuple[Vulnerability, ...]
    unknown: tuple[str, ...]


def pins(lock: Path) -> list[str]:
    """The pins of a lock file, also those of other systems and versions of Python. Raises WrongList where there are none."""
    try:
        lines = lock.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise WrongList(f"{lock.name} cannot be read: {error}") from None
    found = [line.partition("#")[0].partition(";")[0].strip() for line in lines]
    kept = list(dict.fromkeys(one for one in found if "==" in one))
    if not kept:
        raise WrongList(f"{lock.name} pins no package")
    return kept


def _rounds(pinned: Sequence[str]) -> list[list[str]]:
    """The pins in lists that name no package twice, as pip-audit wants them."""
    rounds: list[dict[str, str]] = []
    for pin in pinned:
        name = pin.partition("==")[0]
        free = next((one for one in rounds if name not in one), None)
        if free is None:
            free = {}
            rounds.append(free)
        free[name] = pin
    return [list(one.values()) for one in rounds]


def _answer(tool: Sequence[str], service: str, pinned: Sequence[str], seconds: int) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "pins.txt"
        asked.write_text("\n".join(pinned), "utf-8")
        command = [
            *tool, "--requirement", str(asked), "--no-deps", "--disable-pip", "--vulnerability-service", service,
            "--format", "json", "--aliases", "on", "--progress-spinner", "off", "--timeout", str(ANSWER_SECONDS),
            "--cache-dir", str(Path(folder) / "cache"),
        ]  # fmt: skip
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            raise NotAsked(f"no answer within {seconds} seconds") from None
    if "No module named pip_audit" in ran.stderr:
        raise WrongList("pip-audit is not installed: install this project with its extra 'test'")
    try:
        found: list[dict[str, object]] = json.loads(ran.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        said = [line.strip() for line in ran.stderr.splitlines() if line.strip()]
        raise NotAsked((said[-1] if said else f"pip-audit ended with {ran.returncode}")[:200]) from None
    return found


def _vulnerabilities(entry: dict[str, object]) -> list[Vulnerability]:
    told: list[dict[str, list[str]]] = entry.get("vulns", [])  # type: ignore[assignment]
    return [
        Vulnerability(
            str(entry["name"]),
            str(entry["version"]),
            str(one["id"]),
            frozenset({str(one["id"]), *one.get("aliases", [])}),
            tuple(one.get("fix_versions", [])),
        )
        for one in told
    ]


def ask(tool: Sequence[str], service: str, pinned: Sequence[str]) -> Found:
    """What a service knows of the pins. Raises NotAsked where it is out of reach, fails, or does not know CONTROL."""
    if not any(_vulnerabilities(one) for one in _answer(tool, service, [CONTROL], CONTROL_SECONDS)):
        raise NotAsked(f"it answers, but knows no advisory: {CONTROL}, long known to be vulnerable, came back clean")
    entries = [one for part in _rounds(pinned) for one in _answer(tool, service, part, AUDIT_SECONDS)]
    if len(entries) < len(pinned):
        raise NotAsked(f"it answered for {len(entries)} of {len(pinned)} packages")
    unknown = tuple(sorted(str(one["name"]) for one in entries if "skip_reason" in one))
    return Found(service, len(entries), tuple(two for one in entries for two in _vulnerabilities(one)), unknown)
