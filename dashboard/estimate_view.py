"""Whose estimates somebody may see, and from how many episodes on: pure rules beside the scope that says whose rows."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.access import Role, Viewer

LEAST_SHOWN = 10  # science 6.4: closed episodes of a measure under which nothing is shown of a clinician
LEAST_IN_PRACTICE = 30  # science 6.4: from 10 to 29 only the clinician and their supervisor see an interval
LEAST_IN_RANGE = (
    5  # project default: clinicians under which a range of the practice would describe colleagues one by one
)


@dataclass(frozen=True)
class EstimateView:
    """Whose estimates somebody may see, beside the scope that says whose rows.

    ``close``: themselves and those they supervise, from LEAST_SHOWN episodes on; anyone else in scope from
    LEAST_IN_PRACTICE on. ``whole_practice``: may see what the practice has as a whole, however few its clinicians are.
    """

    close: frozenset[int]
    whole_practice: bool


def estimate_view(viewer: Viewer | None) -> EstimateView:
    """What a viewer may see of estimates; null is whoever holds the database, who sees them as a clinical director does."""
    if viewer is None:
        return EstimateView(frozenset(), True)
    if viewer.role is Role.ADMIN:
        return EstimateView(frozenset(), False)
    own = frozenset() if viewer.clinician_id is None else frozenset({viewer.clinician_id})
    supervised = frozenset() if viewer.role is Role.CLINICIAN else viewer.supervisee_ids
    return EstimateView(own | supervised, viewer.role is Role.DIRECTOR)


def on_paper(look: EstimateView) -> EstimateView:
    """What may stand on paper of what somebody sees on screen: others who see the caseload may read the paper later."""
    return EstimateView(frozenset(), look.whole_practice)
