"""``python -m tests.contests [rupture]``: every contest, or those named."""

import sys

from tests.contests import rupture

CONTESTS = {"rupture": rupture.run}

for name in sys.argv[1:] or CONTESTS:
    CONTESTS[name]()
