"""What the alliance page reads: open episodes with their fit questions, alliance ratings, session 3, counts of experience."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import aliased

from dashboard.access import Scope
from dashboard.contracts import SCORES
from queries.scope import visible_clinicians, visible_episodes
from queries.tables import Episode, EpisodeState, Evaluation, Score, SessionState, Statement

STATE = (
    "opened_on",
    "sessions_attended",
    "change_category",
    "alliance_instrument",
    "alliance_scores",
    "alliance_latest",
    "alliance_latest_on",
    "rupture",
    "fit_questions",
    "fit_since",
)


def open_states(scope: Scope, public_id: str | None = None) -> Statement:
    """Open episodes of the current evaluation: alliance, change and fit questions, with code, opaque id and problem area."""
    visible = visible_episodes(scope)
    statement = (
        select(
            visible.c.episode_id,
            visible.c.public_id,
            visible.c.client_code,
            visible.c.clinician_id,
            Episode.problem_area,
            *(getattr(EpisodeState, name) for name in STATE),
        )
        .select_from(visible)
        .join(EpisodeState, EpisodeState.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == EpisodeState.evaluation_id)
        .join(Episode, Episode.id == visible.c.episode_id)
        .where(Evaluation.is_current, EpisodeState.closed_on.is_(None))
    )
    return statement if public_id is None else statement.where(visible.c.public_id == public_id)


def ratings(scope: Scope, instruments: Sequence[str], as_of: date) -> Statement:
    """Scores on alliance questionnaires of open episodes in scope, of client and clinician, up to a day."""
    visible = visible_episodes(scope)
    return (
        select(*(getattr(Score, name) for name in SCORES.schema))
        .join(visible, visible.c.episode_id == Score.episode_id)
        .join(Episode, Episode.id == visible.c.episode_id)
        .where(Episode.closed_on.is_(None), Score.instrument.in_(list(instruments)), Score.taken_on <= as_of)
    )


def both_rated(scope: Scope, instruments: Sequence[str], as_of: date) -> Statement:
    """Scores on alliance questionnaires of episodes in scope in which the clinician rated too, up to a day."""
    visible = visible_episodes(scope)
    theirs = aliased(Score)
    rated = exists().where(
        and_(
            theirs.episode_id == visible.c.episode_id,
            theirs.respondent == "clinician",
            theirs.instrument.in_(list(instruments)),
        )
    )
    return (
        select(*(getattr(Score, name) for name in SCORES.schema))
        .join(visible, visible.c.episode_id == Score.episode_id)
        .where(Score.instrument.in_(list(instruments)), Score.taken_on <= as_of, rated)
    )


def at_session(scope: Scope, number: int) -> Statement:
    """Alliance rating on the day of a session and outcome change so far, of episodes in scope, open and closed."""
    visible = visible_episodes(scope)
    return (
        select(
            visible.c.episode_id,
            visible.c.client_code,
            EpisodeState.closed_on,
            EpisodeState.alliance_instrument,
            SessionState.alliance,
            EpisodeState.outcome_instrument,
            EpisodeState.change,
        )
        .select_from(visible)
        .join(EpisodeState, EpisodeState.episode_id == visible.c.episode_id)
        .join(Evaluation, Evaluation.id == EpisodeState.evaluation_id)
        .join(
            SessionState,
            and_(
                SessionState.evaluation_id == EpisodeState.evaluation_id,
                SessionState.episode_id == EpisodeState.episode_id,
            ),
        )
        .where(
            Evaluation.is_current,
            SessionState.session_number == number,
            SessionState.alliance.is_not(None),
            EpisodeState.change.is_not(None),
        )
    )


def experience(scope: Scope) -> Statement:
    """Counts of episodes by clinician and recorded problem area in scope; no client row."""
    visible, people = visible_episodes(scope), visible_clinicians(scope)
    name = func.coalesce(people.c.display_name, people.c.source_id)
    return (
        select(name.label("clinician"), Episode.problem_area, func.count().label("episodes"))
        .select_from(visible)
        .join(people, people.c.clinician_id == visible.c.clinician_id)
        .join(Episode, Episode.id == visible.c.episode_id)
        .where(Episode.problem_area.is_not(None), people.c.ended_on.is_(None))
        .group_by(people.c.clinician_id, name, Episode.problem_area)
    )
