"""The fitted models, and what they say of an episode."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEW = ("expected_mid", "dropout_next_4_low", "dropout_next_4_high", "dropout_usual_4")


def upgrade() -> None:
    """Adds the table and the columns; the next evaluation fills them."""
    op.create_table(
        "fitted_model",
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("fitted_on", sa.Date(), nullable=False),
        sa.Column("rules_version", sa.String(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name="fk_fitted_model_practice_id"),
        sa.PrimaryKeyConstraint("practice_id", "fitted_on", name="pk_fitted_model"),
    )
    for name in NEW:
        op.add_column("episode_state", sa.Column(name, sa.Double(), nullable=True))
    for name in ("expected_low", "expected_high", "dropout_next_4"):
        op.add_column("session_state", sa.Column(name, sa.Double(), nullable=True))
    op.add_column("episode_state", sa.Column("latest_session", sa.Integer(), nullable=True))
