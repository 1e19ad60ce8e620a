"""The fitted models, what they say of an episode, and what clinicians reply to signals."""

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
    op.create_table(
        "practice_rules",
        sa.Column("id", BIG, nullable=False),
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("saved_at", sa.DateTime(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name="fk_practice_rules_practice_id"),
        sa.PrimaryKeyConstraint("id", name="pk_practice_rules"),
    )
    op.create_index("ix_practice_rules_practice_id", "practice_rules", ["practice_id"])
    op.create_table(
        "flag_reply",
        sa.Column("id", BIG, nullable=False),
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("episode_id", BIG, nullable=False),
        sa.Column("signal", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=True),
        sa.Column("replied_on", sa.Date(), nullable=False),
        sa.Column("replied_at", sa.DateTime(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name="fk_flag_reply_practice_id"),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name="fk_flag_reply_episode_id"),
        sa.PrimaryKeyConstraint("id", name="pk_flag_reply"),
    )
    op.create_index("ix_flag_reply_practice_id", "flag_reply", ["practice_id"])
    op.create_index("ix_flag_reply_episode_id", "flag_reply", ["episode_id"])
    for name in NEW:
        op.add_column("episode_state", sa.Column(name, sa.Double(), nullable=True))
    for name in ("expected_low", "expected_high", "dropout_next_4"):
        op.add_column("session_state", sa.Column(name, sa.Double(), nullable=True))
    op.add_column("episode_state", sa.Column("latest_session", sa.Integer(), nullable=True))
