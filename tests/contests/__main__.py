"""``python -m tests.contests [range|hazard|terms|rupture|clinicians]``: every contest, or those named."""

import sys

from tests.contests import clinicians, expected_range, hazard, hazard_terms, rupture

CONTESTS = {
    "range": expected_range.run,
    "hazard": hazard.run,
    "terms": hazard_terms.run,
    "rupture": rupture.run,
    "clinicians": clinicians.run,
}

for name in sys.argv[1:] or CONTESTS:
    CONTESTS[name]()
