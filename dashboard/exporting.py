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
    counting_scope,
    first_look,
    operator_scope,
    scope_for,
)
from dashboard.errors import NotAllowed, UnusableInput
from dashboard.estimate_view import estimate_view
from dashboard.evaluation import evaluate
from dashboard.exports import FORMATS, to_bytes
from dashboard.head_start import as_seen
from dashboard.looking import check_purpose, checked_purpose
from dashboard.reach import pattern_scope, sees_no_values
from dashboard.settings import Settings
from dashboard.validating import validate, validation_table
from dashboard.viewing import as_person, person_of
from queries import audit, exports, patterns, practices
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
        viewer = (
            None
            if username is None
            else replace(person_of(connection, settings, username, practice_id, now), purpose=said)
        )
    role = Role.DIRECTOR if viewer is None else viewer.role
    scope = operator_scope(practice_id) if viewer is None else _scope_of(viewer, table)
    first = None if viewer is None else first_look(viewer, settings.clinician_first_days, now.date())
    _check(engine, viewer, role, table, now)
    if viewer is not None:
        check_purpose(viewer, settings.purpose_required)
    evaluation_id, fitted = None, None
    if table in EVALUATED:
        day = as_of or now.date()
        report = evaluate(engine, settings, practice_id, as_of=day, now=now, everything=day < now.date())
        evaluation_id, fitted = report.evaluation_id, report.models
    with as_person(viewer, scope), writing(engine) as connection:
        if table == "validation" and evaluation_id is not None:
            day = as_of or now.date()
            rules = practice_rules.in_force(connection, practice_id, settings.rules)
            frame = validation_table(validate(connection, scope, rules, evaluation_id, day, fitted))
        elif table == "clinicians":
            rows = read_frame(connection, patterns.estimates(scope, estimate_view(viewer), evaluation_id))
            frame = patterns.exported(rows)
        else:
            masked = viewer is not None and sees_no_values(viewer)
            frame = read_frame(connection, _statement(table, scope, evaluation_id, first, masked=masked))
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


def _scope_of(viewer: Viewer, table: str) -> Scope:
    """Estimates and the models' record are patterns; of what belongs to no caseload somebody who sees no values has the rest."""
    if table in ("clinicians", "validation"):
        return pattern_scope(viewer)
    if table in ("set_aside", "audit") and sees_no_values(viewer):
        return counting_scope(viewer)
    return scope_for(viewer)


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
    table: str, scope: Scope, evaluation_id: int | None, first: FirstLook | None = None, *, masked: bool = False
) -> Statement:
    match table:
        case "set_aside":
            return exports.set_aside(scope, masked=masked)
        case "audit":
            return exports.audit(scope, Role.ADMIN if masked else Role.DIRECTOR)
        case "flags":
            assert evaluation_id is not None  # noqa: S101 - evaluated just before
            return exports.flags(scope, evaluation_id, first)
        case _:
            assert evaluation_id is not None  # noqa: S101 - evaluated just before
            return getattr(exports, table)(scope, evaluation_id)
