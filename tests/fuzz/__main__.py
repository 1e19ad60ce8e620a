"""``python -m tests.fuzz [READER] [INPUTS]``: mutated inputs for every reader, or one; prints counts, ends with 1 on a fault."""

import sys

from tests.fuzz import mappings

READERS = {
    "mapping-text": mappings.mapping_texts,
    "mapping-on-data": mappings.mappings_on_data,
    "source-file": mappings.source_files,
}

if __name__ == "__main__":
    words = [one for one in sys.argv[1:] if not one.isdigit()]
    inputs = next((int(one) for one in sys.argv[1:] if one.isdigit()), 20_000)
    faults = 0
    for name in words or READERS:
        counts = READERS[name](inputs)
        faults += len(counts.wrong)
        print(counts.line(name), *counts.wrong[:20], sep="\n  ")
    sys.exit(bool(faults))
