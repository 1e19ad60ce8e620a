"""The growth goal of a clinician: one at a time, kept with its history, their own unless they share it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from queries.tables import Base, BigId


class GrowthGoal(Base):
    """A goal in the clinician's own words with the sign it is looked at by (``growth_signs.SIGNS``).

    ``value_at_start``: share of ``n_at_start`` before it was set, null where there was nothing to count. ``closed_on`` null: it
    stands. ``shared``: their supervisor and the director may read it too.
    """

    __tablename__ = "growth_goal"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    clinician_id: Mapped[int] = mapped_column(ForeignKey("clinician.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    sign: Mapped[str]
    value_at_start: Mapped[float | None]
    n_at_start: Mapped[int]
    set_on: Mapped[date]
    look_again_on: Mapped[date]
    shared: Mapped[bool]
    closed_on: Mapped[date | None]
    closed_note: Mapped[str | None] = mapped_column(Text)
