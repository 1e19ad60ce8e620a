"""``supervision snapshot``: one file on the command line, in somebody's scope, as of a day; nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import Engine

from dashboard.access import (
    Role,
    Viewer,
    check_can_export,
    check_can_make_snapshot,
    first_look,
    operator_scope,
    scope_for,
)
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.evaluation import evaluate
from dashboard.looking import check_purpose, checked_purpose
from dashboard.packets import Reader, caseload_draft, practice_draft
from dashboard.settings import Settings
from dashboard.snapshot.compose import Draft
from dashboard.snapshot.content import Audience, Made
from dashboard.snapshot.files import checked_drawings
from dashboard.snapshot.html import html_file
from dashboard.snapshot.local_drawing import browser, draw, require_browser
from dashboard.snapshot.pdf import pdf_file
from dashboard.snapshot.tables import zip_file
from dashboard.snapshots import FORMATS
from dashboard.viewing import as_person, person_of
from queries import audit, people, practices, snapshots
from queries.engine import reading, writing


def write_snapshot(
    engine: Engine,
    settings: Settings,
    *,
    supervisees: Sequence[str],
    username: str | None,
    as_of: date | None,
    audience: str,
    form: str,
    practice: str | None,
    now: datetime,
    purpose: str | None = None,
) -> bytes:
    """One file for the command line: evaluated as of the day, in the user's scope, audited. Nothing is stored.

    Raises UnusableInput for a wrong format, audience, purpose, user or clinician, NotAllowed where the scope does not hold
    them or the practice wants a purpose.
    """
    said = checked_purpose(purpose)
    if form not in FORMATS:
        raise UnusableInput(
            f"A snapshot ends in {', '.join('.' + one for one in FORMATS)}; choose one of them for --out."
        )
    if audience not in tuple(Audience):
        raise UnusableInput(f"There is no audience '{audience}'. Choose one of: {', '.join(Audience)}.")
    if not supervisees and audience == Audience.SUPERVISION:
        raise UnusableInput("Name whose caseload it is: --supervisee CLINICIAN_ID, once for each.")
    if form == "pdf" and audience == Audience.SUPERVISION:
        require_browser()  # says what is missing before anything is evaluated
    day = as_of or now.date()
    with reading(engine) as connection:
        practice_id = practices.find_practice(connection, practice)
        viewer = (
            None
            if username is None
            else replace(person_of(connection, settings, username, practice_id, now), purpose=said)
        )
        wanted = frozenset(people.clinician_of(connection, practice_id, one) for one in supervisees)
    scope = operator_scope(practice_id) if viewer is None else scope_for(viewer)
    _check(engine, viewer, now)
    if viewer is not None:
        check_purpose(viewer, settings.purpose_required)
    if wanted:
        check_can_make_snapshot(scope, wanted)
    report = evaluate(engine, settings, practice_id, as_of=day, now=now, everything=day < now.date())
    past = report.evaluation_id if day < now.date() else None
    first = None if viewer is None else first_look(viewer, settings.clinician_first_days, day)
    with as_person(viewer, scope), reading(engine) as connection:
        reader = Reader(connection, scope, day, first, past)
        is_summary = audience == Audience.PRACTICE
        draft = practice_draft(reader, wanted or None) if is_summary else caseload_draft(reader, wanted)
    data = _rendered(draft, Made(_made_by(viewer), now), form, settings.paper)
    with as_person(viewer, scope), writing(engine) as connection:
        snapshots.note(
            connection, practice_id, "export snapshot", f"{form}, as of {day}, content {draft.content.hash}",
            clinician_ids=sorted(draft.clinician_ids), username=username or "operator", now=now,
            purpose=said,
        )  # fmt: skip
    return data


def _rendered(draft: Draft, made: Made, form: str, paper: str) -> bytes:
    content = draft.content
    if form == "zip":
        return zip_file(content, made)
    if form == "html" and content.figures and browser() is None:
        return html_file(content, made, None, paper=paper)
    drawings = checked_drawings(content, draw(content.figures))
    return (html_file if form == "html" else pdf_file)(content, made, drawings, paper=paper)


def _made_by(viewer: Viewer | None) -> str:
    return "the operator" if viewer is None else viewer.name or viewer.username


def _check(engine: Engine, viewer: Viewer | None, now: datetime) -> None:
    try:
        check_can_export(Role.DIRECTOR if viewer is None else viewer.role, "snapshot")
    except NotAllowed:
        if viewer is not None:
            with writing(engine) as connection:
                audit.record(
                    connection, at=now, practice_id=viewer.practice_id, username=viewer.username, purpose=viewer.purpose,
                    action="refuse export snapshot",
                )  # fmt: skip
        raise
