"""Runs the tests of permissions once to learn which reach which check, then again for each check that is taken away."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

TESTS = (  # the matrix, then what else is about permissions; browsers and PostgreSQL are left out
    "tests/permissions",
    "tests/integration/test_sign_in_sessions.py",
    "tests/unit/test_snapshot_access.py",
    "tests/integration/test_visibility.py",
    "tests/pages/test_head_start.py",
)


@dataclass(frozen=True)
class Between:
    """In the place of a next test: what is shared by a whole session stays, everything else is taken down."""

    session: pytest.Session

    def listchain(self) -> list[Any]:
        """The session alone."""
        return [self.session]


class Mutating:
    """A plug-in in the place of the usual loop. ``numbers``: which checks; ``report``: told the number and the test."""

    def __init__(self, numbers: Sequence[int], report: Any) -> None:
        """``report(number, test)``: an empty test where none noticed, null where none reached the check."""
        self.numbers, self.report = numbers, report

    def _failed(self, item: Any) -> bool:
        item._initrequest()
        reports = runtestprotocol(item, nextitem=Between(item.session), log=False)  # type: ignore[arg-type]
        self.words = [str(one.longrepr)[-300:] for one in reports if one.failed]
        return bool(self.words)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """All tests once with every check in place, then the loop over the checks."""
        import permission_switches as switches  # of the copy

        reached: dict[Any, tuple[float, frozenset[int]]] = {}
        for item in session.items:
            switches.REACHED.clear()
            start = time.process_time()
            if self._failed(item):
                print(f"fails with every check in place: {item.nodeid}\n{self.words[0]}", file=sys.stderr, flush=True)
                continue
            reached[item] = (time.process_time() - start, frozenset(switches.REACHED))
        for number in self.numbers:
            able = sorted((cost, place) for place, (cost, hit) in enumerate(reached.values()) if number in hit)
            items = [list(reached)[place] for _, place in able]
            switches.ACTIVE[0] = number
            killer = next((item.nodeid for item in items if self._failed(item)), "" if items else None)
            switches.ACTIVE[0] = -1
            self.report(number, killer)
        return True


def run(numbers: Sequence[int], report: Any, tests: Sequence[str] = TESTS) -> int:
    """Runs in the present folder, which is a copy with switches."""
    options = ["-n", "0", "-p", "no:cacheprovider", "-q", "-m", "not browser and not postgres"]
    return int(pytest.main([*options, *tests], plugins=[Mutating(numbers, report)]))
