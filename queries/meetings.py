"""What the meeting pages read: meetings the viewer takes part in, their agenda, what was written, agreed and signed."""

from __future__ import annotations

from sqlalchemy import CTE, ColumnElement, Date, and_, case, exists, false, func, or_, select, true
from sqlalchemy.orm import aliased

from dashboard.access import Role, Scope, Viewer, scope_for
from dashboard.contracts import SCORES
from queries.meeting_tables import (
    AgendaItem,
    AgreedAction,
    EpisodeMark,
    Meeting,
    MeetingAddition,
    MeetingField,
    MeetingSupervisee,
    SignOff,
)
from queries.scope import visible_clinicians, visible_episodes
from queries.tables import Clinician, Episode, EpisodeState, Evaluation, Score, SessionState, Statement, User

ALONE = "director"  # the kind of meeting that a director prepares for themselves
ABOUT_AN_EPISODE = ("left_out", "stratum", "draw", "priority", "signals", "added_by", "discussed")


def visible_meetings(viewer: Viewer) -> CTE:
    """``visible_meeting``: every column of the meetings that a viewer may see.

    A director sees those of the practice, a supervisor those they lead while everyone in them is their supervisee, everyone those
    about their own caseload but what a director prepares alone, an administrator none.
    """
    mine = and_(
        Meeting.kind != ALONE,
        exists().where(
            MeetingSupervisee.meeting_id == Meeting.id, MeetingSupervisee.clinician_id == viewer.clinician_id
        ),
    )
    takes_part: ColumnElement[bool] = mine if viewer.clinician_id is not None else false()
    scope = scope_for(viewer)
    ids = sorted(scope.clinician_ids or ())
    named = MeetingSupervisee.meeting_id == Meeting.id
    outside = exists().where(named, MeetingSupervisee.clinician_id.not_in(ids))
    seen: ColumnElement[bool]
    match viewer.role:
        case Role.DIRECTOR if viewer.gives_reasons:
            open_to_them = and_(exists().where(named, MeetingSupervisee.clinician_id.in_(ids)), ~outside)
            seen = or_(open_to_them, takes_part)
        case Role.DIRECTOR:
            seen = true()
        case Role.SUPERVISOR:
            seen = or_(and_(Meeting.leader == viewer.username, ~outside), takes_part)
        case Role.CLINICIAN:
            seen = takes_part
        case _:
            seen = false()
    return select(Meeting).where(Meeting.practice_id == viewer.practice_id, seen).cte("visible_meeting")


def meetings(viewer: Viewer, *, public_id: str | None = None) -> Statement:
    """Meetings the viewer may see, the newest first; without the drawn-up agenda."""
    visible = visible_meetings(viewer)
    counted = (
        select(
            AgendaItem.meeting_id,
            func.count(AgendaItem.position).label("entries"),
            func.sum(AgendaItem.minutes).label("planned"),
        )
        .where(AgendaItem.position.is_not(None))
        .group_by(AgendaItem.meeting_id)
        .subquery()
    )
    statement = (
        select(
            visible.c.id.label("meeting_id"),
            visible.c.public_id,
            visible.c.leader,
            visible.c.held_on,
            visible.c.minutes,
            visible.c.kind,
            visible.c.hides_names,
            visible.c.data_as_of,
            visible.c.rules_version,
            visible.c.version,
            visible.c.created_at,
            visible.c.closed_at,
            func.coalesce(Clinician.display_name, visible.c.leader).label("leader_name"),
            func.coalesce(counted.c.entries, 0).label("entries"),
            func.coalesce(counted.c.planned, 0).label("planned"),
        )
        .select_from(visible)
        .outerjoin(counted, counted.c.meeting_id == visible.c.id)
        .outerjoin(User, User.username == visible.c.leader)
        .outerjoin(Clinician, Clinician.id == User.clinician_id)
        .order_by(visible.c.held_on.desc(), visible.c.id.desc())
    )
    return statement if public_id is None else statement.where(visible.c.public_id == public_id)


def supervisees(viewer: Viewer) -> Statement:
    """Whom each visible meeting is about: meeting_id, clinician_id, name and opaque id, by name."""
    visible = visible_meetings(viewer)
    return (
        select(
            visible.c.id.label("meeting_id"),
            Clinician.id.label("clinician_id"),
            Clinician.public_id,
            Clinician.display_name,
            Clinician.source_id,
        )
        .select_from(visible)
        .join(MeetingSupervisee, MeetingSupervisee.meeting_id == visible.c.id)
        .join(Clinician, Clinician.id == MeetingSupervisee.clinician_id)
        .order_by(Clinician.display_name, Clinician.source_id)
    )


