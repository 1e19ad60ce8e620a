"""Expectations of ended episodes, estimates of clinicians and of the practice, and who wants to be monitored over time."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _numbers(*names: str) -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Double(), nullable=True) for name in names]


def upgrade() -> None:
    """Adds four tables."""
    op.create_table(
        "episode_expectation",
        sa.Column("evaluation_id", BIG, nullable=False),
        sa.Column("episode_id", BIG, nullable=False),
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("clinician_id", BIG, nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=False),
        *_numbers("dropout_expected", "improved_expected", "worsened_expected", "gain", "gain_expected"),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluation.id"], name=op.f("fk_episode_expectation_evaluation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("fk_episode_expectation_episode_id")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_episode_expectation_practice_id")),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.id"], name=op.f("fk_episode_expectation_clinician_id")),
        sa.PrimaryKeyConstraint("evaluation_id", "episode_id", name=op.f("pk_episode_expectation")),
    )
    op.create_index(op.f("ix_episode_expectation_practice_id"), "episode_expectation", ["practice_id"])
    op.create_table(
        "clinician_estimate",
        sa.Column("evaluation_id", BIG, nullable=False),
        sa.Column("clinician_id", BIG, nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        *_numbers(
            "observed", "expected", "rate", "low", "high", "limit95_low", "limit95_high", "limit998_low",
            "limit998_high", "shrunken", "shrunken_low", "shrunken_high", "reliability",
        ),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluation.id"], name=op.f("fk_clinician_estimate_evaluation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.id"], name=op.f("fk_clinician_estimate_clinician_id")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_clinician_estimate_practice_id")),
        sa.PrimaryKeyConstraint("evaluation_id", "clinician_id", "measure", name=op.f("pk_clinician_estimate")),
    )  # fmt: skip
    op.create_index(op.f("ix_clinician_estimate_practice_id"), "clinician_estimate", ["practice_id"])
    op.create_table(
        "practice_estimate",
        sa.Column("evaluation_id", BIG, nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("clinicians", sa.Integer(), nullable=False),
        *_numbers("rate", "tau", "range_low", "range_high"),
        sa.Column("tau_source", sa.String(), nullable=False),
        sa.Column("not_told_apart", sa.Integer(), nullable=False),
        sa.Column("judged", sa.Integer(), nullable=False),
        sa.Column("beyond998", sa.Integer(), nullable=False),
        sa.Column("adjusted_for", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluation.id"], name=op.f("fk_practice_estimate_evaluation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_practice_estimate_practice_id")),
        sa.PrimaryKeyConstraint("evaluation_id", "measure", name=op.f("pk_practice_estimate")),
    )
    op.create_index(op.f("ix_practice_estimate_practice_id"), "practice_estimate", ["practice_id"])
    op.create_table(
        "monitoring_choice",
        sa.Column("id", BIG, nullable=False),
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("clinician_id", BIG, nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_monitoring_choice_practice_id")),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.id"], name=op.f("fk_monitoring_choice_clinician_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_monitoring_choice")),
    )
    op.create_index(op.f("ix_monitoring_choice_practice_id"), "monitoring_choice", ["practice_id"])
