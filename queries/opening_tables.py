"""Whose caseload a clinical director opened, and why: where the practice asks for a reason (``director_opens_with_reason``)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from queries.tables import Base, BigId


class OpenedCaseload(Base):
    """A reason given by ``username`` for reading one clinician's caseload until a moment. Never changed, never removed."""

    __tablename__ = "opened_caseload"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), index=True)
    username: Mapped[str]
    clinician_id: Mapped[int] = mapped_column(ForeignKey("clinician.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime]
    until: Mapped[datetime]