def items(viewer: Viewer, meeting_id: int) -> Statement:
    """The agenda and what was left out; of an episode outside the viewer's scope only that a colleague has a case there."""
    visible, episodes = visible_meetings(viewer), visible_episodes(scope_for(viewer))
    own = or_(AgendaItem.episode_id.is_(None), episodes.c.episode_id.is_not(None))
    return (
        select(
            AgendaItem.id.label("item_id"),
            AgendaItem.kind,
            AgendaItem.episode_id,
            AgendaItem.clinician_id,
            AgendaItem.position,
            AgendaItem.minutes,
            *(case((own, getattr(AgendaItem, name))).label(name) for name in ABOUT_AN_EPISODE),
            episodes.c.public_id,
            episodes.c.client_code,
            Clinician.display_name,
            Clinician.source_id,
        )
        .select_from(visible)
        .join(AgendaItem, AgendaItem.meeting_id == visible.c.id)
        .outerjoin(episodes, episodes.c.episode_id == AgendaItem.episode_id)
        .outerjoin(Clinician, Clinician.id == AgendaItem.clinician_id)
        .where(visible.c.id == meeting_id)
        .order_by(AgendaItem.position.is_(None), AgendaItem.position, AgendaItem.id)
    )


def fields(viewer: Viewer, meeting_id: int) -> Statement:
    """What was written in a meeting, box by box; of episodes outside the viewer's scope nothing."""
    visible, episodes = visible_meetings(viewer), visible_episodes(scope_for(viewer))
    return (
        select(
            MeetingField.item_id,
            MeetingField.field,
            MeetingField.text,
            MeetingField.version,
            MeetingField.username,
            MeetingField.saved_at,
        )
        .select_from(visible)
        .join(AgendaItem, AgendaItem.meeting_id == visible.c.id)
        .join(MeetingField, MeetingField.item_id == AgendaItem.id)
        .outerjoin(episodes, episodes.c.episode_id == AgendaItem.episode_id)
        .where(visible.c.id == meeting_id, or_(AgendaItem.episode_id.is_(None), episodes.c.episode_id.is_not(None)))
    )


def signed(viewer: Viewer, meeting_id: int) -> Statement:
    """Who signed, in order."""
    visible = visible_meetings(viewer)
    return (
        select(SignOff.username, SignOff.part, SignOff.signed_at)
        .join(visible, visible.c.id == SignOff.meeting_id)
        .where(visible.c.id == meeting_id)
        .order_by(SignOff.signed_at)
    )


def additions(viewer: Viewer, meeting_id: int) -> Statement:
    """What was added after closing, in order."""
    visible = visible_meetings(viewer)
    return (
        select(MeetingAddition.text, MeetingAddition.username, MeetingAddition.added_at)
        .join(visible, visible.c.id == MeetingAddition.meeting_id)
        .where(visible.c.id == meeting_id)
        .order_by(MeetingAddition.id)
    )


def discussed(scope: Scope) -> Statement:
    """Every time an episode in scope was discussed in a meeting that is closed: episode_id, held_on."""
    visible = visible_episodes(scope)
    return (
        select(AgendaItem.episode_id, Meeting.held_on)
        .join(visible, visible.c.episode_id == AgendaItem.episode_id)
        .join(Meeting, Meeting.id == AgendaItem.meeting_id)
        .where(AgendaItem.discussed.is_(True))
    )


def actions(scope: Scope) -> Statement:
    """What was agreed about episodes in scope, about a caseload in scope, or in a meeting about none but such caseloads."""
    visible, people = visible_episodes(scope), visible_clinicians(scope)
    about = MeetingSupervisee.meeting_id == AgreedAction.meeting_id
    inside = select(people.c.clinician_id)
    whole_meeting = and_(
        exists().where(about, MeetingSupervisee.clinician_id.in_(inside)),
        ~exists().where(about, MeetingSupervisee.clinician_id.not_in(inside)),
    )
    return (
        select(
            AgreedAction.id.label("action_id"),
            AgreedAction.meeting_id,
            AgreedAction.episode_id,
            AgreedAction.clinician_id,
            AgreedAction.what,
            AgreedAction.who,
            AgreedAction.agreed_on,
            AgreedAction.look_again_on,
            AgreedAction.state,
            AgreedAction.state_on,
            AgreedAction.state_by,
            AgreedAction.version,
            visible.c.public_id,
            visible.c.client_code,
        )
        .select_from(AgreedAction)
        .outerjoin(visible, visible.c.episode_id == AgreedAction.episode_id)
        .outerjoin(people, people.c.clinician_id == AgreedAction.clinician_id)
        .where(
            AgreedAction.practice_id == scope.practice_id,
            or_(
                visible.c.episode_id.is_not(None),
                and_(AgreedAction.episode_id.is_(None), people.c.clinician_id.is_not(None)),
                and_(AgreedAction.episode_id.is_(None), AgreedAction.clinician_id.is_(None), whole_meeting),
            ),
        )
        .order_by(AgreedAction.agreed_on, AgreedAction.id)
    )


