"""What case-mix adjustment reads: every ended episode of an evaluation, with what was known of it at intake.

Everything is read as it was known on the evaluation's day, so that an evaluation of the past says what it would have said.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl
from sqlalchemy import Connection, Date, func, literal, or_, select, union

from dashboard.access import Scope
from dashboard.contracts import SCORES
from queries.frames import read_frame
from queries.scope import visible_episodes
from queries.tables import (
    Client,
    ClientVersion,
    Episode,
    EpisodeState,
    EpisodeVersion,
    Evaluation,
    Score,
    ScoreVersion,
    Statement,
)
from queries.worlds import known_then, standing_on

STATE = (
    "opened_on",
    "closed_on",
    "last_attended_on",
    "ending",
    "outcome_instrument",
    "scores",
    "baseline",
    "latest",
    "change_category",
    "dropout",
)


def ended(scope: Scope, evaluation_id: int) -> Statement:
    """Episodes of an evaluation that had a session and are closed, or silent beyond the practice's limit."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(
            visible.c.episode_id,
            func.coalesce(
                known_then(EpisodeVersion, EpisodeVersion.client_id, visible.c.episode_id, visible), visible.c.client_id
            ).label("client_id"),
            EpisodeState.clinician_id,
            *(getattr(EpisodeState, name) for name in STATE),
        )
        .select_from(visible)
        .join(EpisodeState, EpisodeState.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == EpisodeState.evaluation_id)
        .where(
            EpisodeState.evaluation_id == evaluation_id,
            EpisodeState.sessions_attended > 0,
            or_(EpisodeState.closed_on.is_not(None), EpisodeState.dropout.is_(True)),
        )
    )


def intake_known(scope: Scope, as_of: date, undone: Sequence[int] = ()) -> list[Statement]:
    """Problem area, kind and day of referral of the episodes in scope, as known on a day; ``undone``: ``worlds.undone_on``."""
    visible = visible_episodes(scope, as_of=as_of)
    now, then = standing_on(Episode, EpisodeVersion, undone)
    found: list[Statement] = []
    for table in (Episode, EpisodeVersion):
        statement: Statement = (
            select(table.id.label("episode_id"), table.problem_area, table.kind, table.referred_on)
            .join(visible, visible.c.episode_id == table.id)
            .where(table.known_from <= as_of)
        )
        found.append(
            statement.where(now) if table is Episode else statement.where(then, EpisodeVersion.superseded_on > as_of)
        )
    return found


def births_known(scope: Scope, as_of: date, undone: Sequence[int] = ()) -> list[Statement]:
    """Year of birth of the clients in scope, as known on a day; ``superseded_on`` null is what is known now.

    Clients who were merged since are among them. ``undone``: ``worlds.undone_on``.
    """
    visible = visible_episodes(scope, as_of=as_of)
    before = select(EpisodeVersion.client_id).join(visible, visible.c.episode_id == EpisodeVersion.id)
    clients = union(select(visible.c.client_id), before).subquery()
    now, then = standing_on(Client, ClientVersion, undone)
    found: list[Statement] = []
    for table in (Client, ClientVersion):
        statement: Statement = select(
            table.id.label("client_id"),
            table.birth_year,
            (ClientVersion.superseded_on if table is ClientVersion else literal(None, Date)).label("superseded_on"),
        ).join(clients, clients.c.client_id == table.id)
        if table is ClientVersion:
            statement = statement.where(
                then, ClientVersion.superseded_on > as_of, func.coalesce(ClientVersion.known_from, as_of) <= as_of
            )
        found.append(statement.where(now) if table is Client else statement)
    return found


def first_scores(
    scope: Scope, evaluation_id: int, instruments: Sequence[str], as_of: date, undone: Sequence[int] = ()
) -> list[Statement]:
    """Clients' scores on outcome questionnaires other than the episode's own, taken by its first score or first session.

    Whichever of the two came later; as known on a day. ``undone``: ``worlds.undone_on``.
    """
    visible = visible_episodes(scope, evaluation_id)
    now, then = standing_on(Score, ScoreVersion, undone)
    found: list[Statement] = []
    for table in (Score, ScoreVersion):
        statement: Statement = (
            select(*(getattr(table, name) for name in SCORES.schema))
            .join(visible, visible.c.episode_id == table.episode_id)
            .join(EpisodeState, EpisodeState.episode_id == visible.c.episode_id)
            .where(
                EpisodeState.evaluation_id == evaluation_id,
                or_(EpisodeState.closed_on.is_not(None), EpisodeState.dropout.is_(True)),
                table.respondent == "client",
                table.instrument.in_(list(instruments)),
                table.instrument != EpisodeState.outcome_instrument,
                or_(table.taken_on <= EpisodeState.baseline_on, table.taken_on <= EpisodeState.first_attended_on),
                table.known_from <= as_of,
            )
        )
        found.append(
            statement.where(now) if table is Score else statement.where(then, ScoreVersion.superseded_on > as_of)
        )
    return found


def treating(scope: Scope, evaluation_id: int) -> Statement:
    """Clinicians who have an episode in an evaluation, open or closed."""
    visible = visible_episodes(scope, evaluation_id)
    return (
        select(EpisodeState.clinician_id)
        .join(visible, visible.c.episode_id == EpisodeState.episode_id)
        .where(EpisodeState.evaluation_id == evaluation_id)
        .distinct()
    )


def read_each(connection: Connection, statements: list[Statement]) -> pl.DataFrame:
    """The rows of several statements of the same columns, one below the other."""
    return pl.concat(read_frame(connection, statement) for statement in statements)
