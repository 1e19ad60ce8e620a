"""The statements every read starts from: only what the viewer's scope holds, and nothing for an empty scope."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CTE, ColumnElement, false, literal, or_, select

from dashboard.access import Scope
from queries.tables import Client, Clinician, Episode, Evaluation, Import, Statement, User


def visible_episodes(
    scope: Scope, evaluation_id: int | None = None, *, as_of: date | None = None, withdrawn: bool = False
) -> CTE:
    """``visible_episode``: episode_id, practice_id, clinician_id, public_id, source_id, client_id, client_code.

    Withdrawn episodes are left out; with an evaluation of the past, or a day, only those that were withdrawn by then. With
    ``withdrawn`` none is: for reads that know themselves when each row was known.
    """
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
    if not withdrawn:
        stands: ColumnElement[bool] = Episode.withdrawn_on.is_(None)
        if evaluation_id is not None:
            day = select(Evaluation.as_of).where(Evaluation.id == evaluation_id).scalar_subquery()
            stands = or_(stands, Episode.withdrawn_on > day)
        elif as_of is not None:
            stands = or_(stands, Episode.withdrawn_on > as_of)
        statement = statement.where(stands)
    if scope.clinician_ids is not None:
        statement = statement.where(
            Episode.clinician_id.in_(sorted(scope.clinician_ids)) if scope.clinician_ids else false()
        )
    return statement.cte("visible_episode")


def visible_clinicians(scope: Scope, evaluation_id: int | None = None) -> CTE:
    """``visible_clinician``: clinician_id, practice_id, public_id, source_id, display_name, started_on, ended_on, is_trainee.

    Who came with an import that was undone is left out, unless somebody signs in under them; with an evaluation of the past
    only where it was undone by then.
    """
    undoings = select(Import.id).where(Import.practice_id == scope.practice_id, Import.kind == "undo")
    if evaluation_id is not None:
        day = select(Evaluation.as_of).where(Evaluation.id == evaluation_id).scalar_subquery()
        undoings = undoings.where(Import.imported_on <= day)
    signs_in = select(User.id).where(User.clinician_id == Clinician.id).exists()
    statement: Statement = select(
        Clinician.id.label("clinician_id"),
        Clinician.practice_id,
        Clinician.public_id,
        Clinician.source_id,
        Clinician.display_name,
        Clinician.started_on,
        Clinician.ended_on,
        Clinician.is_trainee,
    ).where(
        Clinician.practice_id == scope.practice_id,
        or_(Clinician.import_id.is_(None), Clinician.import_id.not_in(undoings), signs_in),
    )
    if scope.clinician_ids is not None:
        statement = statement.where(Clinician.id.in_(sorted(scope.clinician_ids)) if scope.clinician_ids else false())
    return statement.cte("visible_clinician")


def of_the_whole_practice(scope: Scope) -> ColumnElement[bool]:
    """True only for a scope that holds everybody: what must never become a table about one caseload is asked with it."""
    return literal(scope.clinician_ids is None)
