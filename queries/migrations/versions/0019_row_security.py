"""Row security on PostgreSQL, reasons for opening a caseload, and an index by which a client's episodes are found."""

import sqlalchemy as sa
from alembic import op

from queries.row_security import RULES, drop_functions, make_functions, protect, unprotect

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Adds the table and the index; then puts the rules of every table that is there by now in force."""
    op.create_table(
        "opened_caseload",
        sa.Column("id", BIG, nullable=False),
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("clinician_id", BIG, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_opened_caseload_practice_id")),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.id"], name=op.f("fk_opened_caseload_clinician_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opened_caseload")),
    )
    op.create_index("ix_opened_caseload_practice_id", "opened_caseload", ["practice_id"])
    op.create_index("ix_opened_caseload_clinician_id", "opened_caseload", ["clinician_id"])
    op.create_index("ix_episode_client_id", "episode", ["client_id"])
    connection = op.get_bind()
    there = set(sa.inspect(connection).get_table_names())
    make_functions(connection)
    protect(connection, *(table for table in RULES if table in there))


def downgrade() -> None:
    """Takes the rules back, then the index and the table."""
    connection = op.get_bind()
    there = set(sa.inspect(connection).get_table_names())
    unprotect(connection, *(table for table in RULES if table in there))
    drop_functions(connection)
    op.drop_index("ix_episode_client_id", "episode")
    op.drop_table("opened_caseload")