def marks(scope: Scope) -> Statement:
    """The clinician's wishes that stand: the newest mark of each kind of every episode in scope, where it is set."""
    visible = visible_episodes(scope)
    newest = (
        select(func.max(EpisodeMark.id).label("id"))
        .join(visible, visible.c.episode_id == EpisodeMark.episode_id)
        .group_by(EpisodeMark.episode_id, EpisodeMark.kind)
        .subquery()
    )
    return (
        select(EpisodeMark.episode_id, EpisodeMark.kind, EpisodeMark.marked_at, EpisodeMark.username)
        .join(newest, newest.c.id == EpisodeMark.id)
        .where(EpisodeMark.is_set)
    )


def action_scores(scope: Scope) -> Statement:
    """Scores as recorded, of episodes in scope about which something was agreed."""
    visible = visible_episodes(scope)
    agreed = select(AgreedAction.episode_id).where(AgreedAction.episode_id.is_not(None))
    return (
        select(*(getattr(Score, name) for name in SCORES.schema))
        .join(visible, visible.c.episode_id == Score.episode_id)
        .where(Score.episode_id.in_(agreed))
    )


def flagged_cases(scope: Scope) -> Statement:
    """Cases of closed meetings that a signal spoke for, on the agenda or left out, of episodes in scope."""
    visible = visible_episodes(scope)
    return (
        select(
            AgendaItem.meeting_id,
            Meeting.held_on,
            AgendaItem.episode_id,
            visible.c.client_id,
            AgendaItem.clinician_id,
            AgendaItem.stratum,
            AgendaItem.drawn_in,
            AgendaItem.discussed,
            AgendaItem.signals,
        )
        .join(visible, visible.c.episode_id == AgendaItem.episode_id)
        .join(Meeting, Meeting.id == AgendaItem.meeting_id)
        .where(Meeting.closed_at.is_not(None), AgendaItem.signals.is_not(None), AgendaItem.signals != "")
    )


def scored_sessions(scope: Scope) -> Statement:
    """Attended sessions of episodes in scope with the outcome score of their day and its questionnaire."""
    visible = visible_episodes(scope)
    return (
        select(
            SessionState.episode_id,
            SessionState.session_number,
            func.date(SessionState.starts_at, type_=Date).label("day"),
            SessionState.outcome,
            EpisodeState.outcome_instrument.label("instrument"),
        )
        .join(visible, visible.c.episode_id == SessionState.episode_id)
        .join(Evaluation, Evaluation.id == SessionState.evaluation_id)
        .join(
            EpisodeState,
            and_(
                EpisodeState.evaluation_id == SessionState.evaluation_id,
                EpisodeState.episode_id == SessionState.episode_id,
            ),
        )
        .where(Evaluation.is_current, SessionState.session_number.is_not(None))
        .order_by(SessionState.episode_id, SessionState.session_number)
    )


BESIDE = (
    "clinician_id",
    "closed_on",
    "opened_on",
    "alliance_instrument",
    "alliance_latest",
    "outcome_instrument",
    "latest",
    "sessions_attended",
)


def after_transfer(scope: Scope) -> Statement:
    """Episodes in scope that ended as transferred beside later ones, also in scope, of the same client with somebody else."""
    old = visible_episodes(scope)
    new = old.alias("next_episode")
    before, after = aliased(EpisodeState), aliased(EpisodeState)
    return (
        select(
            new.c.public_id,
            new.c.client_code,
            old.c.public_id.label("before_public_id"),
            Episode.change_requested_on.label("before_change_requested_on"),
            *(getattr(before, name).label(f"before_{name}") for name in BESIDE),
            *(getattr(after, name) for name in BESIDE),
        )
        .select_from(old)
        .join(before, before.episode_id == old.c.episode_id)
        .join(Evaluation, Evaluation.id == before.evaluation_id)
        .join(Episode, Episode.id == old.c.episode_id)
        .join(new, and_(new.c.client_id == old.c.client_id, new.c.clinician_id != old.c.clinician_id))
        .join(after, and_(after.episode_id == new.c.episode_id, after.evaluation_id == before.evaluation_id))
        .where(Evaluation.is_current, before.ending == "transferred", after.opened_on >= before.closed_on)
    )


def pattern_talked(scope: Scope) -> Statement:
    """When the pattern across a caseload in scope was last talked about in a closed meeting: clinician_id, held_on."""
    people = visible_clinicians(scope)
    return (
        select(people.c.clinician_id, func.max(Meeting.held_on).label("held_on"))
        .select_from(people)
        .join(MeetingSupervisee, MeetingSupervisee.clinician_id == people.c.clinician_id)
        .join(Meeting, Meeting.id == MeetingSupervisee.meeting_id)
        .join(AgendaItem, AgendaItem.meeting_id == Meeting.id)
        .where(Meeting.closed_at.is_not(None), AgendaItem.kind == "pattern", AgendaItem.discussed.is_(True))
        .group_by(people.c.clinician_id)
    )
