"""``export``: a table in somebody's scope, as of a day, with an audit row in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import polars as pl
from sqlalchemy import Connection, Engine

from dashboard.access import (
    CLINICAL_TABLES,
    FirstLook,
    Role,
    Scope,
    Viewer,
    check_can_export,
    estimate_view,
    first_look,
    operator_scope,
    scope_for,
)
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.evaluation import evaluate
from dashboard.exports import FORMATS, to_bytes
from dashboard.head_start import as_seen
from dashboard.looking import check_purpose, checked_purpose
from dashboard.settings import Settings
from dashboard.validating import validate, validation_table
from queries import audit, exports, patterns, people, practices
from queries import rules as practice_rules
from queries.engine import reading, writing
from queries.frames import read_frame
from queries.tables import Statement

EVALUATED = ("episodes", "flags", "sessions", "endings", "clinicians", "validation")
TABLES = (*EVALUATED, "set_aside", "audit")
USUAL_FORMAT = {"validation": "json"}  # csv for every other table


def export_table(
    engine: Engine,
    settings: Settings,
    *,
    table: str,
    username: str | None,
    as_of: date | None,
    kind: str,
    practice: str | None,
    now: datetime,
    purpose: str | None = None,
) -> bytes:
    """The table's bytes. Evaluates first where the day's evaluation is missing or older than the data.

    For a supervisor or director what their clinicians are to see first is left out, counted from today whatever ``as_of``.
    ``purpose``: what it is for, as the audit keeps it. Raises UnusableInput for an unknown table, format, purpose or user,
    NotAllowed where the role may not have it or the practice wants a purpose.
    """
    said = checked_purpose(purpose)
    if table not in TABLES:
        raise UnusableInput(f"There is no table '{table}'. Choose one of: {', '.join(TABLES)}.")
    if kind not in FORMATS:
        raise UnusableInput(f"There is no format '{kind}'. Choose one of: {', '.join(FORMATS)}.")
    with reading(engine) as connection:
        practice_id = practices.find_practice(connection, practice)
        viewer = None if username is None else replace(_viewer(connection, username, now, practice_id), purpose=said)
    role = Role.DIRECTOR if viewer is None else viewer.role
    scope = operator_scope(practice_id) if viewer is None else scope_for(viewer)
    first = None if viewer is None else first_look(viewer, settings.clinician_first_days, now.date())
    _check(engine, viewer, role, table, now)
    if viewer is not None:
        check_purpose(viewer, settings.purpose_required)
    evaluation_id, fitted = None, None
    if table in EVALUATED:
        day = as_of or now.date()
        report = evaluate(engine, settings, practice_id, as_of=day, now=now, everything=day < now.date())
        evaluation_id, fitted = report.evaluation_id, report.models
    with writing(engine) as connection:
        if table == "validation" and evaluation_id is not None:
            day = as_of or now.date()
            rules = practice_rules.in_force(connection, practice_id, settings.rules)
            frame = validation_table(validate(connection, scope, rules, evaluation_id, day, fitted))
        elif table == "clinicians":
            rows = read_frame(connection, patterns.estimates(scope, estimate_view(viewer), evaluation_id))
            frame = patterns.exported(rows)
        else:
            frame = read_frame(connection, _statement(table, scope, evaluation_id, role, first))
            if table == "episodes":
                frame = _as_seen(connection, scope, frame, first, evaluation_id)
            frame = exports.finished(table, frame)
        for one in concerned(scope, table):
            audit.record(
                connection,
                at=now,
                practice_id=practice_id,
                username=username or "operator",
                purpose=said,
                action=f"export {table}",
                clinician_id=one,
                detail=f"{frame.height} rows, {kind}" + (f", as of {as_of}" if as_of else ""),
            )
    return to_bytes(frame, kind)


def concerned(scope: Scope, table: str) -> Sequence[int | None]:
    """Whose rows an export may hold, for one audit row each: null for everybody of the practice, or where it holds nobody's.

    Everyone so finds in their own log what was exported of their caseload.
    """
    if scope.clinician_ids is None or not scope.clinician_ids or table not in (*CLINICAL_TABLES, "audit"):
        return [None]
    return sorted(scope.clinician_ids)


def _viewer(connection: Connection, username: str, now: datetime, practice_id: int) -> Viewer:
    viewer = people.viewer(connection, username, now.date())
    if viewer is None or viewer.practice_id != practice_id:
        raise UnusableInput(f"There is no active user '{username}'. See: supervision user list.")
    return viewer


def _check(engine: Engine, viewer: Viewer | None, role: Role, table: str, now: datetime) -> None:
    try:
        check_can_export(role, table)
    except NotAllowed:
        if viewer is not None:
            with writing(engine) as connection:
                audit.record(
                    connection, at=now, practice_id=viewer.practice_id, username=viewer.username, purpose=viewer.purpose,
                    action=f"refuse export {table}",
                )  # fmt: skip
        raise


def _as_seen(
    connection: Connection, scope: Scope, frame: pl.DataFrame, first: FirstLook | None, evaluation_id: int | None
) -> pl.DataFrame:
    inner = {"episode_id": "source_id", "row_id": "episode_id"}
    seen = as_seen(connection, scope, frame.rename(inner), first, evaluation_id=evaluation_id)
    return seen.rename({now: before for before, now in inner.items()})


def _statement(
    table: str, scope: Scope, evaluation_id: int | None, role: Role, first: FirstLook | None = None
) -> Statement:
    match table:
        case "set_aside":
            return exports.set_aside(scope, masked=role is Role.ADMIN)
        case "audit":
            return exports.audit(scope, role)
        case "flags":
            assert evaluation_id is not None  # noqa: S101 - evaluated just before
            return exports.flags(scope, evaluation_id, first)
        case _:
            assert evaluation_id is not None  # noqa: S101 - evaluated just before
            return getattr(exports, table)(scope, evaluation_id)
