"""Every table of the product.

Each clinical row belongs to a practice and to the source it came from, carries the day the practice knew it
(``known_from``) and leaves its earlier version in the table's ``*_version`` twin when a value that was given is changed.
Reading "as of a day" therefore means: the row whose ``known_from`` is on or before the day, or its earlier version that
was still the known one then (``queries.worlds`` for imports that were undone). Dates are days in the practice's time zone;
times are practice time without an offset.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Statement: TypeAlias = Select[*tuple[Any, ...]]
BigId = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """All tables share one metadata with a naming rule, so that migrations name constraints alike on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _id() -> Mapped[int]:
    return mapped_column(BigId, primary_key=True)


def _practice() -> Mapped[int]:
    return mapped_column(ForeignKey("practice.id"))


class Practice(Base):
    """A group practice; scope begins here. ``secret`` keys the opaque ids in addresses; it never leaves the database."""

    __tablename__ = "practice"
    id: Mapped[int] = _id()
    name: Mapped[str] = mapped_column(String, unique=True)
    secret: Mapped[str] = mapped_column(String)
    created_at: Mapped[datetime]


# --------------------------------------------------------------------------- clinical rows


class ClinicianColumns:
    """What is known of a clinician; ``known_from`` null means always known."""

    display_name: Mapped[str | None]
    started_on: Mapped[date | None]
    ended_on: Mapped[date | None]
    is_trainee: Mapped[bool | None]
    known_from: Mapped[date | None]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"))


class Clinician(ClinicianColumns, Base):
    """A person who sees clients. ``source_id`` is the practice's own id, ``public_id`` the one in addresses."""

    __tablename__ = "clinician"
    __table_args__ = (UniqueConstraint("practice_id", "source", "source_id"),)
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = _practice()
    source: Mapped[str]
    source_id: Mapped[str]
    public_id: Mapped[str] = mapped_column(String, unique=True)


