"""``python -m tests.benchmarks [NAME …]``: every benchmark, or those named of BENCHMARKS."""

import sys

from tests.benchmarks import (
    clinicians,
    encryption,
    evaluation,
    fhir,
    hazard,
    importing,
    pages,
    row_security,
    signing_in,
    snapshot,
    syncing,
)

BENCHMARKS = {
    "import": importing.run,
    "fhir": fhir.run,
    "sync": syncing.run,
    "evaluate": evaluation.run,
    "pages": pages.run,
    "hazard": hazard.run,
    "snapshot": snapshot.run,
    "clinicians": clinicians.run,
    "encryption": encryption.run,
    "row_security": row_security.run,
    "sign_in": signing_in.run,
}

if __name__ == "__main__":  # a benchmark may start processes of its own, which read this file again
    for name in sys.argv[1:] or BENCHMARKS:
        BENCHMARKS[name]()
