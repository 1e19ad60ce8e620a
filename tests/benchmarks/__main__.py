"""``python -m tests.benchmarks [import|sync|evaluate|pages|hazard|snapshot|clinicians]``: every benchmark, or one."""

import sys

from tests.benchmarks import clinicians, evaluation, hazard, importing, pages, snapshot, syncing

BENCHMARKS = {
    "import": importing.run,
    "sync": syncing.run,
    "evaluate": evaluation.run,
    "pages": pages.run,
    "hazard": hazard.run,
    "snapshot": snapshot.run,
    "clinicians": clinicians.run,
}

if __name__ == "__main__":  # a benchmark may start processes of its own, which read this file again
    for name in sys.argv[1:] or BENCHMARKS:
        BENCHMARKS[name]()
