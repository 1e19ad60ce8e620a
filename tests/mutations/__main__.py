"""``python -m tests.mutations``: is every check of the program noticed when it is gone?

Finds each check mechanically (see tests/mutations/finding.py), takes it away in a copy of the tree in a temporary folder, one
at a time, runs the tests of permissions that reach it until one fails, and prints a line for each: killed by which test, or
SURVIVED. Ends with 1 where any survived. Checks that change nothing by themselves are listed with the reason
(tests/mutations/equivalent.py).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutations.equivalent import EQUIVALENT
from tests.mutations.finding import KINDS, Check, switched
from tests.mutations.running import TESTS, run

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = (".git", "__pycache__", ".venv", "*.egg-info", "node_modules", ".mypy_cache", ".ruff_cache", ".pytest_cache")
WORLD = "PERMISSION_WORLD"
SAID = "mutation: "  # begins what a job says of one check; pytest says other things


def reason_of(check: Check) -> str | None:
    """Why its absence changes nothing; null where it must be noticed."""
    return next((why for name, why in EQUIVALENT.items() if check.name.startswith(name)), None)


def _copy(folder: Path) -> Path:
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*LEFT_OUT))
    switched(tree, write=True)
    shutil.copy(Path(__file__).with_name("switches.py"), tree / "permission_switches.py")
    return tree


def _world(tree: Path, folder: Path, environment: dict[str, str]) -> Path:
    """The practices that the matrix is tried in, made once."""
    path = folder / "world.sqlite"
    code = f"from pathlib import Path; from tests.permissions.building import build; build(Path({str(path)!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=tree, env=environment, check=True)
    return path


def _part(numbers: str, tests: list[str]) -> int:
    """One job: inside the copy, the checks of these numbers; a line of JSON for each."""

    def report(number: int, killer: str | None) -> None:
        print(f"\n{SAID}{json.dumps([number, killer])}", flush=True)

    return run([int(one) for one in numbers.split(",")], report, tests)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--list", action="store_true", help="print every check and end")
    parser.add_argument("--only", metavar="NAME", help="checks whose name contains this")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument(
        "--tests", metavar="PATHS", nargs="+", default=list(TESTS), help="instead of all tests of permissions"
    )
    parser.add_argument("--part", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        return _part(given.part, given.tests)
    checks = [one for one in switched(ROOT, write=False) if not given.only or given.only in one.name]
    if given.list:
        for one in checks:
            print(one.name)
        return 0
    asked = [one for one in checks if reason_of(one) is None]
    for one in checks:
        if (why := reason_of(one)) is not None:
            print(f"equivalent  {one.name}\n            {why}")
    survived = _all(sorted(asked, key=lambda one: KINDS.index(one.kind)), given.jobs, given.tests)
    print(f"{len(asked)} checks taken away one at a time, {len(asked) - survived} noticed, {survived} not.")
    return 1 if survived else 0


def _all(asked: list[Check], jobs: int, tests: list[str]) -> int:
    by_number = {one.number: one for one in asked}
    survived = len(asked)
    with tempfile.TemporaryDirectory(prefix="supervision-mutations-") as name:
        folder = Path(name)
        tree = _copy(folder)
        environment = os.environ | {"PYTHONPATH": str(tree), "SUPERVISION_DB": f"sqlite:///{folder / 'none.sqlite'}"}
        environment[WORLD] = str(_world(tree, folder, environment))
        numbers = [str(one.number) for one in asked]
        parts = [numbers[place::jobs] for place in range(jobs) if numbers[place::jobs]]
        command = [sys.executable, "-m", "tests.mutations", "--tests", *tests, "--part"]
        read, write = os.pipe()  # one for all jobs, so that each line is printed when it is said
        running = [
            subprocess.Popen([*command, ",".join(part)], cwd=tree, env=environment, stdout=write) for part in parts
        ]
        os.close(write)
        with os.fdopen(read, encoding="utf-8") as lines:
            for line in lines:
                if not line.startswith(SAID):
                    continue
                number, killer = json.loads(line.removeprefix(SAID))
                said = (
                    f"killed by {killer}"
                    if killer
                    else "SURVIVED" + (" (no test reaches it)" if killer is None else "")
                )
                survived -= bool(killer)
                print(f"{said}  <-  {by_number[number].name}", flush=True)
        for one in running:
            one.wait()
    return survived


if __name__ == "__main__":
    sys.exit(main())
