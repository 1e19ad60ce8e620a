"""The tables out, column for column as the contract names them; every statement starts from the viewer's scope."""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import CTE, String, and_, case, cast, func, literal, null, or_, select

from dashboard.access import FirstLook, Role, Scope
from queries.caseload import shown_already
from queries.scope import visible_clinicians, visible_episodes
from queries.tables import (
    Appointment,
    Audit,
    Client,
    ClientVersion,
    Clinician,
    EpisodeState,
    EpisodeVersion,
    Evaluation,
    Flag,
    SessionState,
    SetAside,
    Statement,
)
from queries.worlds import known_then

STATE_COLUMNS = (
    "opened_on",
    "closed_on",
    "ending",
    "sessions_attended",
    "last_attended_on",
    "next_booked_on",
    "outcome_instrument",
    "scores",
    "baseline",
    "latest",
    "latest_on",
    "change",
    "change_category",
    "expected_low",
    "expected_high",
    "on_track",
    "alliance_instrument",
    "alliance_latest",
    "alliance_reference",
    "rupture",
    "rupture_since",
    "dropout_next_session",
    "dropout_next_4",
    "dropout_relative",
    "dropout_reasons",
    "fit_questions",
    "priority",
)
ENDING_COLUMNS = (
    "d1_unilateral",
    "d2_no_return",
    "d3_missed_last",
    "d4_below_planned",
    "d5_not_improved",
    "dropout",
    "dropout_session",
    "censored_session",
)
MASK = "(withheld)"
EXACT = "%Y-%m-%dT%H:%M:%S.%6f"  # a time as the audit's hashes have it
WITHHELD = "withheld"  # in place of an episode's number
WORKING = ("row_id", "fit_since", "missing")  # what a head start is told by; no column of the contract


def _code_as_known(visible: CTE) -> Any:
    """The client's code as it was known on the evaluation's day: codes are corrected later, and clients merged."""
    theirs = known_then(EpisodeVersion, EpisodeVersion.client_id, visible.c.episode_id, visible)
    client_id = func.coalesce(theirs, visible.c.client_id)
    code = known_then(ClientVersion, ClientVersion.given_code, client_id, visible)
    now = select(Client.client_code).where(Client.id == client_id).correlate(visible, Evaluation).scalar_subquery()
    return func.coalesce(code, now).label("client_code")


def episodes(scope: Scope, evaluation_id: int) -> Statement:
    """``export episodes``: one row per episode in scope, open and closed; WORKING beside what the contract names."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(
            visible.c.source_id.label("episode_id"),
            _code_as_known(visible),
            Clinician.source_id.label("clinician_id"),
            *(getattr(EpisodeState, name) for name in STATE_COLUMNS),
            Evaluation.as_of,
            Evaluation.rules_version,
            visible.c.episode_id.label("row_id"),
            EpisodeState.fit_since,
            EpisodeState.missing,
        )
        .select_from(visible)
        .join(EpisodeState, EpisodeState.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == EpisodeState.evaluation_id)
        .join(Clinician, Clinician.id == EpisodeState.clinician_id)
        .where(EpisodeState.evaluation_id == evaluation_id)
    )


def flags(scope: Scope, evaluation_id: int, first: FirstLook | None = None) -> Statement:
    """``export flags``: every flag's life; with ``first`` without those that the clinician is to see first."""
    visible = visible_episodes(scope, evaluation_id)
    statement = (
        select(
            visible.c.source_id.label("episode_id"),
            Flag.signal,
            Flag.family,
            Flag.raised_on,
            Flag.since,
            Flag.value,
            Flag.threshold,
            Flag.rule_version,
            Flag.state,
        )
        .select_from(visible)
        .join(Flag, Flag.episode_id == visible.c.episode_id)
        .where(Flag.evaluation_id == evaluation_id)
    )
    return statement if first is None else statement.where(shown_already(visible, first))


