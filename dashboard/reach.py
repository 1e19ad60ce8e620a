"""How far somebody reaches beside their scope: patterns, names of staff, values of no caseload, caseloads opened for a reason."""

from __future__ import annotations

from dataclasses import replace

from dashboard.access import Role, Scope, Viewer, reads, scope_for
from dashboard.errors import NotAllowed


def pattern_scope(viewer: Viewer) -> Scope:
    """What counts and patterns across caseloads are made from: a clinical director's are always of the whole practice."""
    if viewer.role is Role.DIRECTOR:
        return Scope(viewer.practice_id, None, "clinical director: counts and patterns of the practice")
    return scope_for(viewer)


def staff_scope(scope: Scope) -> Scope:
    """The same client rows, with the names of everybody who works in the practice beside them."""
    return replace(scope, whole_staff=True)


def sees_no_values(viewer: Viewer) -> bool:
    """Whoever gets the practice's audit without episode ids, and its set-aside rows, of no caseload, with values masked.

    An administrator, and a director who reads other caseloads only with a reason.
    """
    return viewer.role is Role.ADMIN or viewer.gives_reasons


OPEN_MINUTES = 60  # project default: how long a caseload that was opened with a reason stays open
LONGEST_REASON = 500  # project default: characters of a reason


def can_open_caseload(viewer: Viewer, clinician_id: int) -> bool:
    """A clinical director opens a caseload of the practice that is closed to them, where the practice asks for a reason."""
    return viewer.role is Role.DIRECTOR and viewer.gives_reasons and not reads(viewer, clinician_id)


def check_can_open_caseload(viewer: Viewer, clinician_id: int) -> None:
    """Raises NotAllowed where ``can_open_caseload`` is false."""
    if not can_open_caseload(viewer, clinician_id):
        raise NotAllowed(
            "Only a clinical director opens a caseload with a reason, and only one that is closed to them."
        )
