"""A clinical director opens somebody's caseload with a reason, where the practice asks for one: checked, audited, told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from dashboard.access import Viewer, counting_scope
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.reach import LONGEST_REASON, check_can_open_caseload, pattern_scope
from dashboard.settings import Settings
from queries import caseload
from queries.acting import within
from queries.engine import writing
from queries.frames import read_frame
from queries.opened_caseloads import open_caseload


def open_with_reason(
    engine: Engine, settings: Settings, viewer: Viewer, clinician_id: int, reason: str, now: datetime
) -> None:
    """Opens a caseload to this director for a while. The clinician is told who, when, for how long and why.

    Raises NotAllowed for anyone else, for a caseload that is open already or of another practice, UnusableInput without a reason.
    """
    check_can_open_caseload(viewer, clinician_id)
    said = " ".join("".join(one if one.isprintable() else " " for one in reason).split())
    if not said:
        raise UnusableInput("Say why you open this caseload. The clinician is told.")
    if len(said) > LONGEST_REASON:
        raise UnusableInput(f"Keep the reason to {LONGEST_REASON} characters.")
    with writing(engine) as connection:
        with within(connection, counting_scope(viewer)):
            people = read_frame(connection, caseload.clinicians(pattern_scope(viewer)))["clinician_id"].to_list()
        if clinician_id not in people:
            raise NotAllowed("There is no such caseload in this practice.")
        open_caseload(connection, viewer, clinician_id, said, minutes=settings.open_minutes, now=now)
