"""``python -m tests.benchmarks [import|evaluate|pages]``: every benchmark, or one."""

import sys

from tests.benchmarks import evaluation, importing, pages

BENCHMARKS = {"import": importing.run, "evaluate": evaluation.run, "pages": pages.run}

for name in sys.argv[1:] or BENCHMARKS:
    BENCHMARKS[name]()
