"""One process that reads spoiled inputs one after another and prints a line for each that went wrong."""

from __future__ import annotations

import signal
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from types import FrameType

from dashboard.errors import UnusableInput
from tests.benchmarks.peak import peak_megabytes, reset_peak
from tests.fuzz.readers import readers

SECONDS = 10
MEGABYTES = 1000


class Hang(BaseException):
    """Reading took longer than SECONDS; no handler of the product catches it."""


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise Hang


def run(name: str, first: int, last: int, seed: int) -> None:
    """Inputs ``first`` to ``last``; each prints ``at N`` before it is read, so that a crash can be told whose it was."""
    signal.signal(signal.SIGALRM, _too_long)
    refused = taken = 0
    with tempfile.TemporaryDirectory(prefix="supervision-fuzz-") as scratch:
        reader = readers(Path(scratch) / "seeds")[name]
        folder = Path(scratch) / "input"
        folder.mkdir()
        for number in range(first, last):
            files = reader.spoiled(number, seed)
            for old in folder.iterdir():
                old.unlink()
            for file, content in files.items():
                (folder / file).write_bytes(content)
            print(f"at {number}", flush=True)
            reset_peak()
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            try:
                reader.read(folder)
                taken += 1
            except UnusableInput as refusal:
                refused += 1
                if "Traceback" in str(refusal) or len(str(refusal)) > 1200:
                    print(f"bad {number} words {str(refusal)[:200]!r}", flush=True)
            except Hang:
                print(f"bad {number} hang over {SECONDS} s", flush=True)
            except BaseException as error:  # the run itself: whatever escapes is what it looks for
                last_call = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(last_call.filename).name}:{last_call.lineno}"
                print(f"bad {number} {type(error).__name__} at {where}: {str(error)[:200]!r}", flush=True)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            if (peak := peak_megabytes()) > MEGABYTES:
                print(f"bad {number} memory {peak:.0f} MB", flush=True)
    print(f"done {taken} {refused}", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("error")
    run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