class ClinicianVersion(ClinicianColumns, Base):
    """A clinician as they were known until ``superseded_on``."""

    __tablename__ = "clinician_version"
    version_id: Mapped[int] = _id()
    id: Mapped[int] = mapped_column(ForeignKey("clinician.id"), index=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    superseded_on: Mapped[date]
    undo_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class LeaveColumns:
    """Who covers a leave."""

    cover_id: Mapped[int | None] = mapped_column(ForeignKey("clinician.id"))
    known_from: Mapped[date | None]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"))


class Leave(LeaveColumns, Base):
    """Days a clinician is away, and who covers."""

    __tablename__ = "leave"
    __table_args__ = (UniqueConstraint("practice_id", "clinician_id", "from_day", "to_day"),)
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = _practice()
    clinician_id: Mapped[int] = mapped_column(ForeignKey("clinician.id"))
    from_day: Mapped[date]
    to_day: Mapped[date]


class LeaveVersion(LeaveColumns, Base):
    """A leave as it was known until ``superseded_on``."""

    __tablename__ = "leave_version"
    version_id: Mapped[int] = _id()
    id: Mapped[int] = mapped_column(ForeignKey("leave.id"), index=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    superseded_on: Mapped[date]
    undo_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class SupervisionLinkColumns:
    """Until when somebody supervises (null: open-ended)."""

    to_day: Mapped[date | None]
    known_from: Mapped[date | None]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"))


class SupervisionLink(SupervisionLinkColumns, Base):
    """Who supervises whom, from a day to a day."""

    __tablename__ = "supervision_link"
    __table_args__ = (Index("ix_supervision_link_lookup", "practice_id", "supervisor_id"),)
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = _practice()
    supervisor_id: Mapped[int] = mapped_column(ForeignKey("clinician.id"))
    supervisee_id: Mapped[int] = mapped_column(ForeignKey("clinician.id"))
    from_day: Mapped[date | None]


class SupervisionLinkVersion(SupervisionLinkColumns, Base):
    """A supervision link as it was known until ``superseded_on``."""

    __tablename__ = "supervision_link_version"
    version_id: Mapped[int] = _id()
    id: Mapped[int] = mapped_column(ForeignKey("supervision_link.id"), index=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    superseded_on: Mapped[date]
    undo_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class ClientColumns:
    """What is known of a client; ``known_from`` null means always known."""

    given_code: Mapped[str | None]
    birth_year: Mapped[int | None]
    gender: Mapped[str | None]
    ethnicity: Mapped[str | None]
    known_from: Mapped[date | None]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"))


class Client(ClientColumns, Base):
    """A person in therapy; only ``client_code`` is ever shown: the code given, else one made from the id.

    ``merged_into_id``: another record of the same person, to which this one's episodes have gone.
    """

    __tablename__ = "client"
    __table_args__ = (UniqueConstraint("practice_id", "source", "source_id"),)
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = _practice()
    source: Mapped[str]
    source_id: Mapped[str]
    client_code: Mapped[str]
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))


class ClientVersion(ClientColumns, Base):
    """A client as they were known until ``superseded_on``."""

    __tablename__ = "client_version"
    version_id: Mapped[int] = _id()
    id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    superseded_on: Mapped[date]
    undo_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class EpisodeColumns:
    """What is known of an episode of care; ``ending_known_from`` is the day its closing became known."""

    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    clinician_id: Mapped[int] = mapped_column(ForeignKey("clinician.id"))
    opened_on: Mapped[date]
    referred_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    ending: Mapped[str | None]
    ending_known_from: Mapped[date | None]
    problem_area: Mapped[str | None]
    kind: Mapped[str]
    planned_sessions: Mapped[int | None]
    preference_met: Mapped[str | None]
    change_requested_on: Mapped[date | None]
    known_from: Mapped[date]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"))


class Episode(EpisodeColumns, Base):
    """One client with one clinician from a first day to an ending.

    ``withdrawn_on``: the day from which it is known never to have been; it is left out of everything from then on.
    """

    __tablename__ = "episode"
    __table_args__ = (
        UniqueConstraint("practice_id", "source", "source_id"),
        Index("ix_episode_practice_clinician", "practice_id", "clinician_id"),
        Index("ix_episode_client_id", "client_id"),
    )
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = _practice()
    source: Mapped[str]
    source_id: Mapped[str]
    public_id: Mapped[str] = mapped_column(String, unique=True)
    withdrawn_on: Mapped[date | None]


class EpisodeVersion(EpisodeColumns, Base):
    """An episode as it was known until ``superseded_on``."""

    __tablename__ = "episode_version"
    version_id: Mapped[int] = _id()
    id: Mapped[int] = mapped_column(ForeignKey("episode.id"), index=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    superseded_on: Mapped[date]
    undo_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class AppointmentColumns:
    """A slot. Until ``status_known_from`` it was known only as booked."""

    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id"), index=True)
    starts_at: Mapped[datetime]
    status: Mapped[str]
    mode: Mapped[str | None]
    known_from: Mapped[date]
    status_known_from: Mapped[date]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"))


class Appointment(AppointmentColumns, Base):
    """A booked slot: attended, cancelled by either, not attended, or still ahead.

    ``withdrawn_on``: the day from which it is known never to have been; every read of present rows leaves it out.
    """

    __tablename__ = "appointment"
    __table_args__ = (UniqueConstraint("practice_id", "source", "source_id"),)
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = _practice()
    source: Mapped[str]
    source_id: Mapped[str]
    withdrawn_on: Mapped[date | None]


class AppointmentVersion(AppointmentColumns, Base):
    """An appointment as it was known until ``superseded_on``."""

    __tablename__ = "appointment_version"
    version_id: Mapped[int] = _id()
    id: Mapped[int] = mapped_column(ForeignKey("appointment.id"), index=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    superseded_on: Mapped[date]
    undo_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class ScoreColumns:
    """One value of one scale on one day; ``scale`` is total, a subscale or item_1 ... item_n.

    ``source`` null: the source of its episode.
    """

    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id"))
    taken_on: Mapped[date]
    instrument: Mapped[str]
    scale: Mapped[str]
    respondent: Mapped[str]
    value: Mapped[float]
    appointment_ref: Mapped[str | None]
    source: Mapped[str | None]
    known_from: Mapped[date]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"))


class Score(ScoreColumns, Base):
    """A score as it is known now."""

    __tablename__ = "score"
    __table_args__ = (
        UniqueConstraint("episode_id", "instrument", "scale", "respondent", "taken_on"),
        Index("ix_score_practice", "practice_id"),
    )
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = _practice()


class ScoreVersion(ScoreColumns, Base):
    """A score as it was known until ``superseded_on``."""

    __tablename__ = "score_version"
    version_id: Mapped[int] = _id()
    id: Mapped[int] = mapped_column(BigId, index=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    superseded_on: Mapped[date]
    undo_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class PracticeInstrument(Base):
    """An instrument of the practice's own, as given in ``instruments.toml`` (checked, stored as JSON)."""

    __tablename__ = "practice_instrument"
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String, primary_key=True)
    definition: Mapped[dict[str, Any]] = mapped_column(JSON)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"))


# --------------------------------------------------------------------------- intake


class Import(Base):
    """One call of the import: when, by whom, what it did. ``changed_rows`` 0 means nothing new was in it.

    ``kind``: files, entered (by hand), sync or undo. ``undoes_id``: the import that this one took back. A row whose
    ``import_id`` is an undo has never been; it keeps its place for what people wrote about it.
    """

    __tablename__ = "import"
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = _practice()
    source: Mapped[str]
    imported_on: Mapped[date]
    imported_at: Mapped[datetime]
    username: Mapped[str | None]
    files: Mapped[list[Any]] = mapped_column(JSON)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)
    changed_rows: Mapped[int] = mapped_column(Integer, default=0)
    kind: Mapped[str] = mapped_column(String, default="files", server_default="files")
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"))


class SetAside(Base):
    """A row, or a value of a row, that was not taken in as given, and why. ``resolved_import_id``: taken in later.

    ``table_name`` and ``row_key`` name the row where it was refused whole; a value only reported has none.
    """

    __tablename__ = "set_aside"
    __table_args__ = (UniqueConstraint("practice_id", "fingerprint"),)
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = _practice()
    source: Mapped[str]
    import_id: Mapped[int] = mapped_column(ForeignKey("import.id"))
    file: Mapped[str]
    line: Mapped[int | None]
    column: Mapped[str | None]
    value: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str]
    fingerprint: Mapped[str]
    table_name: Mapped[str | None]
    row_key: Mapped[str | None] = mapped_column(Text)
    resolved_import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"))


class PendingRow(Base):
    """A row whose parent is not known yet, kept whole and tried again at each later import."""

    __tablename__ = "pending_row"
    __table_args__ = (UniqueConstraint("practice_id", "source", "table_name", "fingerprint"),)
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = _practice()
    source: Mapped[str]
    table_name: Mapped[str]
    fingerprint: Mapped[str]
    row: Mapped[dict[str, Any]] = mapped_column(JSON)
    set_aside_id: Mapped[int] = mapped_column(ForeignKey("set_aside.id"))


# --------------------------------------------------------------------------- evaluations


class Evaluation(Base):
    """Signals computed for a day from what was known by that day. ``is_current`` marks the one that pages read."""

    __tablename__ = "evaluation"
    __table_args__ = (Index("ix_evaluation_current", "practice_id", "is_current"),)
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = _practice()
    as_of: Mapped[date]
    rules_version: Mapped[str]
    model_version: Mapped[str | None]
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    data_import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"))
    evaluated_at: Mapped[datetime]
    is_current: Mapped[bool]


class FittedModel(Base):
    """The models of a practice from a day on, as fitted on what was known by then; replaced when they are learned anew.

    ``fingerprint`` names the data of the fit, so that the same fit is not made twice; ``model_version`` is made from content.
    """

    __tablename__ = "fitted_model"
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), primary_key=True)
    fitted_on: Mapped[date] = mapped_column(primary_key=True)
    rules_version: Mapped[str]
    model_version: Mapped[str]
    fingerprint: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)


