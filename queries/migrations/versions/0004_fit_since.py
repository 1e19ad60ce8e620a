"""Since when each fit question stands."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column; the next evaluation fills it."""
    op.add_column("episode_state", sa.Column("fit_since", sa.String(), nullable=True))
