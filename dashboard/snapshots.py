"""Making, handing out and deleting stored snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from dashboard.access import (
    Viewer,
    check_can_delete_snapshot,
    check_can_export,
    check_can_make_snapshot,
    scope_for,
)
from dashboard.errors import NotAllowed, SupervisionError, UnusableInput
from dashboard.settings import Settings
from dashboard.snapshot.compose import Draft
from dashboard.snapshot.content import Made
from dashboard.snapshot.files import every_file, file_name
from dashboard.typed import typed
from queries import snapshots
from queries.engine import writing

FORMATS = ("html", "pdf", "zip")
LONGEST_REASON = 200
CHANGED = (
    "This file is no longer the one that was stored: its bytes do not match its hash. Tell your clinical director; a backup "
    "may still hold the original."
)


class Changed(SupervisionError):
    """A stored file whose bytes do not match its hash."""


@dataclass(frozen=True)
class Stored:
    """A snapshot just made. ``problem`` says why there is no PDF, empty where there is one."""

    public_id: str
    formats: tuple[str, ...]
    problem: str


def make(
    engine: Engine, settings: Settings, viewer: Viewer, draft: Draft, raw: Sequence[str] | None, now: datetime
) -> Stored:
    """Renders every format and stores them, with audit rows. ``raw``: the figures as a browser drew them; null for none.

    Raises NotAllowed where the viewer's scope does not hold everyone in it.
    """
    scope = scope_for(viewer)
    check_can_make_snapshot(scope, draft.clinician_ids)
    content = draft.content
    files = every_file(content, Made(viewer.name or viewer.username, now), raw, paper=settings.paper)
    record = snapshots.Record(
        kind=content.kind,
        audience=content.audience,
        title=content.title,
        about=draft.about,
        as_of=content.as_of,
        meeting_on=content.meeting_on,
        rules_version=content.rules_version,
        model_version=content.model_version,
        content_hash=content.hash,
        clinician_ids=draft.clinician_ids,
        episode_id=draft.episode_id,
    )
    named = {form: (file_name(content, draft.about, form), data) for form, data in files.data.items()}
    with writing(engine) as connection:
        public_id = snapshots.store(
            connection, viewer.practice_id, record, named, username=viewer.username, now=now, purpose=viewer.purpose
        )  # fmt: skip
    return Stored(public_id, tuple(form for form in FORMATS if form in named), files.problem)


def stored_file(
    connection: Connection, viewer: Viewer, public_id: str, form: str, now: datetime
) -> snapshots.StoredFile:
    """A stored file for a viewer, with audit rows.

    Raises NotAllowed where there is none for them, Changed where it is not what was stored.
    """
    check_can_export(viewer.role, "snapshot")
    found = snapshots.read_file(
        connection, scope_for(viewer), public_id, form, username=viewer.username, now=now, purpose=viewer.purpose
    )
    if found is None:
        raise NotAllowed("This snapshot is not there, or it holds episodes that are not yours or your supervisees'.")
    if not found.is_intact:
        raise Changed(CHANGED)
    return found


def delete(engine: Engine, viewer: Viewer, public_id: str, *, reason: str, now: datetime) -> None:
    """Removes a snapshot's files for good; what it was, who deleted it and why stay.

    Raises NotAllowed for anyone but a director, UnusableInput without a reason or where it is gone.
    """
    check_can_delete_snapshot(viewer.role)
    said = typed(reason, LONGEST_REASON)
    if not said:
        raise UnusableInput("Say why it is deleted: the reason stays in its place.")
    with writing(engine) as connection:
        done = snapshots.remove(
            connection,
            scope_for(viewer),
            public_id,
            reason=said,
            username=viewer.username,
            now=now,
            purpose=viewer.purpose,
        )
    if not done:
        raise UnusableInput("This snapshot is not there, or was deleted already. Reload the page.")
