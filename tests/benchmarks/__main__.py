"""``python -m tests.benchmarks [import|evaluate|pages|hazard|snapshot|clinicians|encryption]``: every benchmark, or one."""

import sys

from tests.benchmarks import clinicians, encryption, evaluation, hazard, importing, pages, snapshot

BENCHMARKS = {
    "import": importing.run,
    "evaluate": evaluation.run,
    "pages": pages.run,
    "hazard": hazard.run,
    "snapshot": snapshot.run,
    "clinicians": clinicians.run,
    "encryption": encryption.run,
}

if __name__ == "__main__":  # a benchmark may start processes of its own, which read this file again
    for name in sys.argv[1:] or BENCHMARKS:
        BENCHMARKS[name]()
