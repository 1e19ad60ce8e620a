"""One growth goal per clinician at a time, with its history."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Adds one table."""
    op.create_table(
        "growth_goal",
        sa.Column("id", BIG, nullable=False),
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("clinician_id", BIG, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sign", sa.String(), nullable=False),
        sa.Column("value_at_start", sa.Double(), nullable=True),
        sa.Column("n_at_start", sa.Integer(), nullable=False),
        sa.Column("set_on", sa.Date(), nullable=False),
        sa.Column("look_again_on", sa.Date(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closed_note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.id"], name=op.f("fk_growth_goal_clinician_id")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_growth_goal_practice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_growth_goal")),
    )
    op.create_index(op.f("ix_growth_goal_practice_id"), "growth_goal", ["practice_id"])
    op.create_index(op.f("ix_growth_goal_clinician_id"), "growth_goal", ["clinician_id"])
