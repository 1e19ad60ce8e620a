"""The statements every read starts from: only what the viewer's scope holds, and nothing for an empty scope."""

from __future__ import annotations

from sqlalchemy import CTE, ColumnElement, false, literal, select

from dashboard.access import Scope
from queries.tables import Client, Clinician, Episode, Statement


def visible_episodes(scope: Scope) -> CTE:
    """``visible_episode``: episode_id, practice_id, clinician_id, public_id, source_id, client_id, client_code."""
    statement: Statement = (
        select(
            Episode.id.label("episode_id"),
            Episode.practice_id,
            Episode.clinician_id,
            Episode.public_id,
            Episode.source_id,
            Episode.client_id,
            Client.client_code,
        )
        .join(Client, Client.id == Episode.client_id)
        .where(Episode.practice_id == scope.practice_id)
    )
    if scope.clinician_ids is not None:
        statement = statement.where(
            Episode.clinician_id.in_(sorted(scope.clinician_ids)) if scope.clinician_ids else false()
        )
    return statement.cte("visible_episode")


def visible_clinicians(scope: Scope) -> CTE:
    """``visible_clinician``: clinician_id, practice_id, public_id, source_id, display_name, started_on, ended_on, is_trainee."""
    statement: Statement = select(
        Clinician.id.label("clinician_id"),
        Clinician.practice_id,
        Clinician.public_id,
        Clinician.source_id,
        Clinician.display_name,
        Clinician.started_on,
        Clinician.ended_on,
        Clinician.is_trainee,
    ).where(Clinician.practice_id == scope.practice_id)
    if scope.clinician_ids is not None:
        statement = statement.where(Clinician.id.in_(sorted(scope.clinician_ids)) if scope.clinician_ids else false())
    return statement.cte("visible_clinician")


def of_the_whole_practice(scope: Scope) -> ColumnElement[bool]:
    """True only for a scope that holds everybody: what must never become a table about one caseload is asked with it."""
    return literal(scope.clinician_ids is None)
