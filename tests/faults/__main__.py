"""``python -m tests.faults [--kills 200] [--others 10] [--seed 1]``: faults on purpose, on both databases, in counts.

Ends with 1 where anything was lost, doubled or half. Needs Debian's PostgreSQL; the full disk needs root.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tests.faults.databases import Databases, Embedded, OnServer
from tests.faults.kills import CASES, Count, kill_often
from tests.faults.others import full_disk, restarts, two_writers
from tests.postgres import debian_binaries, debian_server


def main() -> int:
    """Runs every case, two at a time, and prints a line for each."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="kill -9 in all, spread over commands and databases")
    parser.add_argument("--others", type=int, default=10, help="tries of each other fault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="one command: import, evaluate, migrate or backup")
    asked = parser.parse_args()
    binaries = debian_binaries()
    if binaries is None:
        parser.error("there is no PostgreSQL on this machine (Debian's package postgresql)")
    began = time.monotonic()
    cases = [case for case in CASES if asked.only in (None, case.name)]
    failed: list[str] = []

    def tell(what: str, count: Count | None) -> None:
        words = "not tried, this user may not mount a small disk" if count is None else count.words()
        print(f"{what}: {words}", flush=True)
        for line in (count.wrong if count else [])[:10]:
            print(f"  {line}", flush=True)
        failed.extend(count.wrong if count else [])

    with (
        tempfile.TemporaryDirectory(prefix="supervision-faults-") as scratch,
        debian_server(binaries, durable=True) as steady,
        debian_server(binaries, durable=True) as shaken,
        ThreadPoolExecutor(2) as pool,
    ):
        folder = Path(scratch)
        kinds: list[Databases] = [Embedded(folder), OnServer(steady)]
        each = max(1, asked.kills // (len(cases) * len(kinds)))
        jobs: list[tuple[str, Future[Count]]] = [
            (
                f"kill -9 during {case.name}, {one.kind}",
                pool.submit(kill_often, case, one, folder / f"{case.name}-{one.kind}", each, asked.seed),
            )
            for case in cases
            for one in kinds
        ]
        for what, job in jobs:
            tell(what, job.result())
        if asked.others and asked.only is None:
            for one in kinds:
                tell(f"two writers at once, {one.kind}", two_writers(one, folder / f"writers-{one.kind}", asked.others))
            tell(
                "server restarts during import",
                restarts(OnServer(shaken), folder / "restart", asked.others, asked.seed),
            )
            tell("disk full during import, SQLite", full_disk(folder / "disk-full", asked.others, asked.seed))
    print(f"{len(failed)} went wrong, {time.monotonic() - began:.0f} s")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
