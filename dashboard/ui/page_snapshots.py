"""The snapshot buttons of the pages: what each gathers, as of today, in the viewer's scope."""

from __future__ import annotations

from collections.abc import Callable

from dashboard import runtime
from dashboard.access import Viewer, first_look, scope_for
from dashboard.meeting_packet import meeting_draft
from dashboard.outcome_packet import outcomes_counts_draft, outcomes_draft
from dashboard.packets import Reader, caseload_draft, episode_draft, practice_draft
from dashboard.snapshot.compose import Draft
from dashboard.ui.snapshot_button import COUNTS, snapshot_button
from pages.outcomes import Choice
from queries.engine import reading


def _gathering(viewer: Viewer, draft: Callable[[Reader], Draft]) -> Callable[[], Draft]:
    def gather() -> Draft:
        settings = runtime.settings()
        today = settings.today()
        first = first_look(viewer, settings.clinician_first_days, today)
        with reading(runtime.engine()) as connection:
            return draft(Reader(connection, scope_for(viewer), today, first))

    return gather


def episode_snapshot(viewer: Viewer, public_id: str) -> None:
    """For one episode."""
    snapshot_button(viewer, f"episode-{public_id}", _gathering(viewer, lambda reader: episode_draft(reader, public_id)))


def caseload_snapshot(viewer: Viewer, clinician_id: int) -> None:
    """For one caseload."""
    gather = _gathering(viewer, lambda reader: caseload_draft(reader, {clinician_id}))
    snapshot_button(viewer, f"caseload-{clinician_id}", gather)


def outcomes_snapshot(viewer: Viewer, choice: Choice, dropout_days: int) -> None:
    """For what the Outcomes page shows, and for counts that may leave where everybody in scope is shown."""
    part = choice.person["public_id"] if choice.person else choice.part
    gather = _gathering(viewer, lambda reader: outcomes_draft(reader, viewer, choice, dropout_days))
    snapshot_button(viewer, f"outcomes-{part}", gather)
    if choice.person is None and choice.part == "clinicians":
        snapshot_button(
            viewer,
            "outcomes-counts",
            _gathering(viewer, outcomes_counts_draft),
            words="Make summary in counts",
            warning=COUNTS,
        )


def meeting_snapshot(viewer: Viewer, public_id: str, version: int, dropout_days: int) -> None:
    """For one meeting as it stands; after a change it is another snapshot."""
    gather = _gathering(viewer, lambda reader: meeting_draft(reader, viewer, public_id, dropout_days))
    snapshot_button(viewer, f"meeting-{public_id}-{version}", gather)


def practice_snapshot(viewer: Viewer) -> None:
    """For the counts of the whole scope."""
    gather = _gathering(viewer, practice_draft)
    snapshot_button(viewer, "practice", gather, words="Make practice summary", warning=COUNTS)
