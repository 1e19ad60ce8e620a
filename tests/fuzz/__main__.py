"""``python -m tests.fuzz [READER …] [--inputs 20000] [--seed 1]``: spoiled inputs per reader, and what went wrong.

Ends with 1 where any input ended in something else than data or a refusal in words, took over 10 s or over 1 GB.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz import mappings
from tests.fuzz.readers import readers

# these make their inputs themselves, in this process: mapping texts, mappings over sound data, sources in every layout
MADE = {
    "mapping-text": mappings.mapping_texts,
    "mapping-on-data": mappings.mappings_on_data,
    "source-file": mappings.source_files,
}
PIECE = 500  # inputs per process: a process that dies costs no more than these


def _piece(name: str, first: int, last: int, seed: int) -> tuple[int, int, list[str]]:
    """Taken, refused, and a line for each that went wrong; a process that dies is one of them and is begun anew behind it."""
    taken = refused = 0
    wrong: list[str] = []
    while first < last:
        command = [sys.executable, "-m", "tests.fuzz.worker", name, str(first), str(last), str(seed)]
        process = subprocess.run(command, capture_output=True, text=True, errors="replace")
        at, finished = first, False
        for line in process.stdout.splitlines():
            if line.startswith("at "):
                at = int(line[3:])
            elif line.startswith("bad "):
                wrong.append(f"{name} {line[4:]}")
            elif line.startswith("done "):
                more, less = line.split()[1:]
                taken, refused, finished = taken + int(more), refused + int(less), True
        if finished:
            break
        said = (process.stderr.strip().splitlines() or ["no words"])[-1]
        wrong.append(f"{name} {at} the process died ({process.returncode}): {said[:200]}")
        taken += at - first  # what it read before is not told apart any more
        first = at + 1
    return taken, refused, wrong


def main() -> int:
    """Runs them on two processes at once and prints a line per reader."""
    with tempfile.TemporaryDirectory() as scratch:
        known = [*readers(Path(scratch)), *MADE]
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("reader", nargs="*", help=f"of {', '.join(known)}; all of them where none is named")
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if unknown := sorted(set(asked.reader) - set(known)):
        parser.error(f"no reader '{unknown[0]}'")
    failed = False
    with ThreadPoolExecutor(2) as pool:
        for name in asked.reader or known:
            if name in MADE:
                counts = MADE[name](asked.inputs)
                print(counts.line(name), *counts.wrong[:20], sep="\n  ", flush=True)
                failed = failed or bool(counts.wrong)
                continue
            began = time.perf_counter()
            starts = range(0, asked.inputs, PIECE)
            jobs = [pool.submit(_piece, name, s, min(s + PIECE, asked.inputs), asked.seed) for s in starts]
            results = [job.result() for job in jobs]
            wrong = [line for _, _, lines in results for line in lines]
            print(
                f"{name}: {asked.inputs:,} spoiled inputs, {sum(r[0] for r in results):,} read, "
                f"{sum(r[1] for r in results):,} refused in words, {len(wrong)} went wrong, "
                f"{time.perf_counter() - began:.0f} s",
                flush=True,
            )
            for line in wrong[:20]:
                print(f"  {line}", flush=True)
            failed = failed or bool(wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