class EpisodeState(Base):
    """One row per episode and evaluation: the columns of ``export episodes`` and what the pages need beside them."""

    __tablename__ = "episode_state"
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluation.id", ondelete="CASCADE"), primary_key=True)
    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id"), primary_key=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    clinician_id: Mapped[int] = mapped_column(ForeignKey("clinician.id"))
    opened_on: Mapped[date]
    closed_on: Mapped[date | None]
    ending: Mapped[str | None]
    first_attended_on: Mapped[date | None]
    sessions_attended: Mapped[int]
    last_attended_on: Mapped[date | None]
    last_contact_on: Mapped[date | None]
    next_booked_on: Mapped[date | None]
    missed_recent: Mapped[int]
    outcome_instrument: Mapped[str | None]
    scores: Mapped[int]
    baseline: Mapped[float | None]
    baseline_on: Mapped[date | None]
    latest: Mapped[float | None]
    latest_on: Mapped[date | None]
    change: Mapped[float | None]
    change_category: Mapped[str]
    latest_session: Mapped[int | None]
    expected_low: Mapped[float | None]
    expected_mid: Mapped[float | None]
    expected_high: Mapped[float | None]
    on_track: Mapped[str | None]
    alliance_instrument: Mapped[str | None]
    alliance_scores: Mapped[int]
    alliance_latest: Mapped[float | None]
    alliance_latest_on: Mapped[date | None]
    alliance_reference: Mapped[float | None]
    rupture: Mapped[str]
    rupture_since: Mapped[date | None]
    dropout_next_session: Mapped[float | None]
    dropout_next_4: Mapped[float | None]
    dropout_next_4_low: Mapped[float | None]
    dropout_next_4_high: Mapped[float | None]
    dropout_usual_4: Mapped[float | None]
    dropout_relative: Mapped[float | None]
    dropout_reasons: Mapped[str | None]
    fit_questions: Mapped[str | None]
    fit_since: Mapped[str | None]
    priority: Mapped[str]
    missing: Mapped[str | None]
    d1_unilateral: Mapped[bool | None]
    d2_no_return: Mapped[bool | None]
    d3_missed_last: Mapped[bool | None]
    d4_below_planned: Mapped[bool | None]
    d5_not_improved: Mapped[bool | None]
    dropout: Mapped[bool | None]
    dropout_session: Mapped[int | None]
    censored_session: Mapped[int | None]


