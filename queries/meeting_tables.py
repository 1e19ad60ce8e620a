"""Tables of the supervision meeting: who meets when, the agenda, what was written, what was agreed, who signed.

What is written during a meeting has one row per box with a version, so that two people never overwrite each other unseen. The
agenda keeps what was left out, with the draw that decided between equal cases: the effect of discussing is estimated from it.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from queries.tables import Base, BigId


class Meeting(Base):
    """A supervision meeting. ``leader``: the username of the supervisor or director who leads it.

    ``closed_at`` null: it can still be written in. ``version`` is raised by every change of the agenda or of these columns.
    """

    __tablename__ = "meeting"
    __table_args__ = (UniqueConstraint("public_id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    public_id: Mapped[str]
    leader: Mapped[str]
    held_on: Mapped[date]
    minutes: Mapped[int]
    kind: Mapped[str]
    hides_names: Mapped[bool]
    data_as_of: Mapped[date]
    rules_version: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class MeetingSupervisee(Base):
    """A clinician whose caseload a meeting is about."""

    __tablename__ = "meeting_supervisee"
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), primary_key=True)
    clinician_id: Mapped[int] = mapped_column(ForeignKey("clinician.id"), primary_key=True)


class AgendaItem(Base):
    """Something to talk about, or a case left out. ``position`` null: left out, ``left_out`` says why.

    ``stratum``, ``draw``, ``drawn_in`` (whether the draw put it on the agenda, whatever people did afterwards): cases of one
    stratum were equal and stand in the order of their draw; null where nothing was drawn
    (safety items and what people added). ``priority``, ``signals``: what was known when it was proposed. ``discussed`` is set
    when the meeting is closed.
    """

    __tablename__ = "agenda_item"
    __table_args__ = (Index("ix_agenda_item_meeting_position", "meeting_id", "position"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"))
    kind: Mapped[str]
    episode_id: Mapped[int | None] = mapped_column(ForeignKey("episode.id"), index=True)
    clinician_id: Mapped[int | None] = mapped_column(ForeignKey("clinician.id"))
    position: Mapped[int | None]
    minutes: Mapped[int]
    left_out: Mapped[str | None]
    stratum: Mapped[str | None]
    draw: Mapped[float | None]
    drawn_in: Mapped[bool | None]
    priority: Mapped[str | None]
    signals: Mapped[str | None]
    added_by: Mapped[str | None]
    discussed: Mapped[bool | None]


class MeetingField(Base):
    """One box of one agenda item: its text, its version, and whose it is."""

    __tablename__ = "meeting_field"
    item_id: Mapped[int] = mapped_column(ForeignKey("agenda_item.id"), primary_key=True)
    field: Mapped[str] = mapped_column(String, primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    username: Mapped[str]
    saved_at: Mapped[datetime]


class AgreedAction(Base):
    """What was agreed at a meeting, confirmed when it was closed. ``state``: open, done, not_done, not_measurable."""

    __tablename__ = "agreed_action"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    episode_id: Mapped[int | None] = mapped_column(ForeignKey("episode.id"), index=True)
    clinician_id: Mapped[int | None] = mapped_column(ForeignKey("clinician.id"))
    what: Mapped[str] = mapped_column(Text)
    who: Mapped[str]
    agreed_on: Mapped[date]
    look_again_on: Mapped[date | None]
    state: Mapped[str]
    state_on: Mapped[date | None]
    state_by: Mapped[str | None]
    version: Mapped[int]


class SignOff(Base):
    """Somebody signed a closed meeting."""

    __tablename__ = "sign_off"
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), primary_key=True)
    username: Mapped[str] = mapped_column(String, primary_key=True)
    part: Mapped[str]
    signed_at: Mapped[datetime]


class MeetingAddition(Base):
    """Added after a meeting was closed; what stands there already is never altered."""

    __tablename__ = "meeting_addition"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    username: Mapped[str]
    added_at: Mapped[datetime]


class EpisodeMark(Base):
    """The clinician's wish for the next meeting: bring, or went_well. The newest of a kind counts; unset takes it back."""

    __tablename__ = "episode_mark"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id"), index=True)
    kind: Mapped[str]
    is_set: Mapped[bool]
    marked_at: Mapped[datetime]
    username: Mapped[str]