def sessions(scope: Scope, evaluation_id: int) -> Statement:
    """``export sessions``: one row per appointment up to the day."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(
            visible.c.source_id.label("episode_id"),
            Appointment.source_id.label("appointment_id"),
            SessionState.session_number,
            SessionState.starts_at,
            SessionState.status,
            SessionState.outcome,
            SessionState.alliance,
            SessionState.alliance_reference,
            SessionState.alliance_mark,
            SessionState.dropout_hazard,
        )
        .select_from(visible)
        .join(SessionState, SessionState.episode_id == visible.c.episode_id)
        .join(Appointment, Appointment.id == SessionState.appointment_id)
        .where(SessionState.evaluation_id == evaluation_id)
    )


def endings(scope: Scope, evaluation_id: int) -> Statement:
    """``export endings``: the five definitions side by side."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(visible.c.source_id.label("episode_id"), *(getattr(EpisodeState, name) for name in ENDING_COLUMNS))
        .select_from(visible)
        .join(EpisodeState, EpisodeState.episode_id == visible.c.episode_id)
        .where(EpisodeState.evaluation_id == evaluation_id)
    )


def set_aside(scope: Scope, *, masked: bool) -> Statement:
    """``export set_aside``: rows not taken in and still waiting or refused; values masked for an administrator.

    Set-aside rows belong to no episode, so only those who see the whole practice, or its files, may have them.
    """
    whole = masked or scope.clinician_ids is None
    return select(
        SetAside.import_id,
        SetAside.file,
        SetAside.line,
        SetAside.column,
        (literal(MASK, String) if masked else SetAside.value).label("value"),
        (_masked_reason() if masked else SetAside.reason).label("reason"),
    ).where(SetAside.practice_id == scope.practice_id, SetAside.resolved_import_id.is_(None), literal(whole))


def _masked_reason() -> Any:
    return case(
        (SetAside.reason.like("%'%"), literal("the value breaks a rule (withheld)", String)), else_=SetAside.reason
    )


def audit(scope: Scope, role: Role) -> Statement:
    """``export audit``: who did what; an administrator sees no episode ids, others only what concerns their scope.

    After the contract's columns stands what a row's hash is made of, with which ``audit verify --file`` proves it; the number of
    an episode that the reader may not know is withheld. What belongs to no practice (a name nobody has, at the sign-in) is for
    whoever sees the whole practice, and for an administrator.
    """
    people = visible_clinicians(scope)
    visible = visible_episodes(scope, withdrawn=True)  # what was done stays on record
    hidden = role is Role.ADMIN
    number = cast(Audit.episode_id, String)
    shown = visible.c.episode_id.is_not(None)
    statement = select(
        Audit.at,
        Audit.username,
        Audit.action,
        people.c.source_id.label("clinician_id") if not hidden else Clinician.source_id.label("clinician_id"),
        (cast(null(), String) if hidden else visible.c.source_id).label("episode_id"),
        Audit.detail,
        Audit.purpose,
        Audit.id.label("number"),
        Audit.at.label("exact_at"),
        Audit.practice_id.label("practice_number"),
        Audit.clinician_id.label("clinician_number"),
        case(
            (Audit.episode_id.is_(None), cast(null(), String)),
            *([] if hidden else [(shown, number)]),
            else_=literal(WITHHELD, String),
        ).label("episode_number"),
        Audit.salt,
        Audit.detail_hash,
        Audit.previous_hash,
        Audit.row_hash,
    ).select_from(Audit)
    whole = hidden or scope.clinician_ids is None
    of_practice = Audit.practice_id == scope.practice_id
    statement = statement.where(or_(of_practice, Audit.practice_id.is_(None)) if whole else of_practice)
    if hidden:
        return statement.join(Clinician, Clinician.id == Audit.clinician_id, isouter=True)
    statement = statement.join(people, people.c.clinician_id == Audit.clinician_id, isouter=True).join(
        visible, visible.c.episode_id == Audit.episode_id, isouter=True
    )
    if scope.clinician_ids is None:
        return statement
    return statement.where(or_(people.c.clinician_id.is_not(None), and_(visible.c.episode_id.is_not(None))))


ORDER = {
    "episodes": ["episode_id"],
    "flags": ["episode_id", "signal", "raised_on", "since"],
    "sessions": ["episode_id", "starts_at", "appointment_id"],
    "endings": ["episode_id"],
    "set_aside": ["import_id", "file", "line", "column", "value", "reason"],
    "audit": ["at", "username", "action", "number"],
}


def finished(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The contract's columns in the stated order of rows: the same on every database, whatever its collation."""
    if "exact_at" in frame.columns:
        frame = frame.with_columns(pl.col("exact_at").dt.strftime(EXACT))
    return frame.drop(WORKING, strict=False).sort(ORDER[table], nulls_last=True, maintain_order=True)