class SessionState(Base):
    """One row per appointment up to the evaluation's day: what the evaluation of that appointment's day said."""

    __tablename__ = "session_state"
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluation.id", ondelete="CASCADE"), primary_key=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointment.id"), primary_key=True)
    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id"), index=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    session_number: Mapped[int | None]
    starts_at: Mapped[datetime]
    status: Mapped[str]
    outcome: Mapped[float | None]
    alliance: Mapped[float | None]
    alliance_reference: Mapped[float | None]
    alliance_mark: Mapped[str | None]
    expected_low: Mapped[float | None]
    expected_high: Mapped[float | None]
    dropout_hazard: Mapped[float | None]
    dropout_next_4: Mapped[float | None]


class Flag(Base):
    """A raised signal and its life. ``since``: the day of the finding; ``raised_on``: the day it was first known.

    ``cleared_on`` null means it stands. ``evidence`` is the sentence with the numbers, made from data only.
    """

    __tablename__ = "flag"
    __table_args__ = (Index("ix_flag_evaluation_episode", "evaluation_id", "episode_id"),)
    id: Mapped[int] = _id()
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluation.id", ondelete="CASCADE"))
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id"), index=True)
    signal: Mapped[str]
    family: Mapped[str]
    raised_on: Mapped[date]
    since: Mapped[date]
    value: Mapped[float | None]
    threshold: Mapped[float | None]
    evidence: Mapped[str]
    rule_version: Mapped[str]
    state: Mapped[str]
    cleared_on: Mapped[date | None]


class SafetyCheck(Base):
    """Somebody checked a risk answer: who and when. The only thing that clears a safety flag."""

    __tablename__ = "safety_check"
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id"), index=True)
    signal: Mapped[str]
    since: Mapped[date]
    checked_on: Mapped[date]
    checked_at: Mapped[datetime]
    username: Mapped[str]
    note: Mapped[str | None] = mapped_column(Text)


class PracticeRules(Base):
    """Numbers of the signal rules that an administrator saved; the newest stand before those of the settings."""

    __tablename__ = "practice_rules"
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    rules: Mapped[dict[str, Any]] = mapped_column(JSON)
    saved_at: Mapped[datetime]
    username: Mapped[str]


class FlagReply(Base):
    """What the clinician said to a signal: answered it, or put it off until a day. The newest within a flag's life counts."""

    __tablename__ = "flag_reply"
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id"), index=True)
    signal: Mapped[str]
    kind: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    until_day: Mapped[date | None]
    replied_on: Mapped[date]
    replied_at: Mapped[datetime]
    username: Mapped[str]


