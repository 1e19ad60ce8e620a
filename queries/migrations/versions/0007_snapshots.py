"""Snapshots: what was made, of whom, and its files."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Adds three tables."""
    op.create_table(
        "snapshot",
        sa.Column("id", BIG, nullable=False),
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("meeting_on", sa.Date(), nullable=True),
        sa.Column("rules_version", sa.String(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=True),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.String(), nullable=True),
        sa.Column("deleted_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_snapshot_practice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
        sa.UniqueConstraint("public_id", name=op.f("uq_snapshot_public_id")),
    )
    op.create_index(op.f("ix_snapshot_practice_id"), "snapshot", ["practice_id"])
    op.create_table(
        "snapshot_clinician",
        sa.Column("snapshot_id", BIG, nullable=False),
        sa.Column("clinician_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_snapshot_clinician_snapshot_id")),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.id"], name=op.f("fk_snapshot_clinician_clinician_id")),
        sa.PrimaryKeyConstraint("snapshot_id", "clinician_id", name=op.f("pk_snapshot_clinician")),
    )
    op.create_table(
        "snapshot_file",
        sa.Column("snapshot_id", BIG, nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_snapshot_file_snapshot_id")),
        sa.PrimaryKeyConstraint("snapshot_id", "format", name=op.f("pk_snapshot_file")),
    )
