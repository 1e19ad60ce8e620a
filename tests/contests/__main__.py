"""``python -m tests.contests [range]``: every contest, or those named."""

import sys

from tests.contests import expected_range

CONTESTS = {"range": expected_range.run}

for name in sys.argv[1:] or CONTESTS:
    CONTESTS[name]()
