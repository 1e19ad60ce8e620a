"""``python -m tests.contests [hazard]``: every contest, or one."""

import sys

from tests.contests import hazard

CONTESTS = {"hazard": hazard.run}

for name in sys.argv[1:] or CONTESTS:
    CONTESTS[name]()
