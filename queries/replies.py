"""Replies to signals: read with the history they belong to, written with an audit row."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection, insert, select

from dashboard.access import Scope, Viewer, check_can_answer_flag
from queries import audit
from queries.caseload import flags, states
from queries.frames import read_frame
from queries.keys import next_id
from queries.scope import visible_episodes
from queries.tables import FlagReply, Statement


def replies(scope: Scope, as_of: date, *, public_id: str | None = None) -> Statement:
    """Replies in scope given up to a day, in the order in which they were given."""
    visible = visible_episodes(scope, as_of=as_of)
    statement = (
        select(
            FlagReply.episode_id,
            FlagReply.signal,
            FlagReply.kind,
            FlagReply.reason,
            FlagReply.until_day,
            FlagReply.replied_on,
            FlagReply.username,
        )
        .join(visible, visible.c.episode_id == FlagReply.episode_id)
        .where(FlagReply.replied_on <= as_of)
        .order_by(FlagReply.id)
    )
    return statement if public_id is None else statement.where(visible.c.public_id == public_id)


def record_reply(
    connection: Connection,
    viewer: Viewer,
    scope: Scope,
    public_id: str,
    *,
    signal: str,
    kind: str,
    reason: str,
    until_day: date | None,
    now: datetime,
) -> int | None:
    """Writes a reply to a standing signal of an episode in scope; returns the episode, or null where none stands there.

    Raises NotAllowed where the viewer is not the episode's clinician.
    """
    found = read_frame(connection, states(scope, open_only=False, public_id=public_id)).to_dicts()
    standing = read_frame(connection, flags(scope, public_id=public_id))
    if not found or signal not in standing["signal"].to_list():
        return None
    state = found[0]
    check_can_answer_flag(viewer, state["clinician_id"])
    connection.execute(
        insert(FlagReply).values(
            id=next_id(connection, FlagReply),
            practice_id=viewer.practice_id,
            episode_id=state["episode_id"],
            signal=signal,
            kind=kind,
            reason=reason,
            until_day=until_day,
            replied_on=now.date(),
            replied_at=now,
            username=viewer.username,
        )
    )
    audit.record(
        connection, at=now, practice_id=viewer.practice_id, username=viewer.username,
        purpose=viewer.purpose, action=f"change signal {kind}",
        clinician_id=state["clinician_id"], episode_id=state["episode_id"], detail=signal,
    )  # fmt: skip
    return int(state["episode_id"])
