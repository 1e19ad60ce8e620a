"""Tables of patterns across caseloads: what was expected of each ended episode, and what became of it by clinician.

They belong to an evaluation and are replaced with it. Who may see which estimate is decided by the statements that read them
(``queries.patterns``); here every clinician stands, however few episodes they have.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from queries.tables import Base, BigId


class EpisodeExpectation(Base):
    """What was to be expected of an ended episode from its case mix, as a chance or in baseline standard deviations.

    A measure that the episode says nothing about (no scores, no known ending) is null.
    """

    __tablename__ = "episode_expectation"
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluation.id", ondelete="CASCADE"), primary_key=True)
    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id"), primary_key=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    clinician_id: Mapped[int] = mapped_column(ForeignKey("clinician.id"))
    ended_on: Mapped[date]
    dropout_expected: Mapped[float | None]
    improved_expected: Mapped[float | None]
    worsened_expected: Mapped[float | None]
    gain: Mapped[float | None]
    gain_expected: Mapped[float | None]


class ClinicianEstimate(Base):
    """One measure of one clinician; rate, limits and shrunken estimate share one scale. ``n``: episodes of this measure."""

    __tablename__ = "clinician_estimate"
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluation.id", ondelete="CASCADE"), primary_key=True)
    clinician_id: Mapped[int] = mapped_column(ForeignKey("clinician.id"), primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    n: Mapped[int]
    observed: Mapped[float | None]
    expected: Mapped[float | None]
    rate: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    limit95_low: Mapped[float | None]
    limit95_high: Mapped[float | None]
    limit998_low: Mapped[float | None]
    limit998_high: Mapped[float | None]
    shrunken: Mapped[float | None]
    shrunken_low: Mapped[float | None]
    shrunken_high: Mapped[float | None]
    reliability: Mapped[float | None]


class PracticeEstimate(Base):
    """One measure of the whole practice. ``range_low`` to ``range_high`` holds 8 in 10 clinicians of such a practice."""

    __tablename__ = "practice_estimate"
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluation.id", ondelete="CASCADE"), primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    n: Mapped[int]
    clinicians: Mapped[int]
    rate: Mapped[float | None]
    tau: Mapped[float | None]
    tau_source: Mapped[str]
    range_low: Mapped[float | None]
    range_high: Mapped[float | None]
    not_told_apart: Mapped[int]
    judged: Mapped[int]
    beyond998: Mapped[int]
    adjusted_for: Mapped[str] = mapped_column(Text)


class MonitoringChoice(Base):
    """A clinician wants their own endings followed one by one over time, or no longer; the newest choice counts."""

    __tablename__ = "monitoring_choice"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    clinician_id: Mapped[int] = mapped_column(ForeignKey("clinician.id"))
    wanted: Mapped[bool]
    chosen_at: Mapped[datetime]
    username: Mapped[str]
