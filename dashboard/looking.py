"""Looking at other people's rows: whose a page shows, and what somebody looks at them for."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from dashboard.access import Role, Viewer, scope_for
from dashboard.errors import NotAllowed, UnusableInput


class Purpose(StrEnum):
    """What somebody looks at other people's rows for, said once a session; each word stands in the audit.

    ``practice``: running it (its figures, its data), which is neither talking with somebody about their clients nor judging them.
    """

    SUPERVISION = "supervision"
    APPRAISAL = "appraisal"
    PRACTICE = "practice"


def says_purpose(role: Role) -> bool:
    """Who reads other people's rows says once a session what for."""
    return role in (Role.SUPERVISOR, Role.DIRECTOR)


def checked_purpose(word: str | None) -> str | None:
    """A purpose as somebody typed it; null where none was. Raises UnusableInput for any other word."""
    if word is None:
        return None
    try:
        return Purpose(word).value
    except ValueError:
        raise UnusableInput(f"There is no purpose '{word}'. Choose one of: {', '.join(Purpose)}.") from None


def check_purpose(viewer: Viewer, required: bool) -> None:
    """Raises NotAllowed where the practice wants a purpose first and a supervisor or director has said none."""
    if required and viewer.purpose is None and says_purpose(viewer.role):
        raise NotAllowed(
            f"This practice asks first what you look for: {', '.join(Purpose)}. On the command line: --purpose"
        )


def looked_at(viewer: Viewer, chosen: int | None) -> Sequence[int | None]:
    """Whose rows a page shows that are not the viewer's own: clinicians, or null for everybody of the practice.

    ``chosen``: the clinician that the page is narrowed to; null where it shows the viewer's whole scope.
    """
    if chosen is not None:
        return [] if chosen == viewer.clinician_id else [chosen]
    scope = scope_for(viewer)
    if scope.clinician_ids is None:
        return [None]
    return sorted(one for one in scope.clinician_ids if one != viewer.clinician_id)