# --------------------------------------------------------------------------- snapshots


class Snapshot(Base):
    """A dated record of what a page said. ``content_hash`` leaves out who made it and when.

    ``deleted_at`` null: its files are kept. Deleting removes their bytes; the row stays.
    """

    __tablename__ = "snapshot"
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    public_id: Mapped[str] = mapped_column(String, unique=True)
    kind: Mapped[str]
    audience: Mapped[str]
    title: Mapped[str] = mapped_column(Text)
    about: Mapped[str]
    as_of: Mapped[date]
    meeting_on: Mapped[date | None]
    rules_version: Mapped[str]
    model_version: Mapped[str | None]
    content_hash: Mapped[str]
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    deleted_at: Mapped[datetime | None]
    deleted_by: Mapped[str | None]
    deleted_reason: Mapped[str | None] = mapped_column(Text)


class SnapshotClinician(Base):
    """Whose episodes a snapshot shows or counts: only who may read all of them may see it."""

    __tablename__ = "snapshot_clinician"
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id"), primary_key=True)
    clinician_id: Mapped[int] = mapped_column(ForeignKey("clinician.id"), primary_key=True)


class SnapshotFile(Base):
    """One file of a snapshot (``format``: html, pdf, zip, or json, its content). ``data`` null: it was deleted."""

    __tablename__ = "snapshot_file"
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id"), primary_key=True)
    format: Mapped[str] = mapped_column(String, primary_key=True)
    name: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]
    data: Mapped[bytes | None] = mapped_column(LargeBinary)


# --------------------------------------------------------------------------- people


class User(Base):
    """Somebody who may sign in. ``token_version`` ends every session when it is raised.

    ``email`` (lower case, null: none) is what single sign-on knows them by.
    """

    __tablename__ = "app_user"
    __table_args__ = (UniqueConstraint("username"), Index("uq_app_user_email", "email", unique=True))
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = _practice()
    username: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str]
    clinician_id: Mapped[int | None] = mapped_column(ForeignKey("clinician.id"))
    is_active: Mapped[bool]
    must_change: Mapped[bool]
    token_version: Mapped[int]
    created_at: Mapped[datetime]
    email: Mapped[str | None]


class UserSession(Base):
    """A signed-in browser. Only hashes of the session id and of the one-time bind code are stored.

    ``sign_in_id`` is shared by all sessions of one sign-in; ``method`` says what opened it (``queries.sessions.METHODS``);
    ``address`` and ``agent`` are what the browser's connection said, null where it said nothing.
    ``purpose``: what the person said they look at other people's rows for (``dashboard.looking.Purpose``); null: not said.
    """

    __tablename__ = "user_session"
    id_hash: Mapped[str] = mapped_column(String, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    revoked: Mapped[bool]
    token_version: Mapped[int]
    bind_code_hash: Mapped[str | None] = mapped_column(String, index=True)
    bind_expires_at: Mapped[datetime | None]
    sign_in_id: Mapped[str] = mapped_column(index=True)
    method: Mapped[str]
    address: Mapped[str | None]
    agent: Mapped[str | None]
    purpose: Mapped[str | None]


class Audit(Base):
    """Who opened, changed or exported what, for which purpose. Rows are only added: the database refuses anything else.

    ``previous_hash`` and ``row_hash`` bind a row to the one before it (``queries.audit_chain``). ``detail_hash`` stands for the
    detail with its ``salt``; salt null with a detail: its text was erased. One row follows one: no two name the same before.
    """

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_practice_at", "practice_id", "at"),
        Index("ix_audit_previous_hash", "previous_hash", unique=True),
    )
    id: Mapped[int] = _id()
    at: Mapped[datetime]
    practice_id: Mapped[int | None] = mapped_column(ForeignKey("practice.id"))
    username: Mapped[str]
    action: Mapped[str]
    clinician_id: Mapped[int | None] = mapped_column(ForeignKey("clinician.id"))
    episode_id: Mapped[int | None] = mapped_column(ForeignKey("episode.id"))
    detail: Mapped[str | None] = mapped_column(Text)
    purpose: Mapped[str | None]
    salt: Mapped[str | None]
    detail_hash: Mapped[str | None]
    previous_hash: Mapped[str]
    row_hash: Mapped[str]
