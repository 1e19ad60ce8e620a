"""Tables beside the clinical rows: what each import held, saved mappings, how far a sync has read, who was erased."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from queries.tables import Base, _id, _practice


class ImportContent(Base):
    """The checked rows of one table that an import brought, as compressed Arrow: what an undo replays without it."""

    __tablename__ = "import_content"
    import_id: Mapped[int] = mapped_column(ForeignKey("import.id"), primary_key=True)
    table_name: Mapped[str] = mapped_column(String, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class SavedMapping(Base):
    """A mapping made in the import assistant, by name: the same TOML that ``import --mapping`` reads."""

    __tablename__ = "saved_mapping"
    __table_args__ = (UniqueConstraint("practice_id", "name"),)
    id: Mapped[int] = _id()
    practice_id: Mapped[int] = _practice()
    name: Mapped[str]
    content: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime]
    username: Mapped[str]


class SyncMark(Base):
    """How far a table of another system's database has been read: the largest value of its watermark column, as text."""

    __tablename__ = "sync_mark"
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), primary_key=True)
    source: Mapped[str] = mapped_column(String, primary_key=True)
    file: Mapped[str] = mapped_column(String, primary_key=True)
    watermark: Mapped[str]
    synced_at: Mapped[datetime]


class ErasedKey(Base):
    """The id of an erased row, hashed with the practice's secret, so that a later file does not bring it back."""

    __tablename__ = "erased_key"
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice.id"), primary_key=True)
    source: Mapped[str] = mapped_column(String, primary_key=True)
    table_name: Mapped[str] = mapped_column(String, primary_key=True)
    key_hash: Mapped[str] = mapped_column(String, primary_key=True)
    erased_on: Mapped[date]
