"""``python -m tests.contests [hazard|terms]``: every contest, or one."""

import sys

from tests.contests import hazard, hazard_terms

CONTESTS = {"hazard": hazard.run, "terms": hazard_terms.run}

for name in sys.argv[1:] or CONTESTS:
    CONTESTS[name]()
