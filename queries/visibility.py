"""What the page My visibility reads: who opened, exported or changed what of mine, and who may see it.

A row of the audit concerns a scope where it names a clinician or an episode in it, or where it names neither and was done to the
whole practice (COVERING): a director's look over all caseloads, an export or a copy of everything, an import, a restore. An
export in a supervisor's scope, a meeting and a snapshot leave a row for each clinician in them.

What can't be matched: imports and undoings name no episodes, so that each stands in everybody's list; an export that a supervisor
made with a version of the program before this one names nobody, and stands in everybody's list too; a download of rows that could
not be read (``set_aside``) belongs to no clinician and stands in nobody's; so do looks from before this version at pages other
than an episode or a meeting, which were not written down, and what somebody reads who holds the database itself without a command
of this program. A list never leaves out a row because the person's role has changed since.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, and_, case, exists, func, literal, or_, select
from sqlalchemy.orm import aliased

from dashboard.access import Scope
from queries.scope import visible_clinicians, visible_episodes
from queries.tables import (
    Audit,
    Clinician,
    Statement,
    SupervisionLink,
    User,
)

OPENED, EXPORTED, CHANGED, REFUSED = "opened", "exported", "changed", "refused"
KINDS = (OPENED, EXPORTED, CHANGED, REFUSED)
# acts on the whole practice that touch every caseload in it, where they name neither clinician nor episode
COVERING_EXPORTS = ("episodes", "flags", "sessions", "endings", "clinicians", "audit", "snapshot", "digest", "backup")
COVERING = (
    *(f"export {table}" for table in COVERING_EXPORTS),
    "import",
    "import undone",
    "change erase",
    "change restore",
)


def _kind() -> ColumnElement[str]:
    return case(
        (Audit.action.like("view%"), OPENED),
        (Audit.action.like("export%"), EXPORTED),
        (Audit.action.like("refuse%"), REFUSED),
        else_=CHANGED,
    )


def _rows(scope: Scope) -> tuple[Any, CTE, CTE]:
    people = visible_clinicians(scope)
    episodes = visible_episodes(scope, withdrawn=True)  # what was done stays on record
    who = aliased(Clinician)
    statement = (
        select(
            Audit.id.label("number"),
            Audit.at,
            Audit.username,
            func.coalesce(who.display_name, Audit.username).label("name"),
            User.role,
            _kind().label("kind"),
            Audit.action,
            Audit.detail,
            Audit.purpose,
            people.c.clinician_id,
            func.coalesce(people.c.display_name, people.c.source_id).label("whose"),
            episodes.c.episode_id,
            episodes.c.public_id,
            episodes.c.client_code,
            and_(Audit.clinician_id.is_(None), Audit.episode_id.is_(None)).label("is_whole"),
            Audit.episode_id.is_not(None).label("is_episode"),
        )
        .select_from(Audit)
        .join(people, people.c.clinician_id == Audit.clinician_id, isouter=True)
        .join(episodes, episodes.c.episode_id == Audit.episode_id, isouter=True)
        .join(User, and_(User.username == Audit.username, User.practice_id == Audit.practice_id), isouter=True)
        .join(who, who.id == User.clinician_id, isouter=True)
        .where(Audit.practice_id == scope.practice_id)
    )
    return statement, people, episodes


def _concerned(people: CTE, episodes: CTE) -> ColumnElement[bool]:
    anybody = exists(select(literal(1)).select_from(people))
    nobody_named = and_(Audit.clinician_id.is_(None), Audit.episode_id.is_(None))
    covering = or_(Audit.action.in_(COVERING), Audit.action.like("view %"))
    return or_(
        people.c.clinician_id.is_not(None), episodes.c.episode_id.is_not(None), and_(nobody_named, covering, anybody)
    )


def looks(
    scope: Scope,
    *,
    besides: str | None = None,
    kinds: Collection[str] = KINDS,
    since: datetime | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> Statement:
    """Who did what with rows in scope, the newest first; ``besides``: whose own acts are left out.

    number (of the audit), at, username, name, role (as it is now; null: no longer there, or whoever holds the database), kind
    (KINDS), action, detail, purpose, clinician_id and whose (in scope, else null), episode_id, public_id and client_code (in
    scope, else null), is_whole (names nobody: the whole practice), is_episode (names an episode, in scope or not).
    """
    statement, people, episodes = _rows(scope)
    statement = statement.where(_concerned(people, episodes), _kind().in_(list(kinds)))
    if besides is not None:
        statement = statement.where(Audit.username != besides)
    if since is not None:
        statement = statement.where(Audit.at >= since)
    statement = statement.order_by(Audit.id.desc())
    return statement if limit is None else statement.limit(limit).offset(offset)


def looks_counted(
    scope: Scope, *, besides: str | None = None, kinds: Collection[str] = KINDS, since: datetime | None = None
) -> Statement:
    """How often, by person and kind: username, name, role, kind, looks, last_at."""
    found = looks(scope, besides=besides, kinds=kinds, since=since).order_by(None).subquery()
    return (
        select(
            found.c.username,
            found.c.name,
            found.c.role,
            found.c.kind,
            func.count().label("looks"),
            func.max(found.c.at).label("last_at"),
        )
        .group_by(found.c.username, found.c.name, found.c.role, found.c.kind)
        .order_by(found.c.name, found.c.username, found.c.kind)
    )


def acts(
    scope: Scope, username: str, *, since: datetime | None = None, limit: int | None = None, offset: int = 0
) -> Statement:
    """What somebody themselves did that others can see in their own lists, the newest first; columns as in ``looks``.

    Only of rows in their scope now, or of the whole practice: what they did when they saw more is for those it concerned.
    """
    statement, people, episodes = _rows(scope)
    nobody_named = and_(Audit.clinician_id.is_(None), Audit.episode_id.is_(None))
    whole = and_(nobody_named, or_(Audit.action.in_(COVERING), Audit.action.like("view %")))
    statement = statement.where(
        Audit.username == username, or_(people.c.clinician_id.is_not(None), episodes.c.episode_id.is_not(None), whole)
    ).order_by(Audit.id.desc())
    if since is not None:
        statement = statement.where(Audit.at >= since)
    return statement if limit is None else statement.limit(limit).offset(offset)


def supervisors(scope: Scope, today: date) -> Statement:
    """Who supervises the clinicians in scope today: clinician_id, name, from_day, to_day, username and role (or null)."""
    people = visible_clinicians(scope)
    above = aliased(Clinician)
    return (
        select(
            people.c.clinician_id,
            func.coalesce(above.display_name, above.source_id).label("name"),
            SupervisionLink.from_day,
            SupervisionLink.to_day,
            User.username,
            User.role,
        )
        .select_from(people)
        .join(SupervisionLink, SupervisionLink.supervisee_id == people.c.clinician_id)
        .join(above, above.id == SupervisionLink.supervisor_id)
        .join(User, and_(User.clinician_id == above.id, User.is_active), isouter=True)
        .where(
            SupervisionLink.practice_id == scope.practice_id,
            or_(SupervisionLink.from_day.is_(None), SupervisionLink.from_day <= today),
            or_(SupervisionLink.to_day.is_(None), SupervisionLink.to_day >= today),
        )
        .order_by("name", User.username)
    )


def others(scope: Scope) -> Statement:
    """Everybody who may sign in beside them: username, role, name, by name; nobody for an empty scope."""
    people = visible_clinicians(scope)
    who = aliased(Clinician)
    return (
        select(
            User.username,
            User.role,
            func.coalesce(who.display_name, User.username).label("name"),
        )
        .join(who, who.id == User.clinician_id, isouter=True)
        .where(
            User.practice_id == scope.practice_id,
            User.is_active,
            exists(select(literal(1)).select_from(people)),
            or_(User.clinician_id.is_(None), User.clinician_id.not_in(select(people.c.clinician_id))),
        )
        .order_by("name")
    )
