"""Writes around a meeting: the clinician's marks on an episode, and what became of an agreed action."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from dashboard.access import NO_EPISODE, Viewer, check_can_answer_flag, scope_for
from dashboard.errors import NotAllowed
from queries import audit
from queries.keys import next_id
from queries.meeting_tables import AgreedAction, EpisodeMark
from queries.meetings import actions
from queries.scope import visible_episodes


def mark_episode(
    connection: Connection, viewer: Viewer, public_id: str, kind: str, is_set: bool, now: datetime
) -> None:
    """Sets or takes back the mark of the episode's own clinician. Raises NotAllowed for anyone else."""
    visible = visible_episodes(scope_for(viewer))
    row = connection.execute(
        select(visible.c.episode_id, visible.c.clinician_id).where(visible.c.public_id == public_id)
    ).first()
    if row is None:
        raise NotAllowed(NO_EPISODE)
    check_can_answer_flag(viewer, row.clinician_id)
    connection.execute(
        insert(EpisodeMark).values(
            id=next_id(connection, EpisodeMark), practice_id=viewer.practice_id, episode_id=row.episode_id, kind=kind,
            is_set=is_set, marked_at=now, username=viewer.username,
        )
    )  # fmt: skip
    audit.record(
        connection, at=now, practice_id=viewer.practice_id, username=viewer.username, purpose=viewer.purpose,
        action=f"change mark {kind}" if is_set else f"change mark {kind} taken back",
        clinician_id=row.clinician_id, episode_id=row.episode_id,
    )  # fmt: skip


def take_back_marks(
    connection: Connection, practice_id: int, episode_ids: Sequence[int], username: str, now: datetime
) -> None:
    """What was brought or went well has been talked about: the marks of these episodes no longer stand."""
    newest = (
        select(func.max(EpisodeMark.id).label("id"))
        .where(EpisodeMark.practice_id == practice_id, EpisodeMark.episode_id.in_(list(episode_ids)))
        .group_by(EpisodeMark.episode_id, EpisodeMark.kind)
        .subquery()
    )
    standing = connection.execute(
        select(EpisodeMark.episode_id, EpisodeMark.kind)
        .join(newest, newest.c.id == EpisodeMark.id)
        .where(EpisodeMark.is_set)
    ).all()
    for row in standing:
        connection.execute(
            insert(EpisodeMark).values(
                id=next_id(connection, EpisodeMark), practice_id=practice_id, episode_id=row.episode_id, kind=row.kind,
                is_set=False, marked_at=now, username=username,
            )
        )  # fmt: skip


def set_action_state(
    connection: Connection, viewer: Viewer, action_id: int, state: str, *, seen: int, now: datetime
) -> bool:
    """What became of an action in the viewer's scope; false where somebody changed it since ``seen``.

    Raises NotAllowed outside the scope.
    """
    in_scope = actions(scope_for(viewer)).subquery()
    row = connection.execute(
        select(in_scope.c.episode_id, in_scope.c.clinician_id).where(in_scope.c.action_id == action_id)
    ).first()
    if row is None:
        raise NotAllowed("This action is not part of your caseload or your supervisees'.")
    done = connection.execute(
        update(AgreedAction)
        .where(AgreedAction.id == action_id, AgreedAction.version == seen)
        .values(state=state, state_on=now.date(), state_by=viewer.username, version=seen + 1)
    )
    if done.rowcount != 1:
        return False
    audit.record(
        connection, at=now, practice_id=viewer.practice_id, username=viewer.username,
        purpose=viewer.purpose, action=f"change action {state}",
        clinician_id=row.clinician_id, episode_id=row.episode_id,
    )  # fmt: skip
    return True
