"""What case-mix adjustment reads: every ended episode of an evaluation, with what was known of it at intake.

Everything is read as it was known on the evaluation's day, so that an evaluation of the past says what it would have said.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl
from sqlalchemy import Connection, Date, func, literal, or_, select

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
    Score,
    ScoreVersion,
    Statement,
)

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
    visible = visible_episodes(scope)
    return (
        select(
            visible.c.episode_id,
            visible.c.client_id,
            EpisodeState.clinician_id,
            *(getattr(EpisodeState, name) for name in STATE),
        )
        .select_from(visible)
        .join(EpisodeState, EpisodeState.episode_id == visible.c.episode_id)
        .where(
            EpisodeState.evaluation_id == evaluation_id,
            EpisodeState.sessions_attended > 0,
            or_(EpisodeState.closed_on.is_not(None), EpisodeState.dropout.is_(True)),
        )
    )


def intake_known(scope: Scope, as_of: date) -> list[Statement]:
    """Problem area, kind and day of referral of the episodes in scope, as known on a day."""
    visible = visible_episodes(scope)
    found: list[Statement] = []
    for table in (Episode, EpisodeVersion):
        statement: Statement = (
            select(table.id.label("episode_id"), table.problem_area, table.kind, table.referred_on)
            .join(visible, visible.c.episode_id == table.id)
            .where(table.known_from <= as_of)
        )
        found.append(statement if table is Episode else statement.where(EpisodeVersion.superseded_on > as_of))
    return found


def births_known(scope: Scope, as_of: date) -> list[Statement]:
    """Year of birth of the clients in scope, as known on a day; ``superseded_on`` null is what is known now."""
    visible = visible_episodes(scope)
    clients = select(visible.c.client_id).distinct().subquery()
    found: list[Statement] = []
    for table in (Client, ClientVersion):
        statement: Statement = select(
            table.id.label("client_id"),
            table.birth_year,
            (ClientVersion.superseded_on if table is ClientVersion else literal(None, Date)).label("superseded_on"),
        ).join(clients, clients.c.client_id == table.id)
        if table is ClientVersion:
            statement = statement.where(
                ClientVersion.superseded_on > as_of, func.coalesce(ClientVersion.known_from, as_of) <= as_of
            )
        found.append(statement)
    return found


def first_scores(scope: Scope, evaluation_id: int, instruments: Sequence[str], as_of: date) -> list[Statement]:
    """Clients' scores on outcome questionnaires other than the episode's own, taken by its first score or first session.

    Whichever of the two came later; as known on a day.
    """
    visible = visible_episodes(scope)
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
        found.append(statement if table is Score else statement.where(ScoreVersion.superseded_on > as_of))
    return found


def treating(scope: Scope, evaluation_id: int) -> Statement:
    """Clinicians who have an episode in an evaluation, open or closed."""
    visible = visible_episodes(scope)
    return (
        select(EpisodeState.clinician_id)
        .join(visible, visible.c.episode_id == EpisodeState.episode_id)
        .where(EpisodeState.evaluation_id == evaluation_id)
        .distinct()
    )


def read_each(connection: Connection, statements: list[Statement]) -> pl.DataFrame:
    """The rows of several statements of the same columns, one below the other."""
    return pl.concat(read_frame(connection, statement) for statement in statements)
